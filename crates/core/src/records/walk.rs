//! A walk over everything that a store holds, a chunk of lines at a time.

use std::collections::HashSet;

use litemap::LiteMap;

use super::keys::{CONTROL, MARKER, RESIDUE, STRAY, residue_key};
use super::line::{write_slice, write_whole};
use super::rewind::{Rewind, misshapen};
use super::snapshot::CHUNK;
use super::store::{Shape, Store};
use crate::chain::{Collections, Layout};
use crate::document::{Quoted, Value};
use crate::error::{Error, ErrorKind, Result};

/// Values are fetched in groups of this many: more gain nothing (measured), fewer cost calls.
const GROUP: usize = 50;

/// The keys of a store, sorted by what they are for.
pub(super) struct Walk<'w, S: Store> {
    store: &'w S,
    collections: &'w Collections,
    residues: HashSet<String>,
    /// Arrays and maps that are read in slices.
    sliced: Vec<String>,
    /// Everything else but Exuvia's own.
    whole: Vec<String>,
    open: Option<Open<S::Value>>,
    rewind: Option<Rewind<'w>>,
    chunk: usize,
}

/// An array or map that is being read.
struct Open<V> {
    key: String,
    value: V,
    start: usize,
    length: usize,
    is_array: bool,
}

impl<'w, S: Store> Walk<'w, S> {
    pub(super) fn new(store: &'w S, collections: &'w Collections, keys: Vec<String>) -> Self {
        let aggregated = |key: &String| {
            let mut layouts = collections.values().map(|collection| &collection.layout);
            layouts.any(|layout| layout.owns(key) && matches!(layout, Layout::Array { .. } | Layout::Map { .. }))
        };
        let keys = keys.into_iter().filter(|key| key != CONTROL && !key.starts_with(MARKER) && !key.starts_with(STRAY));
        let (residues, mut data): (Vec<_>, Vec<_>) = keys.partition(|key| key.starts_with(RESIDUE));
        // The last is taken first.
        data.sort_unstable_by(|a, b| b.cmp(a));
        let (sliced, whole) = data.into_iter().partition(aggregated);
        let residues = residues.into_iter().collect();
        Self { store, collections, residues, sliced, whole, open: None, rewind: None, chunk: CHUNK }
    }

    /// A walk over what the store held before a run began to write.
    pub(super) fn rewinding(store: &'w S, rewind: Rewind<'w>, mut keys: Vec<String>) -> Self {
        keys.retain(|key| rewind.knows(key));
        let walk = Self::new(store, rewind.route.before(), keys);
        Self { rewind: Some(rewind), ..walk }
    }

    /// The same walk over more keys, whose values stay whole.
    pub(super) fn and(mut self, keys: Vec<String>) -> Self {
        self.whole.extend(keys);
        self
    }

    /// The same walk in chunks of about so many bytes.
    pub(super) fn in_chunks(self, bytes: usize) -> Self {
        Self { chunk: bytes, ..self }
    }

    /// How many values are fetched together: fewer where chunks are small.
    fn at_once(&self) -> usize {
        (self.chunk / (CHUNK / GROUP)).clamp(1, GROUP)
    }

    /// The next chunk, of about as many bytes as asked for; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<String>> {
        let mut chunk = String::new();
        while chunk.len() < self.chunk {
            if let Some(open) = self.open.take() {
                self.slice(open, &mut chunk).await?;
            } else if let Some(key) = self.sliced.pop() {
                self.open(key, &mut chunk).await?;
            } else if !self.whole.is_empty() {
                let group = self.whole.split_off(self.whole.len().saturating_sub(self.at_once()));
                self.group(group, &mut chunk).await?;
            } else if !self.residues.is_empty() {
                // What is left belongs to no record that is there. In order, so that the same store gives the same chunks.
                self.whole = self.residues.drain().collect();
                self.whole.sort_unstable_by(|a, b| b.cmp(a));
            } else {
                break;
            }
        }
        Ok((!chunk.is_empty()).then_some(chunk))
    }

    async fn open(&mut self, key: String, chunk: &mut String) -> Result<()> {
        let layout = self.layout_of(&key);
        let wants_array = matches!(layout, Some(Layout::Array { .. }));
        for (key, value) in self.fetch(std::slice::from_ref(&key)).await? {
            match self.store.shape(&value) {
                Shape::Array(length) if wants_array => {
                    self.open = Some(Open { key, value, start: 0, length, is_array: true });
                }
                Shape::Object(length) if !wants_array => {
                    self.open = Some(Open { key, value, start: 0, length, is_array: false });
                }
                Shape::Array(_) | Shape::Object(_)
                    if self.rewind.as_ref().is_some_and(|rewind| rewind.moved.contains(&key)) =>
                {
                    return Err(misshapen());
                }
                // Of another shape than declared: saved as it is, and refused by the rehearsal.
                Shape::Array(_) | Shape::Object(_) | Shape::Scalar => {
                    write_whole(&key, &self.store.read(&value)?, chunk);
                }
            }
        }
        Ok(())
    }

    async fn slice(&mut self, mut open: Open<S::Value>, chunk: &mut String) -> Result<()> {
        let (text, count) = match open.length {
            0 => (if open.is_array { "[]" } else { "{}" }.to_owned(), 0),
            _ => self.store.slice(&open.value, open.start, self.chunk)?,
        };
        let members = self.members_of_slice(&open.key, &text)?;
        let residues =
            self.take_residues(members.iter().flat_map(|(name, key)| self.residue_keys(name, key)).collect());
        let residues = self.read_texts(&residues).await?;
        let is_new = |key: &str| self.rewind.as_ref().is_some_and(|rewind| rewind.is_new(key));
        let known = residues.iter().filter(|(key, _)| !is_new(key));
        known.for_each(|(key, residue)| write_whole(key, residue, chunk));
        let text = match &self.rewind {
            Some(rewind) => {
                let relatives = members.iter().flat_map(|(name, key)| rewind.relatives(name, key)).collect::<Vec<_>>();
                let mut known = self.read_there(&relatives).await?;
                known.extend(residues);
                rewind.slice(&open.key, text, &known)?
            }
            None => text,
        };
        write_slice(&open.key, open.start, open.is_array, &text, chunk);
        open.start += count;
        if open.start < open.length {
            self.open = Some(open);
        }
        Ok(())
    }

    /// The collection and the key of each record in a slice, where anything of them is to be looked for.
    fn members_of_slice(&self, key: &str, text: &str) -> Result<Vec<(&'w str, String)>> {
        let Some((name, layout)) = self.owner_of(key) else { return Ok(Vec::new()) };
        if self.residues.is_empty() && self.rewind.is_none() {
            return Ok(Vec::new());
        }
        Ok(match (Value::parse_inside(text, 1)?.opened()?, layout) {
            (Value::Array(items), Layout::Array { id, .. }) => {
                let key = |mut item: Value<'_>| {
                    id.get(&mut item)
                        .ok()
                        .flatten()
                        .and_then(|key| key.text().ok().flatten().map(std::borrow::Cow::into_owned))
                };
                items.into_iter().filter_map(|item| Some((name, key(item)?))).collect()
            }
            (Value::Object(members), _) => members.iter().map(|(key, _)| (name, key.to_owned())).collect(),
            _ => Vec::new(),
        })
    }

    /// Those residues of the store that are asked for; none is taken twice.
    fn take_residues(&mut self, wanted: Vec<String>) -> Vec<String> {
        wanted.into_iter().filter_map(|key| self.residues.take(&key)).collect()
    }

    async fn group(&mut self, group: Vec<String>, chunk: &mut String) -> Result<()> {
        let mut keys = group;
        let relatives: Vec<_> = keys.iter().flat_map(|key| self.relatives_of(key)).collect();
        if self.residues.is_empty() {
            return self.read_whole(&keys, &relatives, chunk).await;
        }
        let residues: Vec<_> = keys.iter().flat_map(|key| self.residues_of(key)).collect();
        keys.extend(self.take_residues(residues));
        self.read_whole(&keys, &relatives, chunk).await
    }

    /// Writes the values of keys. `relatives` are those that only say what these were.
    async fn read_whole(&self, keys: &[String], relatives: &[String], chunk: &mut String) -> Result<()> {
        let mut found = self.read_texts(keys).await?;
        let own: Vec<_> = found.keys().cloned().collect();
        found.extend(self.read_there(relatives).await?);
        for (key, text) in own.iter().filter_map(|key| Some((key, found.get(key)?))) {
            match &self.rewind {
                Some(rewind) if rewind.is_new(key) => {}
                Some(rewind) => write_whole(key, &rewind.text(key, &found)?, chunk),
                None => write_whole(key, text, chunk),
            }
        }
        Ok(())
    }

    async fn read_texts(&self, keys: &[String]) -> Result<LiteMap<String, String>> {
        if keys.is_empty() {
            return Ok(LiteMap::new());
        }
        let read = |(key, value): (String, S::Value)| Ok((key, self.store.read(&value)?));
        self.fetch(keys).await?.into_iter().map(read).collect()
    }

    /// The texts of those keys that are there.
    async fn read_there(&self, keys: &[String]) -> Result<LiteMap<String, String>> {
        if keys.is_empty() {
            return Ok(LiteMap::new());
        }
        let read = |(key, value): (String, S::Value)| Ok((key, self.store.read(&value)?));
        self.store.get(keys).await?.into_iter().map(read).collect()
    }

    /// One corrupt value fails a whole read. Each by itself is read or, where it cannot be, named: a run that left it
    /// unsaved would not be able to go back.
    async fn fetch_each(&self, keys: &[String]) -> Result<Vec<(String, S::Value)>> {
        let (mut found, mut failed) = (Vec::new(), Vec::new());
        for key in keys {
            match self.store.get(std::slice::from_ref(key)).await {
                Ok(values) => found.extend(values),
                Err(error) if error.kind() == ErrorKind::Store => failed.push((key, error)),
                Err(error) => return Err(error),
            }
        }
        let Some((_, error)) = failed.first() else { return Ok(found) };
        let names = failed.iter().map(|(key, _)| Quoted(key).to_string()).collect::<Vec<_>>().join(", ");
        let message = format!(
            "expected to read every stored value, found that {names} cannot be read ({}); nothing was moved, and no key is touched until it can be read or is removed",
            error.message()
        );
        Err(Error::new(ErrorKind::Store, message))
    }

    /// The values of keys that were listed: one that is not there would be missing from the snapshot.
    async fn fetch(&self, keys: &[String]) -> Result<Vec<(String, S::Value)>> {
        let found = match self.store.get(keys).await {
            Err(error) if error.kind() == ErrorKind::Store => self.fetch_each(keys).await?,
            found => found?,
        };
        let is_there = |key: &&String| found.iter().any(|(name, _)| name == *key);
        match keys.iter().find(|key| !is_there(key)) {
            None => Ok(found),
            Some(missing) => {
                let message = format!(
                    "expected a value under the key {}, which the store lists, found none; what is not saved is not moved",
                    Quoted(missing)
                );
                Err(Error::new(ErrorKind::Store, message))
            }
        }
    }

    fn residues_of(&self, key: &str) -> Vec<String> {
        match self.owner_of(key) {
            Some((name, Layout::Record { .. })) => self.residue_keys(name, name),
            Some((name, Layout::Prefix { prefix })) => self.residue_keys(name, &key[prefix.len()..]),
            Some((_, Layout::Array { .. } | Layout::Map { .. })) | None => Vec::new(),
        }
    }

    fn relatives_of(&self, key: &str) -> Vec<String> {
        let Some(rewind) = &self.rewind else { return Vec::new() };
        match self.owner_of(key) {
            Some((name, Layout::Record { .. })) => rewind.relatives(name, name),
            Some((name, Layout::Prefix { prefix })) => rewind.relatives(name, &key[prefix.len()..]),
            _ => Vec::new(),
        }
    }

    fn residue_keys(&self, name: &str, record: &str) -> Vec<String> {
        match &self.rewind {
            Some(rewind) => rewind.residue_keys(name, record),
            None => vec![residue_key(name, record)],
        }
    }

    fn layout_of(&self, key: &str) -> Option<&'w Layout> {
        self.owner_of(key).map(|(_, layout)| layout)
    }

    fn owner_of(&self, key: &str) -> Option<(&'w str, &'w Layout)> {
        self.collections
            .iter()
            .find(|(_, collection)| collection.layout.owns(key))
            .map(|(name, collection)| (&**name, &collection.layout))
    }
}

/// Counts records by collection.
#[derive(Default)]
pub(super) struct Census(pub(super) LiteMap<String, u64>);

impl Census {
    pub(super) fn count(&mut self, collection: &str) {
        match self.0.get_mut(collection) {
            Some(count) => *count += 1,
            None => drop(self.0.insert(collection.to_owned(), 1)),
        }
    }

    pub(super) fn total(&self) -> u64 {
        self.0.values().sum()
    }
}
