//! The next version's schema, computed from the last.

use std::collections::BTreeSet;

use super::{Member, Schema, Shape, Types};
use crate::document::{Kind, Path, Value};
use crate::error::{Error, ErrorKind, Result};

/// What a schema says of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Nothing, and not even that the enclosing value is an object.
    Untyped,
    /// The enclosing object is declared, this member is not.
    Undeclared,
    /// Declared; it may be absent. Also where the forms of an `anyOf` say different things of it.
    Optional,
    /// Declared, and always there.
    Required,
}

/// What the forms that an object may have say of a member.
enum Said<'s> {
    Nothing,
    Alike(&'s Member),
    Differently,
}

/// Stands for a place of which the forms say different things: no step knows a value that fits each.
static NEVER: Schema = Schema {
    types: Types::NONE,
    values: Vec::new(),
    text: super::Text { length: super::parts::Span { least: None, most: None }, date_time: false },
    number: super::Range { minimum: None, maximum: None },
    array: super::Items { items: None, count: super::parts::Span { least: None, most: None } },
    shapes: Vec::new(),
    about: super::About { title: None, description: None },
};

impl Schema {
    /// What the schema says of a place.
    #[must_use]
    pub fn presence(&self, path: &Path) -> Presence {
        let mut at = self;
        let mut presence = Presence::Required;
        for token in path.tokens() {
            match at.said_of(token) {
                Said::Nothing if at.types.is_any() => return Presence::Untyped,
                Said::Nothing => return Presence::Undeclared,
                Said::Differently => return Presence::Optional,
                Said::Alike(member) => {
                    if !member.required || !at.types.only_object() {
                        presence = Presence::Optional;
                    }
                    at = &member.schema;
                }
            }
        }
        presence
    }

    /// The schema of a declared place; one that permits nothing where the forms of an `anyOf` say different things of
    /// it, because no value fits whatever the form.
    #[must_use]
    pub fn at(&self, path: &Path) -> Option<&Schema> {
        let mut at = self;
        for token in path.tokens() {
            match at.said_of(token) {
                Said::Nothing => return None,
                Said::Differently => return Some(&NEVER),
                Said::Alike(member) => at = &member.schema,
            }
        }
        Some(at)
    }

    /// What a place may hold, for a step that only looks there: where the forms of an `anyOf` say different things of
    /// it, what any of them permits.
    #[must_use]
    pub fn seen_at(&self, path: &Path) -> Schema {
        let mut at = self.clone();
        for token in path.tokens() {
            let forms = at.shapes.iter().map(|shape| shape.members.get(token).map(|member| &member.schema));
            let known: Option<Vec<&Schema>> = forms.collect();
            at = match known.as_deref() {
                Some([first, others @ ..]) => others.iter().fold((*first).clone(), |all, other| all.join(other)),
                _ => return Schema::any(),
            };
        }
        at
    }

    /// The schema of a place that a step needs.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] where the schema does not declare it, or the forms of an `anyOf` say different things of it.
    pub fn require(&self, path: &Path) -> Result<Schema> {
        let message = match (self.presence(path), self.at(path)) {
            (_, Some(schema)) if !std::ptr::eq(schema, &raw const NEVER) => return Ok(schema.clone()),
            (_, Some(_)) => {
                "expected a member of which all branches of the \"anyOf\", or all values of the \"enum\", say the same, found one of which they do not; a step can change only what is alike in each"
            }
            (Presence::Untyped, None) => {
                "expected a member that the schema declares, found one inside of a value whose type it does not say; declare both in the schema of the first version, or put the step into a \"where\" that tests the \"type\" of this place"
            }
            (_, None) => {
                "expected a member that the schema declares, found none by this name; look for a typing error, or declare it"
            }
        };
        Err(Error::new(ErrorKind::Chain, message).under_path(path))
    }

    /// Refuses a place that is declared already.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`]
    pub fn refuse(&self, path: &Path) -> Result<()> {
        match self.presence(path) {
            Presence::Untyped | Presence::Undeclared => Ok(()),
            Presence::Optional | Presence::Required => {
                let message =
                    "expected a free place, found a member that the schema declares; move or remove that one first";
                Err(Error::new(ErrorKind::Chain, message).under_path(path))
            }
        }
    }

    /// Changes what a place must fit; declares the place where it was not. Where the enclosing object may have several
    /// forms, in each.
    pub fn declare(&mut self, path: &Path, schema: Schema, required: bool) {
        match path.split_last() {
            None => *self = schema,
            Some((_, name)) => self.change_enclosing(path, &|shape| {
                shape.members.insert(name.to_owned(), Member { schema: schema.clone(), required });
            }),
        }
    }

    /// Changes what a declared place must fit and leaves alone whether it is required.
    pub fn replace(&mut self, path: &Path, schema: Schema) {
        match path.split_last() {
            None => *self = schema,
            Some((_, name)) => self.change_enclosing(path, &|shape| {
                if let Some(member) = shape.members.get_mut(name) {
                    member.schema = schema.clone();
                }
            }),
        }
    }

    /// Takes back the declaration of a place.
    pub fn undeclare(&mut self, path: &Path) {
        let Some((_, name)) = path.split_last() else { return };
        self.change_enclosing(path, &|shape| drop(shape.members.remove(name)));
    }

    /// The names of the members that any form of the objects permitted here declares.
    #[must_use]
    pub fn member_names(&self) -> Vec<String> {
        let names: BTreeSet<_> = self.shapes.iter().flat_map(|shape| shape.members.keys()).collect();
        names.into_iter().cloned().collect()
    }

    /// The places that this schema declares and the other does not, the outermost only, with what it says there.
    #[must_use]
    pub fn declared_beyond(&self, other: &Self) -> Vec<(Path, Schema)> {
        let mut found = Vec::new();
        self.gather_beyond(other, &Path::default(), &mut found);
        found
    }

    fn gather_beyond(&self, other: &Self, at: &Path, found: &mut Vec<(Path, Schema)>) {
        let names: BTreeSet<_> = self.shapes.iter().flat_map(|shape| shape.members.keys()).collect();
        for name in names {
            match (self.said_of(name), other.said_of(name)) {
                (Said::Alike(mine), Said::Nothing) => found.push((at.join(name), mine.schema.clone())),
                (Said::Alike(mine), Said::Alike(theirs)) => {
                    mine.schema.gather_beyond(&theirs.schema, &at.join(name), found);
                }
                _ => {}
            }
        }
    }

    /// Whether an object at this place may be made of nothing: no member is required.
    #[must_use]
    pub fn may_be_empty(&self, path: &Path) -> bool {
        let empty = |shape: &Shape| shape.members.values().all(|member| !member.required);
        self.at(path).is_none_or(|schema| schema.shapes.iter().any(empty) || schema.shapes.is_empty())
    }

    /// Whether the member itself is always there when the object around it is.
    #[must_use]
    pub fn requires(&self, path: &Path) -> bool {
        let Some((parent, name)) = path.split_last() else { return true };
        let said = self.at(&parent).map(|enclosing| enclosing.said_of(name));
        matches!(said, Some(Said::Alike(member)) if member.required)
    }

    /// The loosest schema of this shape for a value: its type, and for an object its members.
    #[must_use]
    pub fn of(value: &Value<'_>) -> Self {
        let mut schema = Self::of_types(Types::of(value));
        match value.opened() {
            Ok(Value::Array(items)) => {
                let items = items.iter().map(Self::of).reduce(|a, b| a.join(&b));
                schema.array = super::Items::of(items.unwrap_or_default());
            }
            Ok(Value::Object(object)) => {
                let member = |value| Member { schema: Self::of(value), required: true };
                let members = object.iter().map(|(name, value)| (name.to_owned(), member(value))).collect();
                schema.set_shapes(vec![Shape { members, ..Shape::default() }]);
            }
            _ => {}
        }
        schema
    }

    fn said_of(&self, name: &str) -> Said<'_> {
        let mut forms = self.shapes.iter().map(|shape| shape.members.get(name));
        let Some(first) = forms.next() else {
            return if self.lists(Kind::Object) { Said::Differently } else { Said::Nothing };
        };
        match (first, forms.all(|form| form == first)) {
            (_, false) => Said::Differently,
            (None, true) => Said::Nothing,
            (Some(member), true) => Said::Alike(member),
        }
    }

    /// Changes, in each form, the object around a place.
    fn change_enclosing(&mut self, path: &Path, change: &dyn Fn(&mut Shape)) {
        let tokens: Vec<_> = path.tokens().collect();
        if let Some((_, parents)) = tokens.split_last() {
            self.change_shapes(parents, change);
        }
    }

    fn change_shapes(&mut self, parents: &[&str], change: &dyn Fn(&mut Shape)) {
        let mut shapes = std::mem::take(&mut self.shapes);
        match parents.split_first() {
            None => {
                self.values.retain(|value| value.kind() != Kind::Object);
                if shapes.is_empty() {
                    shapes.push(Shape::default());
                }
                shapes.iter_mut().for_each(change);
            }
            Some((first, inner)) => {
                for shape in &mut shapes {
                    if let Some(member) = shape.members.get_mut(*first) {
                        member.schema.change_shapes(inner, change);
                    }
                }
            }
        }
        self.set_shapes(shapes);
    }
}

impl Types {
    /// Checks that a step can take every value that the schema permits.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] where the schema permits another type, or nothing at all. One that says nothing permits every
    /// type: whatever is written there later must have a way back.
    pub fn expect_within(self, expected: Types, path: &Path) -> Result<()> {
        if expected.include(self) && self != Types::NONE {
            return Ok(());
        }
        let message = match self.is_any() {
            true => format!(
                "expected a place of type {expected}, found one whose schema does not say its type; declare it in the schema of the first version, or put the step into a \"where\" that tests the \"type\""
            ),
            false => format!("expected a place of type {expected}, found one whose schema says {self}"),
        };
        Err(Error::new(ErrorKind::Chain, message).under_path(path))
    }
}
