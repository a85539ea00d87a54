//! What a kind of step says of itself to authors: the reference page and the editors' schema are made of this, and every
//! example is run by a test.

/// The entry of one kind.
pub struct Manual {
    /// The chapter it stands in.
    pub chapter: Chapter,
    /// What it does, in a sentence or two. Markdown, as all text here.
    pub summary: &'static str,
    /// Its members, the verb first.
    pub members: &'static [Member],
    /// A good example.
    pub example: Example,
    /// What else there is to know. May be empty.
    pub notes: &'static str,
    /// A mistake that is often made, and refused.
    pub mistake: Mistake,
}

/// A chapter of the reference page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chapter {
    /// Members of an object come, go, and change their places.
    Fields,
    /// A value becomes another.
    Values,
    /// Steps run further in, or only where something holds.
    Inside,
    /// Lists whose items have a key, and objects used as maps.
    Keyed,
    /// The author's own code.
    Code,
}

/// A member of a step.
pub struct Member {
    /// Its name.
    pub name: &'static str,
    /// What may stand there.
    pub form: Form,
    /// Whether it must be given.
    pub required: bool,
    /// What it says.
    pub what: &'static str,
}

/// What may stand in a member of a step.
pub enum Form {
    /// A pointer, the empty one too.
    Place,
    /// A pointer to a member.
    Field,
    /// A list of pointers to members.
    Fields,
    /// A pointer to a member, or a list of them.
    FieldOrFields,
    /// Any value.
    Value,
    /// A text.
    Text,
    /// A list of texts.
    Texts,
    /// A whole number that is not negative.
    Count,
    /// `true`.
    True,
    /// An object.
    Object,
    /// An object of texts.
    Names,
    /// A schema.
    Schema,
    /// A list of steps.
    Steps,
    /// A predicate.
    Predicate,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Something else: in words, and as JSON Schema.
    Other(&'static str, &'static str),
}

/// A step on one record.
pub struct Example {
    /// The schema before it.
    pub schema: &'static str,
    /// The step.
    pub step: &'static str,
    /// A record before it.
    pub before: &'static str,
    /// The same record after it.
    pub after: &'static str,
}

/// A step that does not fit the schema before it.
pub struct Mistake {
    /// What is wrong.
    pub what: &'static str,
    /// The schema before it.
    pub schema: &'static str,
    /// The step.
    pub step: &'static str,
}

impl Member {
    /// A member that must be given.
    pub(super) const fn required(name: &'static str, form: Form, what: &'static str) -> Self {
        Self { name, form, required: true, what }
    }

    /// A member that may be left out.
    pub(super) const fn optional(name: &'static str, form: Form, what: &'static str) -> Self {
        Self { name, form, required: false, what }
    }
}
