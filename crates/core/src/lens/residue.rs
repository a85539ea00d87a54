use litemap::LiteMap;
use std::borrow::Cow;

use super::entry::{Entry, malformed};
use crate::document::Value;
use crate::error::Result;

/// What one migration of one record could not compute on the way back: an entry for each primitive that has one, by
/// its place in the body. Most records have none.
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

    pub(super) fn take(&mut self, index: usize) -> Option<Entry<'a>> {
        self.0.remove(&index)
    }

    pub(super) fn put(&mut self, index: usize, entry: Option<Entry<'a>>) {
        if let Some(entry) = entry {
            self.0.insert(index, entry);
        }
    }

    /// The residue as JSON, an object with a member a primitive.
    #[must_use]
    pub fn to_value(&self) -> Value<'a> {
        let written = self.0.iter().filter(|(_, entry)| entry.is_written());
        Value::Object(written.map(|(index, entry)| (Cow::Owned(index.to_string()), entry.to_value())).collect())
    }

    /// Reads what [`Residue::to_value`] wrote.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Json`] where the value is anything else.
    pub fn from_value(value: &Value<'a>) -> Result<Self> {
        let Value::Object(members) = value.opened()? else { return Err(malformed()) };
        let entry = |(index, value): (Cow<'a, str>, Value<'a>)| {
            Ok((index.parse().map_err(|_| malformed())?, Entry::from_value(&value)?))
        };
        Ok(Self(members.into_iter().map(entry).collect::<Result<_>>()?))
    }
}
