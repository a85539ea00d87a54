use std::collections::{BTreeMap, HashSet};

use super::assemble::Assembly;
use super::line::{self, Line, RESIDUE, Record, residue_key};
use super::snapshot::{Manifest, Purpose, SnapshotWriter};
use super::store::{Host, Shape, Store, Vault};
use super::walk::{CONTROL, Census, MARKER, Walk};
use crate::chain::{Chain, Layout, Residues, Version};
use crate::document::Value;
use crate::error::{Error, ErrorKind, Result};
use crate::protocol::{Cause, Found, Head, Merge, Phase, Progress, Reach, Run, Seal, Source, Stage, Target};

/// The head is padded to this many bytes, so that a full store still has room for the next one.
const HEAD_BYTES: usize = 16 << 10;

/// Records in a store of keys and values, with snapshots in a vault, moved along a chain.
pub struct Records<'c, S, V, H> {
    pub(super) chain: &'c Chain,
    pub(super) store: S,
    pub(super) vault: V,
    pub(super) host: H,
    /// How many snapshots are kept.
    pub(super) keep: usize,
}

/// What is written for one chunk: storage keys and their JSON texts.
pub(super) type Entries = Vec<(String, String)>;

impl<'c, S: Store, V: Vault, H: Host> Records<'c, S, V, H> {
    /// Binds a chain to where its data is. `keep` is how many snapshots stay; the newest always does.
    pub fn new(chain: &'c Chain, store: S, vault: V, host: H, keep: usize) -> Self {
        Self { chain, store, vault, host, keep: keep.max(1) }
    }

    /// The store.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// The snapshots that can be restored, the newest first.
    ///
    /// # Errors
    /// [`ErrorKind::Snapshot`] where the vault cannot be read.
    pub async fn snapshots(&self) -> Result<Vec<Manifest>> {
        let manifests = self.vault.manifests().await?;
        let mut snapshots: Vec<_> = manifests.iter().filter_map(|(_, text)| Manifest::parse(text)).collect();
        snapshots.retain(|manifest| manifest.purpose == Purpose::Snapshot);
        snapshots.sort_by(|a, b| b.created_at.cmp(&a.created_at).then_with(|| b.id.cmp(&a.id)));
        Ok(snapshots)
    }

    /// The seal of a snapshot, and the line of its data.
    ///
    /// # Errors
    /// [`ErrorKind::Snapshot`] where there is none by this name.
    pub async fn find_snapshot(&self, id: &str) -> Result<(Seal, Vec<crate::chain::Link>)> {
        let found = self.snapshots().await?.into_iter().find(|manifest| manifest.id == id);
        let manifest = found.ok_or_else(|| {
            Error::new(ErrorKind::Snapshot, "expected one of the snapshots that are listed, found none by this name")
        })?;
        Ok((manifest.seal()?, manifest.line))
    }

    async fn read_head(&self) -> Result<Option<Head>> {
        let found = self.store.get(&[CONTROL.to_owned()]).await?;
        let Some((_, value)) = found.into_iter().next() else { return Ok(None) };
        let text = self.store.read(&value)?;
        match serde_json::from_str::<Head>(&text) {
            Ok(head) if head.format == 1 => Ok(Some(head)),
            _ => Err(Error::new(
                ErrorKind::Newer,
                "expected a control key of format 1, found another; a newer Exuvia wrote it, or something that is not Exuvia",
            )),
        }
    }

    async fn check_fence(&self, run: &Run) -> Result<()> {
        let token = self.read_head().await?.and_then(|head| head.run).map(|run| run.token);
        match token.as_deref() == Some(&*run.token) {
            true => Ok(()),
            false => Err(Error::new(
                ErrorKind::Fenced,
                "expected to be the runner of this run, found another one; it finishes the run",
            )),
        }
    }

    /// Saves everything that the store holds.
    async fn save(&self, run: &Run, line: Vec<crate::chain::Link>) -> Result<Manifest> {
        let keys = self.store.keys().await?;
        let manifest = SnapshotWriter::<V>::new_manifest(&run.id, Purpose::Snapshot, run.cause, line, run.now);
        let mut writer = SnapshotWriter::create(&self.vault, manifest).await?;
        let mut walk = Walk::new(&self.store, self.chain, run.from, keys);
        let (mut census, mut bytes) = (Census::default(), 0);
        while let Some(chunk) = walk.next().await? {
            writer.append(&chunk).await?;
            bytes += chunk.len() as u64;
            // What cannot be read as records is saved all the same; the rehearsal says what is wrong with it.
            for record in line::records(&chunk, self.chain, run.from).unwrap_or_default() {
                census.count(&record.collection);
            }
            self.report(run, Stage::Snapshot, census.total(), 0, bytes);
        }
        writer.seal(census.0).await
    }

    fn report(&self, run: &Run, stage: Stage, done: u64, of: u64, bytes: u64) {
        self.host.progress(&run.id, Progress { stage, done, of, bytes });
    }

    /// Reads the snapshot back; every record goes up and must come down to what it was. Nothing is written.
    async fn rehearse(&self, run: &mut Run, manifest: &Manifest) -> Result<()> {
        let mut rehearsal = Rehearsal::new(self.chain, run);
        let of = manifest.records.values().sum();
        let (mut done, mut bytes) = (0, 0);
        for index in 0..manifest.chunks.len() {
            let chunk = manifest.chunk(&self.vault, index).await?;
            bytes += chunk.len() as u64;
            done += rehearsal.chunk(&chunk)?;
            self.report(run, Stage::Rehearse, done, of, bytes);
        }
        let growth = rehearsal.written;
        run.notes = rehearsal.finish();
        match self.store.room().await? {
            Some(room) if growth > room => {
                let message = format!(
                    "expected room for {growth} bytes beside the old data, found {room}; remove something, or ask for the permission unlimitedStorage"
                );
                Err(Error::new(ErrorKind::Quota, message))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn target_version(&self, run: &Run) -> Version {
        Version(run.to_line.len() as u32)
    }

    /// The snapshot that a run's records are read from.
    pub(super) async fn source(&self, run: &Run) -> Result<Manifest> {
        let seal = match (&run.source, &run.seal) {
            (Source::Chain, Some(seal)) | (Source::Staged { seal, .. } | Source::Snapshot { seal }, _) => seal,
            (Source::Chain, None) => {
                return Err(Error::new(ErrorKind::Snapshot, "expected a run with a snapshot, found none"));
            }
        };
        Manifest::load(&self.vault, seal).await
    }

    /// The records of a chunk of the source, as they are to be.
    pub(super) fn moved<'a>(&self, run: &Run, chunk: &'a str) -> Result<Vec<Record<'a>>> {
        let to = self.target_version(run);
        let mut records = match run.source {
            Source::Chain => line::records(chunk, self.chain, run.from)?,
            Source::Staged { .. } | Source::Snapshot { .. } => line::records(chunk, self.chain, to)?,
        };
        if run.source == Source::Chain {
            records.retain(|record| self.chain.changes(&record.collection, run.from, to));
            for record in &mut records {
                let Record { collection, key, value, residues } = record;
                self.chain
                    .translate(collection, run.from, to, value, residues)
                    .map_err(|error| error.in_record(key))?;
            }
        }
        Ok(records)
    }

    /// What a chunk of the source writes, where its records have storage keys of their own.
    fn entries(&self, run: &Run, chunk: &str, present: &Present) -> Result<Entries> {
        let collections = self.chain.collections(self.target_version(run));
        let mut entries = Vec::new();
        for record in self.moved(run, chunk)? {
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
        Ok(entries)
    }

    /// What a run must know of the store as it was, to write beside it.
    pub(super) async fn present(&self, run: &Run) -> Result<Present> {
        let keys = self.store.keys().await?;
        let residues = keys.iter().filter(|key| key.starts_with(RESIDUE)).cloned().collect();
        let written =
            keys.iter().filter_map(|key| key.strip_prefix(MARKER)).filter_map(|mark| mark.parse().ok()).collect();
        let mut records = HashSet::new();
        if let (Source::Staged { merge: Merge::Keep | Merge::Take, .. }, Some(seal)) = (&run.source, &run.seal) {
            let manifest = Manifest::load(&self.vault, seal).await?;
            for index in 0..manifest.chunks.len() {
                let chunk = manifest.chunk(&self.vault, index).await?;
                let found = line::records(&chunk, self.chain, run.from)?;
                records
                    .extend(found.into_iter().map(|record| (record.collection.into_owned(), record.key.into_owned())));
            }
        }
        let keep = matches!(run.source, Source::Staged { merge: Merge::Keep, .. });
        Ok(Present { residues, written, records, keep })
    }

    async fn set(&self, entries: &[(String, String)]) -> Result<()> {
        let values = entries.iter().map(|(key, text)| Ok((key.clone(), self.store.write(text)?)));
        self.store.set(values.collect::<Result<_>>()?).await
    }

    async fn apply_records(&self, run: &Run) -> Result<()> {
        let source = self.source(run).await?;
        let present = self.present(run).await?;
        let of = source.records.values().sum();
        let (mut done, mut bytes) = (0, 0);
        for index in 0..source.chunks.len() {
            let chunk = source.chunk(&self.vault, index).await?;
            done += line::records(&chunk, self.chain, self.reading_version(run))?.len() as u64;
            bytes += chunk.len() as u64;
            if !present.written.contains(&index) {
                let mut entries = self.entries(run, &chunk, &present)?;
                if !entries.is_empty() {
                    self.check_fence(run).await?;
                    entries.push((format!("{MARKER}{index}"), "true".to_owned()));
                    self.set(&entries).await?;
                }
            }
            self.report(run, Stage::Apply, done, of, bytes);
        }
        for (key, value) in self.assemblies(run, &source, &present).await? {
            self.check_fence(run).await?;
            self.store.set(vec![(key, value)]).await?;
        }
        Ok(())
    }

    fn reading_version(&self, run: &Run) -> Version {
        match run.source {
            Source::Chain => run.from,
            Source::Staged { .. } | Source::Snapshot { .. } => self.target_version(run),
        }
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
                built.extend(assembly.build(source).await?);
            }
        }
        Ok(built)
    }

    async fn validate_records(&self, run: &Run) -> Result<()> {
        let source = self.source(run).await?;
        let present = self.present(run).await?;
        let of = source.records.values().sum();
        let (mut done, mut bytes) = (0, 0);
        for index in 0..source.chunks.len() {
            let chunk = source.chunk(&self.vault, index).await?;
            let entries = self.entries(run, &chunk, &present)?;
            self.compare(&entries).await?;
            done += line::records(&chunk, self.chain, self.reading_version(run))?.len() as u64;
            bytes += chunk.len() as u64;
            self.report(run, Stage::Validate, done, of, bytes);
        }
        for (key, expected) in self.assemblies(run, &source, &present).await? {
            self.compare_whole(&key, &expected).await?;
        }
        Ok(())
    }

    /// Reads back what was written and compares.
    async fn compare(&self, entries: &[(String, String)]) -> Result<()> {
        let keys: Vec<_> = entries.iter().map(|(key, _)| key.clone()).collect();
        if keys.is_empty() {
            return Ok(());
        }
        let found: BTreeMap<_, _> = self.store.get(&keys).await?.into_iter().collect();
        for (key, expected) in entries {
            let Some(value) = found.get(key) else { return Err(differs(key, "nothing")) };
            let text = self.store.read(value)?;
            if text != *expected && Value::parse_inside(&text, 1)? != Value::parse_inside(expected, 1)? {
                return Err(differs(key, "another value"));
            }
        }
        Ok(())
    }

    /// As [`Self::compare`], for a value that is too large to be held as text.
    async fn compare_whole(&self, key: &str, expected: &S::Value) -> Result<()> {
        let found = self.store.get(&[key.to_owned()]).await?;
        let Some((_, found)) = found.into_iter().next() else { return Err(differs(key, "nothing")) };
        let shape = self.store.shape(expected);
        if self.store.shape(&found) != shape {
            return Err(differs(key, "another shape"));
        }
        let (Shape::Array(length) | Shape::Object(length)) = shape else {
            return Err(differs(key, "a value that is no array or object"));
        };
        let is_array = matches!(shape, Shape::Array(_));
        let mut start = 0;
        while start < length {
            let (text, count) = self.store.slice(expected, start, super::snapshot::CHUNK)?;
            let (other, same) = self.store.slice(&found, start, super::snapshot::CHUNK)?;
            let equal =
                text == other || count == same && Value::parse_inside(&text, 1)? == Value::parse_inside(&other, 1)?;
            if !equal {
                // Members of an object may come back in another order, in which slices do not meet.
                return if is_array {
                    Err(differs(key, "other items"))
                } else {
                    self.compare_members(key, expected, &found)
                };
            }
            start += count;
        }
        Ok(())
    }

    fn compare_members(&self, key: &str, expected: &S::Value, found: &S::Value) -> Result<()> {
        let (expected, found) = (self.store.read(expected)?, self.store.read(found)?);
        match Value::parse_inside(&expected, 1)? == Value::parse_inside(&found, 1)? {
            true => Ok(()),
            false => Err(differs(key, "other members")),
        }
    }

    /// Writes a snapshot's values back as they were; or, where `check`, compares them.
    async fn replay(&self, seal: &Seal, run: &Run, stage: Stage, check: bool) -> Result<HashSet<String>> {
        let manifest = Manifest::load(&self.vault, seal).await?;
        let of = manifest.records.values().sum::<u64>();
        let (mut keys, mut bytes) = (HashSet::new(), 0);
        let mut open: Option<(String, S::Value)> = None;
        for index in 0..manifest.chunks.len() {
            let chunk = manifest.chunk(&self.vault, index).await?;
            let mut entries = Vec::new();
            for line in chunk.lines() {
                let key = match Line::parse(line)? {
                    Line::Whole { key, value } => {
                        entries.push((key.clone().into_owned(), value.to_json()));
                        key
                    }
                    Line::Items { key, items, .. } => {
                        self.gather(&mut open, &key, "[]", &Value::Array(items), check).await?;
                        key
                    }
                    Line::Members { key, members } => {
                        self.gather(&mut open, &key, "{}", &Value::Object(members), check).await?;
                        key
                    }
                    Line::Record(_) => {
                        return Err(Error::new(ErrorKind::Snapshot, "expected a snapshot, found staged records"));
                    }
                };
                keys.insert(key.into_owned());
            }
            if check {
                self.compare(&entries).await?;
            } else if !entries.is_empty() {
                self.check_fence(run).await?;
                self.set(&entries).await?;
            }
            bytes += chunk.len() as u64;
            // Slices are not counted apart; bytes tell how far it is.
            self.report(run, stage, (of * bytes).checked_div(manifest.bytes).unwrap_or(of), of, bytes);
        }
        if let Some((key, value)) = open {
            self.put_gathered(&key, value, check).await?;
        }
        Ok(keys)
    }

    /// Adds a slice to the value that is being put together; a slice of another key ends the one before.
    async fn gather(
        &self,
        open: &mut Option<(String, S::Value)>,
        key: &str,
        empty: &str,
        slice: &Value<'_>,
        check: bool,
    ) -> Result<()> {
        if open.as_ref().is_none_or(|(gathered, _)| gathered != key) {
            let next = (key.to_owned(), self.store.write(empty)?);
            if let Some((key, value)) = open.replace(next) {
                self.put_gathered(&key, value, check).await?;
            }
        }
        match open {
            Some((_, value)) => self.store.extend(value, &slice.to_json()),
            None => Ok(()),
        }
    }

    async fn put_gathered(&self, key: &str, value: S::Value, check: bool) -> Result<()> {
        match check {
            true => self.compare_whole(key, &value).await,
            false => self.store.set(vec![(key.to_owned(), value)]).await,
        }
    }

    /// Removes keys that the data does not consist of any more.
    async fn remove_where(&self, gone: impl Fn(&str) -> bool) -> Result<()> {
        let keys = self.store.keys().await?;
        let gone: Vec<_> = keys.into_iter().filter(|key| key != CONTROL && gone(key)).collect();
        match gone.is_empty() {
            true => Ok(()),
            false => self.store.remove(&gone).await,
        }
    }

    /// The keys that a snapshot holds.
    async fn keys_of(&self, seal: &Seal) -> Result<HashSet<String>> {
        let manifest = Manifest::load(&self.vault, seal).await?;
        let mut keys = HashSet::new();
        for index in 0..manifest.chunks.len() {
            let chunk = manifest.chunk(&self.vault, index).await?;
            for line in chunk.lines() {
                if let Line::Whole { key, .. } | Line::Items { key, .. } | Line::Members { key, .. } =
                    Line::parse(line)?
                {
                    keys.insert(key.into_owned());
                }
            }
        }
        Ok(keys)
    }

    /// The keys that an import which replaces everything leaves.
    async fn keys_of_staged(&self, run: &Run, seal: &Seal) -> Result<HashSet<String>> {
        let manifest = Manifest::load(&self.vault, seal).await?;
        let collections = self.chain.collections(self.target_version(run));
        let aggregated = collections
            .values()
            .filter(|collection| matches!(collection.layout, Layout::Array { .. } | Layout::Map { .. }));
        let mut keys: HashSet<_> = aggregated.map(|collection| collection.layout.reach().0.to_owned()).collect();
        let present = Present::default();
        for index in 0..manifest.chunks.len() {
            let chunk = manifest.chunk(&self.vault, index).await?;
            keys.extend(self.entries(run, &chunk, &present)?.into_iter().map(|(key, _)| key));
        }
        Ok(keys)
    }

    /// Removes what is no longer needed of the vault: staged records, and the oldest snapshots.
    async fn retain(&self, run: &Run, refused: bool) -> Result<()> {
        if refused {
            self.vault.delete(&run.id).await?;
        }
        for (id, text) in self.vault.manifests().await? {
            if Manifest::parse(&text).is_none_or(|manifest| manifest.purpose == Purpose::Staged) {
                self.vault.delete(&id).await?;
            }
        }
        for old in self.snapshots().await?.into_iter().skip(self.keep) {
            self.vault.delete(&old.id).await?;
        }
        Ok(())
    }
}

impl<S: Store, V: Vault, H: Host> Target for Records<'_, S, V, H> {
    type Guard = H::Guard;

    async fn acquire(&self) -> Result<H::Guard> {
        self.host.lock().await
    }

    async fn find(&self) -> Result<Found> {
        if let Some(head) = self.read_head().await? {
            return Ok(Found::Marked(Box::new(head)));
        }
        if self.vault.mirror().await?.is_some() {
            return Ok(Found::Lost);
        }
        let keys = self.store.keys().await?;
        Ok(if keys.is_empty() { Found::Fresh } else { Found::Unmarked })
    }

    async fn put(&self, head: &Head) -> Result<()> {
        let mut text = head.to_json()?;
        let padding = HEAD_BYTES.saturating_sub(text.len() + r#","pad":"""#.len());
        text.truncate(text.len() - 1);
        text.push_str(&format!(",\"pad\":\"{}\"}}", "-".repeat(padding)));
        self.store.set(vec![(CONTROL.to_owned(), self.store.write(&text)?)]).await?;
        if head.run.is_none() && head.version > Version(0) {
            self.vault.put_mirror(&format!("{{\"version\":{},\"head\":\"{}\"}}", head.version, head.head)).await?;
        }
        Ok(())
    }

    async fn inspect(&self, run: &Run) -> Result<()> {
        // Markers of an earlier run would pass for this one's.
        self.remove_where(|key| key.starts_with(MARKER)).await?;
        match &run.source {
            Source::Chain => Ok(()),
            Source::Staged { seal, .. } | Source::Snapshot { seal } => match self.verify(seal).await? {
                true => Ok(()),
                false => Err(Error::new(
                    ErrorKind::Snapshot,
                    "expected the records to bring in whole, found them damaged; choose another snapshot or file",
                )),
            },
        }
    }

    async fn capture(&self, run: &mut Run) -> Result<Seal> {
        let line = match run.from {
            // Nobody has marked this data; it is taken for version 1, and the rehearsal checks that it fits.
            Version(1) => self.chain.line(Version(1)).cloned().collect(),
            _ => self.read_head().await?.map(|head| head.line).unwrap_or_default(),
        };
        self.enter(run, Stage::Snapshot);
        let manifest = self.save(run, line).await?;
        let seal = manifest.seal()?;
        let manifest = Manifest::load(&self.vault, &seal).await?;
        self.rehearse(run, &manifest).await?;
        let counted = match &run.source {
            Source::Chain => manifest,
            Source::Staged { seal, .. } | Source::Snapshot { seal } => Manifest::load(&self.vault, seal).await?,
        };
        run.records = counted.records;
        run.bytes = counted.bytes;
        Ok(seal)
    }

    async fn verify(&self, seal: &Seal) -> Result<bool> {
        let whole = async {
            let manifest = Manifest::load(&self.vault, seal).await?;
            for index in 0..manifest.chunks.len() {
                manifest.chunk(&self.vault, index).await?;
            }
            Ok(())
        };
        match whole.await {
            Ok(()) => Ok(true),
            Err(error) => {
                let error: Error = error;
                if error.kind() == ErrorKind::Snapshot { Ok(false) } else { Err(error) }
            }
        }
    }

    async fn apply(&self, run: &Run) -> Result<()> {
        match &run.source {
            Source::Snapshot { seal } => self.replay(seal, run, Stage::Apply, false).await.map(drop),
            Source::Chain | Source::Staged { .. } => self.apply_records(run).await,
        }
    }

    async fn validate(&self, run: &Run) -> Result<()> {
        match &run.source {
            Source::Snapshot { seal } => self.replay(seal, run, Stage::Validate, true).await.map(drop),
            Source::Chain | Source::Staged { .. } => self.validate_records(run).await,
        }
    }

    async fn restore(&self, run: &Run) -> Result<()> {
        let Some(seal) = &run.seal else {
            return Err(Error::new(ErrorKind::Snapshot, "expected a run with a snapshot, found none"));
        };
        self.check_fence(run).await?;
        let kept = self.keys_of(seal).await?;
        // Removed first, so that a full store has room again; the snapshot was verified, and is what counts.
        self.remove_where(|key| !kept.contains(key)).await?;
        self.replay(seal, run, Stage::Restore, false).await?;
        self.replay(seal, run, Stage::Restore, true).await.map(drop)
    }

    async fn sweep(&self, run: &Run) -> Result<()> {
        if run.phase == Phase::Sweep {
            let covers = |reaches: &[Reach], key: &str| reaches.iter().any(|reach| reach.covers(key));
            match &run.source {
                Source::Chain => self.remove_where(|key| covers(&run.leaves, key) && !covers(&run.uses, key)).await?,
                Source::Snapshot { seal } => {
                    let kept = self.keys_of(seal).await?;
                    self.remove_where(|key| !kept.contains(key)).await?;
                }
                Source::Staged { seal, merge: Merge::Replace } => {
                    let kept = self.keys_of_staged(run, seal).await?;
                    self.remove_where(|key| {
                        (covers(&run.uses, key) || key.starts_with(RESIDUE)) && !kept.contains(key)
                    })
                    .await?;
                }
                Source::Staged { .. } => {}
            }
        }
        self.remove_where(|key| key.starts_with(MARKER)).await?;
        self.retain(run, run.phase == Phase::Capture).await
    }

    fn now(&self) -> i64 {
        self.host.now()
    }

    fn token(&self) -> String {
        self.host.token()
    }

    fn progress(&self, run: &Run, progress: Progress) {
        self.host.progress(&run.id, progress);
    }
}

/// What the store held before the run wrote.
#[derive(Default)]
pub(super) struct Present {
    residues: HashSet<String>,
    /// Batches that are written.
    written: HashSet<usize>,
    /// Records that an import meets.
    pub(super) records: HashSet<(String, String)>,
    keep: bool,
}

impl Present {
    /// Whether a record that is there already stays.
    pub(super) fn wins(&self, collection: &str, key: &str) -> bool {
        self.keep && self.records.contains(&(collection.to_owned(), key.to_owned()))
    }
}

/// Moves every record up and down again, and watches over the keys they would get.
struct Rehearsal<'r> {
    chain: &'r Chain,
    cause: Cause,
    from: Version,
    to: Version,
    taken: HashSet<String>,
    misfits: BTreeMap<(String, String), u64>,
    written: u64,
}

impl<'r> Rehearsal<'r> {
    fn new(chain: &'r Chain, run: &Run) -> Self {
        let to = match run.source {
            Source::Chain => Version(run.to_line.len() as u32),
            Source::Staged { .. } | Source::Snapshot { .. } => run.from,
        };
        Self {
            chain,
            cause: run.cause,
            from: run.from,
            to,
            taken: HashSet::new(),
            misfits: BTreeMap::new(),
            written: 0,
        }
    }

    /// Answers with how many records there were.
    fn chunk(&mut self, chunk: &str) -> Result<u64> {
        // To go back to a snapshot, today's data need not make sense.
        if self.cause == Cause::Restore {
            return Ok(line::records(chunk, self.chain, self.from).map_or(0, |records| records.len() as u64));
        }
        let records = line::records(chunk, self.chain, self.from)?;
        let count = records.len() as u64;
        for record in records {
            self.record(&record).map_err(|error| error.in_collection(&record.collection).in_record(&record.key))?;
        }
        Ok(count)
    }

    fn record(&mut self, record: &Record<'_>) -> Result<()> {
        let Record { collection, key, value, residues } = record;
        if !self.taken.insert(residue_key(collection, key)) {
            return Err(Error::new(
                ErrorKind::Collision,
                "expected keys that differ, found two records with this one; give one of them another key",
            ));
        }
        let misfit = self.chain.collection(collection, self.from)?.schema.validate(value).err();
        if let Some(misfit) = &misfit {
            let place = misfit.context().path.clone().unwrap_or_default();
            *self.misfits.entry((collection.to_string(), place)).or_default() += 1;
        }
        if !self.chain.changes(collection, self.from, self.to) {
            return Ok(());
        }
        let mut moved = value.clone();
        let mut kept = residues.clone();
        self.chain.translate(collection, self.from, self.to, &mut moved, &mut kept)?;
        let (text, kept) = (moved.to_json(), kept.to_value().to_json());
        self.written += (text.len() + key.len() + kept.len()) as u64;
        let moved = Value::parse(&text)?;
        match (self.chain.collection(collection, self.to)?.schema.validate(&moved), misfit) {
            (Err(now), Some(before)) if now.context().path == before.context().path => {}
            (Err(now), _) => return Err(now),
            (Ok(()), _) => {}
        }
        self.comes_back(collection, value, moved, &kept)
    }

    fn comes_back<'m>(&self, collection: &str, before: &Value<'_>, mut moved: Value<'m>, kept: &'m str) -> Result<()> {
        let kept = Residues::from_value(&Value::parse_inside(kept, 8)?)?;
        let mut after = kept.clone();
        self.chain.translate(collection, self.to, self.from, &mut moved, &mut after)?;
        match moved == *before && after == kept {
            true => Ok(()),
            false => Err(Error::new(
                ErrorKind::Validation,
                "expected the record to come back as it was, found a difference; please report this chain to Exuvia",
            )),
        }
    }

    fn finish(self) -> Vec<String> {
        let note = |((collection, path), count): (&(String, String), &u64)| {
            let path = if path.is_empty() { "the record itself" } else { path };
            format!(
                "{count} records of {collection} do not fit the schema of version {} at {path}, and were left so",
                self.from
            )
        };
        self.misfits.iter().map(note).collect()
    }
}

fn differs(key: &str, found: &str) -> Error {
    Error::new(
        ErrorKind::Validation,
        format!("expected to read back what was written under the key {key:?}, found {found}"),
    )
}
