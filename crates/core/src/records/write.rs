//! The new records: computed from the source chunk by chunk, written with a marker each, read back and compared.

use std::cell::Cell;
use std::collections::HashSet;

use futures_lite::future::zip;
use litemap::LiteMap;

use super::Records;
use super::assemble::Assembly;
use super::keys::{RESIDUE, covers, marker_prefix, residue_key};
use super::line::{self, aside_entry};
use super::snapshot::{CHUNK, Manifest};
use super::source::{Moved, Present, go_together};
use super::store::{Entries, Host, Shape, Store, Vault};
use crate::chain::{Collections, Family, Layout, Route, residue_prefix};
use crate::document::{Quoted, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::protocol::{Merge, Run, Source, Stage};

/// What is written for one chunk of the source.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) entries: Entries,
    /// How many records the chunk holds, written or not.
    records: u64,
    families: Vec<Relation>,
}

impl Batch {
    /// What is set in one call; nothing where no record changes.
    pub(super) fn with_marker(self, run: &Run, index: usize) -> Entries {
        let Self { mut entries, families, .. } = self;
        if !entries.is_empty() {
            entries.push(marker(run, &index.to_string(), entries.iter().map(|(key, _)| &**key), &families));
        }
        entries
    }
}

/// A family of several records: what they are known by where they come from, and the storage keys of what came of them.
pub(super) struct Relation {
    were: Vec<String>,
    are: Vec<String>,
}

/// Makes entries of records that have arrived.
struct Writer<'w> {
    run: &'w Run,
    route: &'w Route<'w>,
    present: &'w Present,
    /// The collections whose records come from an array.
    ordered: HashSet<String>,
}

impl Writer<'_> {
    fn family(&self, family: Family<'_>, batch: &mut Batch) -> Result<()> {
        batch.records += family.iter().filter(|record| !record.is_aside).count() as u64;
        let were: Vec<_> = family.iter().map(|record| residue_key(&record.collection, &record.key)).collect();
        let start = batch.entries.len();
        for moved in go_together(self.run, self.route, family)? {
            self.record(moved, &mut batch.entries);
        }
        let keys = batch.entries[start..].iter().map(|(key, _)| key).filter(|key| !key.starts_with(RESIDUE));
        let are: Vec<_> = keys.cloned().collect();
        if were.len().max(are.len()) > 1 {
            batch.families.push(Relation { were, are });
        }
        Ok(())
    }

    fn record(&self, Moved { record, stays }: Moved<'_>, entries: &mut Entries) {
        let Self { run, route, present, ordered } = self;
        if stays || present.wins(&record.collection, &record.key) {
            return;
        }
        if record.is_aside {
            entries.push(aside_entry(&record));
            return;
        }
        let Some(collection) = route.after().get(&*record.collection) else { return };
        let storage_key = match &collection.layout {
            Layout::Record { key } => Some(key.clone()),
            Layout::Prefix { prefix } => Some(format!("{prefix}{}", record.key)),
            Layout::Array { .. } | Layout::Map { .. } => None,
        };
        // Where the order is being made, it is the residue that has it until the array is there.
        let had_order = run.source != Source::Chain || ordered.contains(&*record.collection);
        let places_itself = is_array(&collection.layout) && had_order;
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
}

/// The batches of a run, handed out in order.
struct Batches<'b, 'c, S, V, H> {
    records: &'b Records<'c, S, V, H>,
    run: &'b Run,
    route: &'b Route<'b>,
    source: &'b Manifest,
    present: &'b Present,
    next: Cell<usize>,
    done: Cell<u64>,
    bytes: Cell<u64>,
}

impl<S: Store, V: Vault, H: Host> Batches<'_, '_, S, V, H> {
    /// Does something with each batch, with two of them under way: one is computed while the other is on its way to or
    /// from the store. Nothing is under way any more when it returns, also where one of them failed.
    async fn each(&self, stage: Stage, act: impl AsyncFn(usize, &str, Batch) -> Result<()>) -> Result<()> {
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

    async fn lane(&self, stage: Stage, act: &impl AsyncFn(usize, &str, Batch) -> Result<()>) -> Result<()> {
        while self.next.get() < self.source.chunks.len() {
            let index = self.next.replace(self.next.get() + 1);
            let chunk = self.source.chunk(&self.records.vault, index).await?;
            let batch = self.records.batch(self.run, self.route, &chunk, self.present)?;
            let records = batch.records;
            self.bytes.set(self.bytes.get() + chunk.len() as u64);
            act(index, &chunk, batch).await?;
            self.done.set(self.done.get() + records);
            let of = self.source.records.values().sum();
            self.records.report(self.run, stage, self.done.get(), of, self.bytes.get());
        }
        Ok(())
    }
}

impl<S: Store, V: Vault, H: Host> Records<'_, S, V, H> {
    /// What a chunk of the source writes, where its records have storage keys of their own.
    pub(super) fn batch(&self, run: &Run, route: &Route<'_>, chunk: &str, present: &Present) -> Result<Batch> {
        let arrays = route.before().iter().filter(|(_, before)| is_array(&before.layout));
        let ordered = arrays.filter_map(|(name, _)| route.follow(name)).collect();
        let writer = Writer { run, route, present, ordered };
        let mut batch = Batch::default();
        if run.source == Source::Chain && route.rehomes() {
            for family in line::families(chunk, route)? {
                writer.family(family, &mut batch)?;
            }
        } else {
            for record in self.moved(run, route, chunk)? {
                batch.records += 1;
                writer.record(record, &mut batch.entries);
            }
        }
        Ok(batch)
    }

    pub(super) async fn apply_records(&self, run: &Run, route: &Route<'_>) -> Result<()> {
        let source = self.source(run, route).await?;
        let present = self.present(run, route).await?;
        let by_chunk = run.source == Source::Chain && !route.gathers();
        if let Some(seal) = run.seal.as_ref().filter(|_| !by_chunk) {
            self.spare_saved(run, seal, &|key| covers(&run.uses, key), Stage::Apply).await?;
        }
        let write = async |index: usize, chunk: &str, batch: Batch| {
            if by_chunk && !present.is_written(index) {
                self.spare_batch(run, chunk, &batch.entries).await?;
            }
            self.write(run, index, batch, &present).await
        };
        self.batches(run, route, &source, &present).each(Stage::Apply, write).await?;
        let mut built = self.assemblies(run, route, &source, &present).await?;
        built.retain(|(key, _)| !present.written.contains(key));
        if let Some(seal) = run.seal.as_ref().filter(|_| by_chunk && !built.is_empty()) {
            self.spare_saved(run, seal, &|key| built.iter().any(|(built, _)| built == key), Stage::Apply).await?;
        }
        for (key, value) in built {
            if !covers(&run.leaves, &key) {
                self.set_aside(run, self.store.get(std::slice::from_ref(&key)).await?).await?;
            }
            self.check_fence(run).await?;
            let (mark, keys) = marker(run, &key, [&*key], &[]);
            let keys = self.store.write(&keys)?;
            self.store.set(vec![(key, value), (mark, keys)]).await?;
        }
        Ok(())
    }

    fn batches<'b>(
        &'b self,
        run: &'b Run,
        route: &'b Route<'b>,
        source: &'b Manifest,
        present: &'b Present,
    ) -> Batches<'b, 'b, S, V, H> {
        Batches {
            records: self,
            run,
            route,
            source,
            present,
            next: Cell::new(0),
            done: Cell::new(0),
            bytes: Cell::new(0),
        }
    }

    /// Writes a batch together with its marker, unless that was done before.
    async fn write(&self, run: &Run, index: usize, batch: Batch, present: &Present) -> Result<()> {
        let entries = batch.with_marker(run, index);
        if entries.is_empty() || present.is_written(index) {
            return Ok(());
        }
        self.check_fence(run).await?;
        self.set(&entries).await
    }

    /// The collections that live under one key in the new version, built whole.
    pub(super) async fn assemblies(
        &self,
        run: &Run,
        route: &Route<'_>,
        source: &Manifest,
        present: &Present,
    ) -> Result<Vec<(String, S::Value)>> {
        let mut built = Vec::new();
        for (name, collection) in route.after() {
            let aggregated = matches!(collection.layout, Layout::Array { .. } | Layout::Map { .. });
            let touched = match &run.source {
                Source::Chain => route.changes(name),
                Source::Staged { merge, .. } => *merge == Merge::Replace || source.records.contains_key(name),
                Source::Snapshot { .. } => false,
            };
            if aggregated && touched {
                let assembly = Assembly { records: self, run, route, name, collection, present };
                let (key, value) = assembly.build(source).await?;
                if !(was_empty(run, route, source, &collection.layout) && is_empty(self.store.shape(&value))) {
                    built.push((key, value));
                }
            }
        }
        Ok(built)
    }

    pub(super) async fn validate_records(&self, run: &Run, route: &Route<'_>) -> Result<()> {
        let source = self.source(run, route).await?;
        let present = self.present(run, route).await?;
        self.counted.set(Some(self.count(|key| covers(&run.uses, key)).await?));
        let confirm = async |_, _: &str, batch: Batch| self.confirm(run, &batch.entries, route.after()).await;
        self.batches(run, route, &source, &present).each(Stage::Validate, confirm).await?;
        let mut aside = Vec::new();
        for (key, expected) in self.assemblies(run, route, &source, &present).await? {
            match self.compare_whole(&key, &expected, route.after()).await {
                Err(error) if error.kind() == ErrorKind::Validation => {
                    aside.extend(self.set_aside(run, self.store.get(std::slice::from_ref(&key)).await?).await?);
                    self.check_fence(run).await?;
                    self.store.set(vec![(key, expected)]).await?;
                }
                compared => compared?,
            }
        }
        if !aside.is_empty() {
            for (key, expected) in self.assemblies(run, route, &source, &present).await? {
                let compared = self.compare_whole(&key, &expected, route.after()).await;
                if is_damage(&compared) {
                    self.note_damage(aside).await?;
                    return compared;
                }
                compared?;
            }
        }
        Ok(())
    }

    /// Reads back what was written. What another writer has put in its place is set aside, and ours written once more:
    /// if it differs then, too, it is the store that damages it.
    async fn confirm(&self, run: &Run, entries: &Entries, collections: &Collections) -> Result<()> {
        match self.compare(entries, collections).await {
            Err(error) if error.kind() == ErrorKind::Validation => {
                let aside = self.spare_batch(run, "", entries).await?;
                self.check_fence(run).await?;
                self.set(entries).await?;
                let compared = self.compare(entries, collections).await;
                if is_damage(&compared) {
                    self.note_damage(aside).await?;
                }
                compared
            }
            compared => compared,
        }
    }

    /// Reads back what was written and compares.
    pub(super) async fn compare(&self, entries: &[(String, String)], collections: &Collections) -> Result<()> {
        let keys: Vec<_> = entries.iter().map(|(key, _)| key.clone()).collect();
        if keys.is_empty() {
            return Ok(());
        }
        let found: LiteMap<_, _> = self.store.get(&keys).await?.into_iter().collect();
        for (key, expected) in entries {
            let Some(value) = found.get(key) else { return Err(self.differs(key, "nothing", collections)) };
            let text = self.store.read(value)?;
            if !says_the_same(&text, expected)? {
                return Err(self.differs(key, "another value", collections));
            }
        }
        Ok(())
    }

    /// As [`Self::compare`], for a value that is too large to be held as text.
    pub(super) async fn compare_whole(&self, key: &str, expected: &S::Value, collections: &Collections) -> Result<()> {
        let differs = |found| self.differs(key, found, collections);
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
    fn differs(&self, key: &str, found: &str, collections: &Collections) -> Error {
        let message = format!("expected to read back what was written under the key {}, found {found}", Quoted(key));
        let error = Error::new(ErrorKind::Validation, message);
        let owner = collections.iter().find(|(_, collection)| collection.layout.owns(key));
        match owner {
            Some((name, collection)) => match &collection.layout {
                Layout::Prefix { prefix } => error.in_collection(name).in_record(&key[prefix.len()..]),
                Layout::Record { .. } | Layout::Array { .. } | Layout::Map { .. } => error.in_collection(name),
            },
            None => error,
        }
    }

    /// The storage keys of everything that a run brings to its version, those of residues among them.
    pub(super) async fn keys_written(&self, run: &Run, route: &Route<'_>) -> Result<HashSet<String>> {
        let manifest = self.source(run, route).await?;
        let aggregated = route
            .after()
            .values()
            .filter(|collection| matches!(collection.layout, Layout::Array { .. } | Layout::Map { .. }));
        let mut keys: HashSet<_> = aggregated.map(|collection| collection.layout.reach().0.to_owned()).collect();
        let present = Present::default();
        for index in 0..manifest.chunks.len() {
            let chunk = manifest.chunk(&self.vault, index).await?;
            keys.extend(self.batch(run, route, &chunk, &present)?.entries.into_iter().map(|(key, _)| key));
        }
        Ok(keys)
    }

    /// The same by the markers alone, where what was brought in is gone from the vault; `None` where they do not stand for
    /// as many records as the head tells of.
    pub(super) async fn keys_marked(&self, run: &Run, route: &Route<'_>) -> Result<Option<HashSet<String>>> {
        let marked = self.marked_keys(&HashSet::new()).await?;
        let mut keys: HashSet<_> =
            self.store.keys().await?.into_iter().filter(|key| key.starts_with(RESIDUE)).collect();
        for (name, collection) in route.after() {
            let layout = &collection.layout;
            if matches!(layout, Layout::Array { .. } | Layout::Map { .. }) {
                keys.insert(layout.reach().0.to_owned());
                continue;
            }
            let own: HashSet<_> =
                marked.iter().filter(|key| layout.owns(key)).map(|key| owned(name, layout, key)).collect();
            if own.len() as u64 != run.records.get(name).copied().unwrap_or_default() {
                return Ok(None);
            }
            // Of the records that go the residues go too.
            keys.retain(|key| key.strip_prefix(&*residue_prefix(name)).is_none_or(|record| own.contains(record)));
        }
        keys.extend(marked);
        Ok(Some(keys))
    }
}

/// The record's key of a storage key that a layout gives to one record.
fn owned<'k>(name: &'k str, layout: &Layout, key: &'k str) -> &'k str {
    match layout {
        Layout::Prefix { prefix } => &key[prefix.len()..],
        Layout::Record { .. } | Layout::Array { .. } | Layout::Map { .. } => name,
    }
}

/// Whether a collection has no records where it comes from and stays in its place. Then its key is there or not as before:
/// which of them it was could not be told without the snapshot.
fn was_empty(run: &Run, route: &Route<'_>, source: &Manifest, layout: &Layout) -> bool {
    let mut in_place = route.before().iter().filter(|(_, before)| before.layout == *layout);
    run.source == Source::Chain && in_place.any(|(name, _)| !source.records.contains_key(name))
}

fn is_empty(shape: Shape) -> bool {
    matches!(shape, Shape::Array(0) | Shape::Object(0))
}

fn is_array(layout: &Layout) -> bool {
    matches!(layout, Layout::Array { .. })
}

/// The marker of a batch: which keys it writes; and then, two lists each, which records they came of together.
pub(super) fn marker<'k>(
    run: &Run,
    batch: &str,
    keys: impl IntoIterator<Item = &'k str>,
    families: &[Relation],
) -> (String, String) {
    let keys = keys.into_iter().filter(|key| !key.starts_with(RESIDUE)).map(Value::from);
    let list = |texts: &[String]| Value::Array(texts.iter().map(|text| Value::from(&**text)).collect());
    let families = families.iter().map(|family| Value::Array(vec![list(&family.were), list(&family.are)]));
    (marker_prefix(run) + batch, Value::Array(keys.chain(families).collect()).to_json())
}

/// Whether what was written is not what is there.
fn is_damage(compared: &Result<()>) -> bool {
    compared.as_ref().is_err_and(|error| error.kind() == ErrorKind::Validation)
}

/// Whether two texts say the same. They are equal unless the store has put members into another order.
pub(super) fn says_the_same(one: &str, other: &str) -> Result<bool> {
    let whole = |text| {
        let mut value = Value::trusted(text, 1)?;
        value.open_whole()?;
        Ok(value)
    };
    Ok(one == other || whole(one)? == whole(other)?)
}
