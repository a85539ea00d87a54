use litemap::LiteMap;
use std::borrow::Cow;

use super::entry::{Entry, malformed};
use crate::document::Value;
use crate::error::Result;

/// What one migration of one record could not compute on the way back: an entry for each primitive that has one, by
/// its slot in the body. Most records have none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Residue<'a>(LiteMap<usize, Entry<'a>>);

impl<'a> Residue<'a> {
    /// Whether there is nothing to remember.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether anything of it may be written down: secrets that a step forgets may not.
    #[must_use]
    pub fn is_written(&self) -> bool {
        self.0.values().any(Entry::is_written)
    }

    pub(super) fn take(&mut self, slot: usize) -> Option<Entry<'a>> {
        self.0.remove(&slot)
    }

    pub(super) fn put(&mut self, slot: usize, entry: Option<Entry<'a>>) {
        if let Some(entry) = entry {
            self.0.insert(slot, entry);
        }
    }

    /// Adds what another holds for other slots.
    pub(super) fn pass_on(&mut self, rest: Self) {
        self.0.extend(rest.0);
    }

    /// The residue as JSON, an object with a member a primitive.
    #[must_use]
    pub fn to_value(&self) -> Value<'a> {
        let written = self.0.iter().filter(|(_, entry)| entry.is_written());
        Value::Object(written.map(|(slot, entry)| (Cow::Owned(slot.to_string()), entry.to_value())).collect())
    }

    /// Reads what [`Residue::to_value`] wrote.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Json`] where the value is anything else.
    pub fn from_value(value: &Value<'a>) -> Result<Self> {
        let Value::Object(members) = value.opened()? else { return Err(malformed()) };
        let entry = |(slot, value): (Cow<'a, str>, Value<'a>)| {
            Ok((slot.parse().map_err(|_| malformed())?, Entry::from_value(&value)?))
        };
        Ok(Self(members.into_iter().map(entry).collect::<Result<_>>()?))
    }
}
