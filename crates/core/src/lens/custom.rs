use litemap::LiteMap;
use std::fmt;
use std::sync::Arc;

use super::Way;
use crate::document::{Quoted, Value};
use crate::error::{Error, ErrorKind, Result};

/// The escape hatch: a function that the language cannot say, registered on the chain under a name. It runs through
/// the interpreter only, never inside a database.
///
/// Both ways must be deterministic: what they do not reproduce is remembered, but only for values that nobody edits.
pub trait Custom: fmt::Debug + Send + Sync {
    /// The name that steps call it by.
    fn name(&self) -> &str;

    /// The revision, raised by its author whenever it computes something else. Steps name the revision they mean.
    fn revision(&self) -> u32;

    /// Whether [`Custom::down`] does anything.
    fn is_reversible(&self) -> bool;

    /// The newer value.
    ///
    /// # Errors
    /// [`ErrorKind::Unfit`] for a value that it is not defined for.
    fn up<'a>(&self, value: Value<'a>) -> Result<Value<'a>>;

    /// The older value, where the function can be undone.
    ///
    /// # Errors
    /// [`ErrorKind::Unfit`] for a value that it is not defined for.
    fn down<'a>(&self, value: Value<'a>) -> Result<Value<'a>>;
}

/// The custom functions of a chain, by name and revision: data comes from any version, so an older revision stays.
#[derive(Clone, Debug, Default)]
pub struct Customs(LiteMap<(String, u32), Arc<dyn Custom>>);

impl Customs {
    /// None.
    #[must_use]
    pub const fn new() -> Self {
        Self(LiteMap::new())
    }

    /// Registers a function; one with the same name and revision gives way.
    pub fn register(&mut self, custom: Arc<dyn Custom>) {
        self.0.insert((custom.name().to_owned(), custom.revision()), custom);
    }

    pub(super) fn run<'a>(&self, name: &str, revision: u32, way: Way, value: Value<'a>) -> Result<Value<'a>> {
        let found = self.0.get(&(name.to_owned(), revision)).ok_or_else(|| {
            let message = format!(
                "expected a custom function {} of revision {revision} on the chain, found none; register it before the run",
                Quoted(name)
            );
            Error::new(ErrorKind::Chain, message)
        })?;
        match way {
            Way::Up => found.up(value),
            Way::Down if found.is_reversible() => found.down(value),
            Way::Down => Err(Error::new(
                ErrorKind::Unfit,
                format!("expected a value that {} remembers, found another, and it cannot be undone", Quoted(name)),
            )),
        }
    }
}
