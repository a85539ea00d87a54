//! The old form of a store that a run has half written, from the store alone: the way on where the snapshot is gone.
//!
//! Apply only sets, so what lived under other keys is still there. What was overwritten goes down again with its residue,
//! which was written with it; the markers say which keys that are. Residues stay as the run left them: by the laws of the
//! lenses, going up with them again leads to the same place.

use std::borrow::Cow;
use std::collections::HashSet;

use litemap::LiteMap;

use super::line::residue_key;
use crate::chain::{Chain, Layout, Residues, Version};
use crate::document::{Path, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::lens::Context;

/// Reads values as they were before the run.
pub(super) struct Rewind<'r> {
    pub(super) chain: &'r Chain,
    pub(super) from: Version,
    pub(super) to: Version,
    pub(super) now: i64,
    /// Storage keys that the run has written.
    pub(super) moved: HashSet<String>,
}

impl Rewind<'_> {
    /// Whether a key was there before the run.
    pub(super) fn knows(&self, key: &str) -> bool {
        let mut layouts = self.chain.collections(self.from).values().map(|collection| &collection.layout);
        !self.moved.contains(key) || layouts.any(|layout| layout.owns(key))
    }

    /// What stood under a key; `group` holds what stands there now, with the residues of its records.
    pub(super) fn text(&self, key: &str, group: &LiteMap<String, String>) -> Result<String> {
        let text = group.get(key).cloned().unwrap_or_default();
        match self.owner(key) {
            Some((name, record)) if self.moved.contains(key) => {
                Ok(self.record(name, record, Value::parse(&text)?, group)?.to_json())
            }
            _ => Ok(text),
        }
    }

    /// What stood in a slice of the array or map under a key.
    pub(super) fn slice(&self, key: &str, text: String, residues: &LiteMap<String, String>) -> Result<String> {
        let mut collections = self.chain.collections(self.to).iter();
        let owner = collections.find(|(_, collection)| collection.layout.owns(key));
        let (Some((name, collection)), true) = (owner, self.moved.contains(key)) else { return Ok(text) };
        let old = match (Value::parse_inside(&text, 1)?.opened()?, &collection.layout) {
            (Value::Array(items), Layout::Array { id, .. }) => {
                let item = |mut item: Value<'static>, id: &Path| {
                    let record = id.get(&mut item)?.map(|key| key.text()).transpose()?.flatten().unwrap_or_default();
                    self.record(name, &record, item, residues)
                };
                let items = items.into_iter().map(|value| item(value.into_owned()?, id));
                Value::Array(items.collect::<Result<_>>()?)
            }
            (Value::Object(members), Layout::Map { .. }) => {
                let member = |(key, value): (Cow<'_, str>, Value<'_>)| {
                    let value = self.record(name, &key, value.into_owned()?, residues)?;
                    Ok((Cow::Owned(key.into_owned()), value))
                };
                Value::Object(members.into_iter().map(member).collect::<Result<_>>()?)
            }
            _ => return Err(misshapen()),
        };
        Ok(old.to_json())
    }

    fn record(
        &self,
        name: &str,
        record: &str,
        value: Value<'_>,
        residues: &LiteMap<String, String>,
    ) -> Result<Value<'static>> {
        let mut value = value.into_owned()?;
        let residues = residues.get(&residue_key(name, record)).map_or("{}", String::as_str);
        let mut residues = Residues::from_value(&Value::parse_inside(residues, 8)?.into_owned()?)?;
        let context = Context { now: self.now, key: record };
        self.chain.translate(name, self.to, self.from, context, &mut value, &mut residues)?;
        Ok(value)
    }

    /// The collection and the record's key of a storage key that holds one record in both versions.
    fn owner<'k>(&'k self, key: &'k str) -> Option<(&'k str, &'k str)> {
        let mut collections = self.chain.collections(self.from).iter();
        let (name, collection) = collections.find(|(_, collection)| collection.layout.owns(key))?;
        match &collection.layout {
            Layout::Record { .. } => Some((name, name)),
            Layout::Prefix { prefix } => Some((name, &key[prefix.len()..])),
            Layout::Array { .. } | Layout::Map { .. } => None,
        }
    }
}

/// A value that the run has written in another shape under the same key cannot be read slice by slice.
pub(super) fn misshapen() -> Error {
    let message = "expected the old form to follow from what the store holds, found a key in another shape; restore an older snapshot";
    Error::new(ErrorKind::Snapshot, message)
}
