//! The new records: computed from the source chunk by chunk, written with a marker each, read back and compared.

use std::cell::Cell;
use std::collections::HashSet;

use futures_lite::future::zip;
use litemap::LiteMap;

use super::Records;
use super::assemble::Assembly;
use super::line::{RESIDUE, residue_key};
use super::snapshot::{CHUNK, Manifest};
use super::source::{Moved, Present};
use super::store::{Host, Shape, Store, Vault};
use super::walk::MARKER;
use crate::chain::{Layout, Version};
use crate::document::Value;
use crate::error::{Error, ErrorKind, Result};
use crate::protocol::{Merge, Run, Seal, Source, Stage};

/// Storage keys and their JSON texts.
pub(super) type Entries = Vec<(String, String)>;

/// What is written for one chunk of the source.
pub(super) struct Batch {
    pub(super) entries: Entries,
    /// How many records the chunk holds, written or not.
    records: u64,
}

/// The batches of a run, handed out in order.
struct Batches<'b, 'c, S, V, H> {
    records: &'b Records<'c, S, V, H>,
    run: &'b Run,
    source: &'b Manifest,
    present: &'b Present,
    next: Cell<usize>,
    done: Cell<u64>,
    bytes: Cell<u64>,
}

impl<S: Store, V: Vault, H: Host> Batches<'_, '_, S, V, H> {
    /// Does something with each batch, with two of them under way: one is computed while the other is on its way to or
    /// from the store. Nothing is under way any more when it returns, also where one of them failed.
    async fn each(&self, stage: Stage, act: impl AsyncFn(usize, Entries) -> Result<()>) -> Result<()> {
        let lane = async || {
            let gone = self.lane(stage, &act).await;
            if gone.is_err() {
                self.next.set(self.source.chunks.len());
            }
            gone
        };
        let (one, other) = zip(lane(), lane()).await;
        one.and(other)
    }

    async fn lane(&self, stage: Stage, act: &impl AsyncFn(usize, Entries) -> Result<()>) -> Result<()> {
        while self.next.get() < self.source.chunks.len() {
            let index = self.next.replace(self.next.get() + 1);
            let chunk = self.source.chunk(&self.records.vault, index).await?;
            let Batch { entries, records } = self.records.batch(self.run, &chunk, self.present)?;
            self.bytes.set(self.bytes.get() + chunk.len() as u64);
            drop(chunk);
            act(index, entries).await?;
            self.done.set(self.done.get() + records);
            let of = self.source.records.values().sum();
            self.records.report(self.run, stage, self.done.get(), of, self.bytes.get());
        }
        Ok(())
    }
}

impl<S: Store, V: Vault, H: Host> Records<'_, S, V, H> {
    /// What a chunk of the source writes, where its records have storage keys of their own.
    pub(super) fn batch(&self, run: &Run, chunk: &str, present: &Present) -> Result<Batch> {
        let to = self.target_version(run);
        let collections = self.chain.collections(to);
        let mut entries = Vec::new();
        let moved = self.moved(run, chunk)?;
        let records = moved.len() as u64;
        for Moved { record, stays } in moved {
            if stays {
                continue;
            }
            if present.wins(&record.collection, &record.key) {
                continue;
            }
            let Some(collection) = collections.get(&*record.collection) else { continue };
            let storage_key = match &collection.layout {
                Layout::Record { key } => Some(key.clone()),
                Layout::Prefix { prefix } => Some(format!("{prefix}{}", record.key)),
                Layout::Array { .. } | Layout::Map { .. } => None,
            };
            let places_itself = matches!(collection.layout, Layout::Array { .. });
            if let Some(key) = storage_key {
                entries.push((key, record.value.to_json()));
            }
            let residue = residue_key(&record.collection, &record.key);
            let mut residues = record.residues;
            residues.place = residues.place.filter(|_| !places_itself);
            if !residues.is_empty() || present.residues.contains(&residue) {
                entries.push((residue, residues.to_value().to_json()));
            }
        }
        Ok(Batch { entries, records })
    }

    pub(super) async fn apply_records(&self, run: &Run) -> Result<()> {
        let source = self.source(run).await?;
        let present = self.present(run).await?;
        let write = async |index, entries| self.write(run, index, entries, &present).await;
        self.batches(run, &source, &present).each(Stage::Apply, write).await?;
        for (key, value) in self.assemblies(run, &source, &present).await? {
            self.check_fence(run).await?;
            let (mark, keys) = marker(run, &key, [&*key]);
            let keys = self.store.write(&keys)?;
            self.store.set(vec![(key, value), (mark, keys)]).await?;
        }
        Ok(())
    }

    fn batches<'b>(&'b self, run: &'b Run, source: &'b Manifest, present: &'b Present) -> Batches<'b, 'b, S, V, H> {
        Batches { records: self, run, source, present, next: Cell::new(0), done: Cell::new(0), bytes: Cell::new(0) }
    }

    /// Writes a batch together with its marker, unless that was done before.
    async fn write(&self, run: &Run, index: usize, mut entries: Entries, present: &Present) -> Result<()> {
        if entries.is_empty() || present.written.contains(&index.to_string()) {
            return Ok(());
        }
        self.check_fence(run).await?;
        entries.push(marker(run, &index.to_string(), entries.iter().map(|(key, _)| &**key)));
        self.set(&entries).await
    }

    /// The collections that live under one key in the new version, built whole.
    async fn assemblies(&self, run: &Run, source: &Manifest, present: &Present) -> Result<Vec<(String, S::Value)>> {
        let to = self.target_version(run);
        let mut built = Vec::new();
        for (name, collection) in self.chain.collections(to) {
            let aggregated = matches!(collection.layout, Layout::Array { .. } | Layout::Map { .. });
            let touched = match &run.source {
                Source::Chain => self.chain.changes(name, run.from, to),
                Source::Staged { merge, .. } => *merge == Merge::Replace || source.records.contains_key(name),
                Source::Snapshot { .. } => false,
            };
            if aggregated && touched {
                let assembly = Assembly { records: self, run, name, collection, present };
                built.push(assembly.build(source).await?);
            }
        }
        Ok(built)
    }

    pub(super) async fn validate_records(&self, run: &Run) -> Result<()> {
        let source = self.source(run).await?;
        let present = self.present(run).await?;
        let compare = async |_, entries: Entries| self.compare(&entries, self.target_version(run)).await;
        self.batches(run, &source, &present).each(Stage::Validate, compare).await?;
        for (key, expected) in self.assemblies(run, &source, &present).await? {
            self.compare_whole(&key, &expected, self.target_version(run)).await?;
        }
        Ok(())
    }

    /// Reads back what was written and compares.
    pub(super) async fn compare(&self, entries: &[(String, String)], version: Version) -> Result<()> {
        let keys: Vec<_> = entries.iter().map(|(key, _)| key.clone()).collect();
        if keys.is_empty() {
            return Ok(());
        }
        let found: LiteMap<_, _> = self.store.get(&keys).await?.into_iter().collect();
        for (key, expected) in entries {
            let Some(value) = found.get(key) else { return Err(self.differs(key, "nothing", version)) };
            let text = self.store.read(value)?;
            if text != *expected && Value::trusted(&text, 1)? != Value::trusted(expected, 1)? {
                return Err(self.differs(key, "another value", version));
            }
        }
        Ok(())
    }

    /// As [`Self::compare`], for a value that is too large to be held as text.
    pub(super) async fn compare_whole(&self, key: &str, expected: &S::Value, version: Version) -> Result<()> {
        let differs = |found| self.differs(key, found, version);
        let found = self.store.get(&[key.to_owned()]).await?;
        let Some((_, found)) = found.into_iter().next() else { return Err(differs("nothing")) };
        let shape = self.store.shape(expected);
        if self.store.shape(&found) != shape {
            return Err(differs("another shape"));
        }
        let (Shape::Array(length) | Shape::Object(length)) = shape else {
            return Err(differs("a value that is no array or object"));
        };
        let is_array = matches!(shape, Shape::Array(_));
        let mut start = 0;
        while start < length {
            let (text, count) = self.store.slice(expected, start, CHUNK)?;
            let (other, same) = self.store.slice(&found, start, CHUNK)?;
            let equal = text == other || count == same && Value::trusted(&text, 1)? == Value::trusted(&other, 1)?;
            if !equal {
                // Members of an object may come back in another order, in which slices do not meet.
                let same = !is_array && self.same_members(expected, &found)?;
                return if same { Ok(()) } else { Err(differs("other items")) };
            }
            start += count;
        }
        Ok(())
    }

    fn same_members(&self, expected: &S::Value, found: &S::Value) -> Result<bool> {
        let (expected, found) = (self.store.read(expected)?, self.store.read(found)?);
        Ok(Value::trusted(&expected, 1)? == Value::trusted(&found, 1)?)
    }

    /// What was read back is not what was written; says which record it is.
    fn differs(&self, key: &str, found: &str, version: Version) -> Error {
        let message = format!("expected to read back what was written under the key {key:?}, found {found}");
        let error = Error::new(ErrorKind::Validation, message);
        let owner = self.chain.collections(version).iter().find(|(_, collection)| collection.layout.owns(key));
        match owner {
            Some((name, collection)) => match &collection.layout {
                Layout::Prefix { prefix } => error.in_collection(name).in_record(&key[prefix.len()..]),
                Layout::Record { .. } | Layout::Array { .. } | Layout::Map { .. } => error.in_collection(name),
            },
            None => error,
        }
    }

    /// The keys that an import which replaces everything leaves.
    pub(super) async fn keys_of_staged(&self, run: &Run, seal: &Seal) -> Result<HashSet<String>> {
        let manifest = Manifest::load(&self.vault, seal).await?;
        let collections = self.chain.collections(self.target_version(run));
        let aggregated = collections
            .values()
            .filter(|collection| matches!(collection.layout, Layout::Array { .. } | Layout::Map { .. }));
        let mut keys: HashSet<_> = aggregated.map(|collection| collection.layout.reach().0.to_owned()).collect();
        let present = Present::default();
        for index in 0..manifest.chunks.len() {
            let chunk = manifest.chunk(&self.vault, index).await?;
            keys.extend(self.batch(run, &chunk, &present)?.entries.into_iter().map(|(key, _)| key));
        }
        Ok(keys)
    }
}

/// The marker of a batch: which keys it writes.
fn marker<'k>(run: &Run, batch: &str, keys: impl IntoIterator<Item = &'k str>) -> (String, String) {
    let seal = run.seal.as_ref().map(|seal| &*seal.id).unwrap_or_default();
    let keys = keys.into_iter().filter(|key| !key.starts_with(RESIDUE)).map(Value::from).collect();
    (format!("{MARKER}{seal}:{batch}"), Value::Array(keys).to_json())
}
