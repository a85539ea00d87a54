//! The old form of a store that a run has half written, from the store alone: the way on where the snapshot is gone.
//!
//! Apply only sets, so what lived under other keys is still there. What was overwritten goes down again with its residue,
//! which was written with it; the markers say which keys that are. Residues stay as the run left them: by the laws of the
//! lenses, going up with them again leads to the same place.

use std::collections::{BTreeMap, HashSet};

use super::line::residue_key;
use crate::chain::{Chain, Layout, Residues, Version};
use crate::document::Value;
use crate::error::Result;
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
    pub(super) fn text(&self, key: &str, group: &BTreeMap<String, String>) -> Result<String> {
        let text = group.get(key).cloned().unwrap_or_default();
        match self.owner(key) {
            Some((name, record)) if self.moved.contains(key) => {
                let empty = "{}".to_owned();
                let residues = group.get(&residue_key(name, record)).unwrap_or(&empty);
                let mut residues = Residues::from_value(&Value::parse_inside(residues, 8)?)?;
                let mut value = Value::parse(&text)?;
                let context = Context { now: self.now, key: record };
                self.chain.translate(name, self.to, self.from, context, &mut value, &mut residues)?;
                Ok(value.to_json())
            }
            _ => Ok(text),
        }
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
