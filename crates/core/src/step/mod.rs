//! What authors write: step kinds, a file each with all that belongs to the kind. Adding one is adding a file and a
//! line in [`KINDS`].

mod fields;
mod lower;
pub mod manual;
mod predicate;
mod supply;

/// The kinds are modules here, each with a `KIND` and a `MANUAL`.
macro_rules! kinds {
    ($($module:ident),* $(,)?) => {
        $(mod $module;)*

        /// All kinds, by the order of the reference page.
        const KINDS: &[StepKind] = &[$($module::KIND),*];

        /// What they say of themselves, in the same order.
        static MANUALS: &[&manual::Manual] = &[$(&$module::MANUAL),*];
    };
}

kinds![
    add,
    set,
    remove,
    rename,
    rename_fields,
    move_field,
    copy,
    coalesce,
    nest,
    flatten,
    map,
    convert,
    not,
    split,
    join,
    replace,
    truncate,
    wrap,
    unwrap,
    each,
    where_holds,
    insert_item,
    remove_item,
    array_to_map,
    map_to_array,
    pick,
    partition,
    custom,
];

pub use custom::CustomExample;
pub use fields::Fields;
pub use lower::Lowering;

use crate::document::Value;
use crate::error::{Error, ErrorKind, Result};
use crate::lens::Body;
use crate::schema::Schema;

/// A step as an author wrote it.
pub trait Step: std::fmt::Debug + Send + Sync {
    /// Lowers it to primitives and carries the schema over it.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] where the schema before it does not allow it.
    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()>;

    /// What it does, as a plain sentence without a full stop.
    fn words(&self) -> String;

    /// What functions of the author's own are expected to do.
    fn examples(&self) -> Vec<CustomExample<'_>> {
        Vec::new()
    }
}

/// A kind of step: the member that names it, and how the rest is read.
pub struct StepKind {
    verb: &'static str,
    read: fn(&mut Fields<'_>) -> Result<Box<dyn Step>>,
}

/// Every kind's verb with its entry in the reference, in the order of the page.
pub fn manuals() -> impl Iterator<Item = (&'static str, &'static manual::Manual)> {
    KINDS.iter().map(|kind| kind.verb).zip(MANUALS.iter().copied())
}

/// Predicates, as JSON Schema that refers to the definitions `pointer`, `member`, `type` and, for itself, `predicate`.
pub const PREDICATE_SCHEMA: &str = predicate::SCHEMA;

/// A list of steps as read, each with its verb.
#[derive(Debug)]
pub struct Steps(Vec<(&'static str, Box<dyn Step>)>);

impl Steps {
    /// Reads a list of steps.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] with the step's place and what was meant to stand there.
    pub fn read(value: &Value<'_>) -> Result<Self> {
        let Value::Array(items) = value.opened()? else {
            return Err(Error::new(ErrorKind::Chain, format!("expected a list of steps, found {}", value.kind())));
        };
        let read = |(index, item): (usize, &Value<'_>)| read_step(item).map_err(|error| error.under_step(index + 1));
        Ok(Self(items.iter().enumerate().map(read).collect::<Result<_>>()?))
    }

    /// Lowers the steps in order and carries the schema over them.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] with the place of the step that does not fit the schema before it.
    pub fn lower(&self, schema: &mut Schema) -> Result<Body> {
        self.lower_inside("", schema)
    }

    fn lower_inside(&self, prefix: &str, schema: &mut Schema) -> Result<Body> {
        let mut nodes = Vec::new();
        for (index, (verb, step)) in self.0.iter().enumerate() {
            let place = format!("{prefix}{} ({verb})", index + 1);
            let mut lowering = Lowering::new(&place, schema, &mut nodes);
            step.lower(&mut lowering).map_err(|error| error.in_step(&place))?;
        }
        Ok(Body::new(nodes))
    }

    /// What the steps do, a sentence each.
    pub fn words(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(_, step)| step.words())
    }

    /// The steps' places as errors and bodies name them.
    pub fn places(&self) -> impl Iterator<Item = String> {
        self.0.iter().enumerate().map(|(index, (verb, _))| format!("{} ({verb})", index + 1))
    }

    /// What functions of the author's own are expected to do.
    pub fn examples(&self) -> impl Iterator<Item = CustomExample<'_>> {
        self.0.iter().flat_map(|(_, step)| step.examples())
    }
}

fn read_step(value: &Value<'_>) -> Result<(&'static str, Box<dyn Step>)> {
    let Value::Object(object) = value.opened()? else {
        return Err(Error::new(
            ErrorKind::Chain,
            format!(
                "expected a step, an object such as {{\"rename\": \"/a\", \"to\": \"/b\"}}, found {}",
                value.kind()
            ),
        ));
    };
    let mut named = KINDS.iter().filter(|kind| object.get(kind.verb).is_some());
    let Some(kind) = named.next() else { return Err(unknown_verb(object.iter().map(|(name, _)| name))) };
    if let Some(second) = named.next() {
        let message = format!("expected one verb, found both {:?} and {:?}; write two steps", kind.verb, second.verb);
        return Err(Error::new(ErrorKind::Chain, message));
    }
    let mut fields = Fields::new(object);
    let step = (kind.read)(&mut fields)?;
    fields.finish(kind.verb)?;
    Ok((kind.verb, step))
}

fn unknown_verb<'n>(names: impl Iterator<Item = &'n str>) -> Error {
    let verbs: Vec<_> = KINDS.iter().map(|kind| kind.verb).collect();
    let found: Vec<_> = names.map(|name| format!("{name:?}")).collect();
    let found = if found.is_empty() { "no member".to_owned() } else { found.join(", ") };
    Error::new(ErrorKind::Chain, format!("expected one of the verbs {}, found {found}", verbs.join(", ")))
}
