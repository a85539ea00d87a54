use std::fmt;

use super::Customs;
use crate::document::Path;

/// What a run tells every step, besides the record: nothing in the language reads a clock or rolls dice.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'c> {
    /// The time of the run, in milliseconds since 1970: the same for all its records, however long it takes.
    pub now: i64,
    /// The record's key.
    pub key: &'c str,
}

/// Where a body runs: on the record, or on something inside it.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'s> {
    pub(super) context: Context<'s>,
    pub(super) customs: &'s Customs,
    inside: Option<(&'s Scope<'s>, &'s Path, Step<'s>)>,
}

/// The last step of the way into a list or an object.
#[derive(Clone, Copy)]
pub(super) enum Step<'s> {
    Index(usize),
    Name(&'s str),
}

impl<'s> Scope<'s> {
    pub(crate) fn new(context: Context<'s>, customs: &'s Customs) -> Self {
        Self { context, customs, inside: None }
    }

    /// Where nothing is known, while a chain is loaded.
    pub(crate) fn unknown() -> Scope<'static> {
        static NONE: Customs = Customs::new();
        Scope::new(Context::default(), &NONE)
    }

    pub(super) fn inside<'i>(&'i self, at: &'i Path, step: Step<'i>) -> Scope<'i>
    where
        's: 'i,
    {
        Scope { context: self.context, customs: self.customs, inside: Some((self, at, step)) }
    }
}

/// The record's key and the place in the record: `chat-1`, `chat-1/messages/0`. Made ids start from it, so that they
/// are the same on every device and in every database.
impl fmt::Display for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.inside {
            None => f.write_str(self.context.key),
            Some((outer, at, Step::Index(index))) => write!(f, "{outer}{at}/{index}"),
            Some((outer, at, Step::Name(name))) => write!(f, "{outer}{at}/{name}"),
        }
    }
}
