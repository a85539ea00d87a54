//! The old form of a store that a run has half written, from the store alone: the way on where the snapshot is gone.
//!
//! Apply only sets, so what lived under other keys is still there. What was overwritten goes the route back with its
//! residue, which was written with it; the markers say which keys that are. Residues stay as the run left them: by the
//! laws of the lenses, going the same way with them again leads to the same place.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use litemap::LiteMap;

use super::keys::{ASIDE, residue_key};
use super::line::read_aside;
use crate::chain::{Family, Layout, RESIDUE_LEVELS, Record, Residues, Route, residue_prefix};
use crate::document::{Path, Value};
use crate::error::{Error, ErrorKind, Result};

/// Reads values as they were before the run.
pub(super) struct Rewind<'r> {
    pub(super) route: Route<'r>,
    pub(super) now: i64,
    /// Storage keys that the run has written.
    pub(super) moved: HashSet<String>,
    /// Of each record of a family of several, by what it is known by: the storage keys of what came of the family.
    pub(super) families: HashMap<String, Rc<[String]>>,
}

impl Rewind<'_> {
    /// Whether a key was there before the run.
    pub(super) fn knows(&self, key: &str) -> bool {
        let mut layouts = self.route.before().values().map(|collection| &collection.layout);
        !self.moved.contains(key) || layouts.any(|layout| layout.owns(key))
    }

    /// Whether a residue is of a collection that is there only since the run.
    pub(super) fn is_new(&self, residue: &str) -> bool {
        let mut begun = self.route.after().keys().filter(|name| !self.route.before().contains_key(*name));
        begun.any(|name| residue.starts_with(&residue_prefix(name)))
    }

    /// Where the residue of a record of a collection may be: of the record as it was, and as it is since the run.
    pub(super) fn residue_keys(&self, name: &str, record: &str) -> Vec<String> {
        let was = residue_key(name, record);
        let is = self.route.follow(name).filter(|after| after != name);
        let is = is.map(|after| residue_key(&after, if record == name { &after } else { record }));
        std::iter::once(was).chain(is).collect()
    }

    /// The storage keys of what came of a record and its family, with those of their residues.
    pub(super) fn relatives(&self, name: &str, record: &str) -> Vec<String> {
        let keys = self.families.get(&residue_key(name, record)).into_iter().flat_map(|keys| keys.iter());
        keys.flat_map(|key| {
            let residue = self.arrived(key).map(|(collection, record)| residue_key(collection, record));
            std::iter::once(key.clone()).chain(residue)
        })
        .collect()
    }

    /// The collection and the key of a record that the run has written under a storage key of its own.
    fn arrived<'k>(&'k self, key: &'k str) -> Option<(&'k str, &'k str)> {
        let (name, collection) = self.route.after().iter().find(|(_, collection)| collection.layout.owns(key))?;
        match &collection.layout {
            Layout::Record { .. } => Some((name, name)),
            Layout::Prefix { prefix } => Some((name, &key[prefix.len()..])),
            Layout::Array { .. } | Layout::Map { .. } => None,
        }
    }

    fn relative(&self, key: &str, group: &LiteMap<String, String>) -> Result<Record<'static>> {
        let value = Value::parse(group.get(key).ok_or_else(misshapen)?)?;
        if key.starts_with(ASIDE) {
            return read_aside(key, &value);
        }
        let (collection, record) = self.arrived(key).ok_or_else(misshapen)?;
        read_record(collection, record, value, group)
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
        let mut collections = self.route.before().iter();
        let owner = collections.find(|(_, collection)| collection.layout.owns(key));
        let (Some((name, _)), true) = (owner, self.moved.contains(key)) else { return Ok(text) };
        let Some(layout) = self.layout_after(name) else { return Ok(text) };
        let old = match (Value::parse_inside(&text, 1)?.opened()?, layout) {
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

    fn layout_after(&self, name: &str) -> Option<&Layout> {
        let collection = self.route.after().get(&self.route.follow(name)?)?;
        Some(&collection.layout)
    }

    /// A record as it was; `name` and `record` say which.
    fn record(
        &self,
        name: &str,
        record: &str,
        value: Value<'_>,
        residues: &LiteMap<String, String>,
    ) -> Result<Value<'static>> {
        let relatives = self.families.get(&residue_key(name, record)).map(|keys| &**keys).unwrap_or_default();
        // One that a way back has restored already says nothing of the others any more.
        if relatives.iter().any(|key| !self.moved.contains(key)) {
            return Err(misshapen());
        }
        let mut family = relatives.iter().map(|key| self.relative(key, residues)).collect::<Result<Family<'_>>>()?;
        if let Some(collection) = self.route.follow(name) {
            let key = if record == name { &collection } else { record };
            if !family.iter().any(|relative| relative.is_in(&collection) && relative.key == key) {
                family.push(read_record(&collection, key, value, residues)?);
            }
        }
        let family = self.route.back().move_family(self.now, family)?;
        let found = family.into_iter().find(|found| found.is_in(name) && found.key == record);
        found.map(|found| found.value).ok_or_else(misshapen)
    }

    /// The collection and the record's key of a storage key that holds one record in both versions.
    fn owner<'k>(&'k self, key: &'k str) -> Option<(&'k str, &'k str)> {
        let mut collections = self.route.before().iter();
        let (name, collection) = collections.find(|(_, collection)| collection.layout.owns(key))?;
        match &collection.layout {
            Layout::Record { .. } => Some((name, name)),
            Layout::Prefix { prefix } => Some((name, &key[prefix.len()..])),
            Layout::Array { .. } | Layout::Map { .. } => None,
        }
    }
}

fn read_record(
    collection: &str,
    key: &str,
    value: Value<'_>,
    residues: &LiteMap<String, String>,
) -> Result<Record<'static>> {
    let text = residues.get(&residue_key(collection, key)).map_or("{}", String::as_str);
    Ok(Record {
        residues: Residues::from_value(&Value::parse_inside(text, RESIDUE_LEVELS)?.into_owned()?)?,
        key: Cow::Owned(key.to_owned()),
        value: value.into_owned()?,
        collection: Cow::Owned(collection.to_owned()),
        is_aside: false,
    })
}

/// A value that the run has written in another shape under the same key cannot be read slice by slice.
pub(super) fn misshapen() -> Error {
    let message = "expected the old form to follow from what the store holds, found a key in another shape; restore an older snapshot";
    Error::new(ErrorKind::Snapshot, message)
}
