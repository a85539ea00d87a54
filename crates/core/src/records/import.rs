//! What comes in is hostile until proved otherwise, and is staged at the chain's tip before a run brings it in.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use litemap::LiteMap;

use super::Records;
use super::export::not_at_rest;
use super::file::{Bytes, Footer, Header, Lines, import};
use super::line::{self, Line, check_key, write_record};
use super::snapshot::{Purpose, SnapshotWriter};
use super::store::{Host, Store, Vault};
use super::walk::{Census, Walk};
use crate::chain::{CHAIN_LEVELS, Chain, Layout, OWN_PREFIX, Record, Residues, Standing, Version};
use crate::document::{Digest, Json, Object, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::json_object;
use crate::protocol::{Cause, Found, Merge, Problem, Seal, Target};

/// What an import would do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Preview {
    /// The version of the file's records.
    pub version: Version,
    /// The version they would be brought to.
    pub target: Version,
    /// By collection.
    pub collections: LiteMap<String, CollectionPreview>,
    /// Bytes of records.
    pub bytes: u64,
    /// Why it cannot be imported.
    pub problem: Option<Problem>,
}

json_object!(Preview { "version": version, "target": target, "collections": collections, "bytes": bytes, "problem": problem });

impl Preview {
    /// Counts a record; `present` are the digests of those that no record of the file has met.
    fn count(
        &mut self,
        record: &Record<'_>,
        present: &mut HashMap<(String, String), Digest>,
        merge: Merge,
    ) -> Result<()> {
        let digest = Digest::of(&record.value)?;
        let found = present.remove(&(record.collection.to_string(), record.key.to_string()));
        let counts = self.collections.entry(record.collection.to_string()).or_default();
        match (found, merge) {
            (None, _) => counts.add += 1,
            (Some(there), _) if there == digest => counts.same += 1,
            (Some(_), Merge::Keep) => counts.keep += 1,
            (Some(_), Merge::Take | Merge::Replace) => counts.replace += 1,
        }
        Ok(())
    }
}

/// How many records an import would add, and so on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CollectionPreview {
    /// Not there yet.
    pub add: u64,
    /// There, different, and replaced.
    pub replace: u64,
    /// There, and equal.
    pub same: u64,
    /// There, different, and kept.
    pub keep: u64,
    /// There, not in the file, and removed.
    pub remove: u64,
}

json_object!(CollectionPreview { "add": add, "replace": replace, "same": same, "keep": keep, "remove": remove });

/// What wraps a record in a line.
const LEVELS: usize = 1;

impl<S: Store, V: Vault, H: Host> Records<'_, S, V, H> {
    /// Reads a file, brings its records to the chain's tip, and keeps them for a run.
    ///
    /// # Errors
    /// [`ErrorKind::Import`] for a file that is malformed or truncated, [`ErrorKind::Fork`] for one of another chain,
    /// [`ErrorKind::Unfit`] for a record that cannot be brought to the tip; each with the line.
    pub async fn stage(&self, file: impl Bytes) -> Result<Seal> {
        let id = self.host.token();
        let staged = self.stage_as(&id, file).await;
        if staged.is_err() {
            self.vault.delete(&id).await?;
        }
        staged
    }

    async fn stage_as(&self, id: &str, file: impl Bytes) -> Result<Seal> {
        let line = self.chain.lock().line;
        let manifest = SnapshotWriter::<V>::new_manifest(id, Purpose::Staged, Cause::Import, line, self.host.now());
        let mut writer = SnapshotWriter::create(&self.vault, manifest).await?;
        let survives = |text: &str| self.survives(text);
        let mut import = Import::new(self.chain, file, self.host.now(), &survives);
        import.header().await?;
        let mut chunk = String::new();
        while let Some(()) = import.record(&mut chunk).await? {
            if chunk.len() >= self.chunk {
                writer.append(&chunk).await?;
                chunk.clear();
            }
        }
        if !chunk.is_empty() {
            writer.append(&chunk).await?;
        }
        Ok(writer.seal(import.census.0).await?.seal())
    }

    /// Throws staged records away that no run will bring in.
    ///
    /// # Errors
    /// [`ErrorKind::Snapshot`]
    pub async fn discard(&self, staged: &Seal) -> Result<()> {
        self.vault.delete(&staged.id).await
    }

    /// What importing a file would change. Nothing is written.
    ///
    /// # Errors
    /// As [`Records::stage`], and [`ErrorKind::Busy`] where the data is not at the chain's tip.
    pub async fn preview(&self, file: impl Bytes, merge: Merge) -> Result<Preview> {
        let _guard = self.acquire().await?;
        let version = match self.find().await? {
            // What cannot be read as records is saved and replaced.
            Found::Lost if merge == Merge::Replace => Version(0),
            _ => self.version_at_rest().await?,
        };
        if version != self.chain.tip() && version != Version(0) {
            return Err(not_at_rest());
        }
        let mut present = self.digests(version).await?;
        let survives = |text: &str| self.survives(text);
        let mut import = Import::new(self.chain, file, self.host.now(), &survives);
        import.header().await?;
        let mut preview = Preview { version: import.version, target: self.chain.tip(), ..Preview::default() };
        let mut text = String::new();
        while let Some(()) = import.record(&mut text).await? {
            for line in text.lines() {
                if let Line::Record(record) = Line::parse(line)?
                    && !record.is_aside
                {
                    preview.count(&record, &mut present, merge)?;
                }
            }
            preview.bytes += text.len() as u64;
            text.clear();
        }
        for (collection, _) in present.into_keys() {
            let counts = preview.collections.entry(collection).or_default();
            match merge {
                Merge::Replace => counts.remove += 1,
                Merge::Keep | Merge::Take => counts.keep += 1,
            }
        }
        Ok(preview)
    }

    /// Checks that the store holds a value as it is. A browser does not hold numbers beyond doubles.
    fn survives(&self, text: &str) -> Result<()> {
        let held = self.store.read(&self.store.write(text)?)?;
        match held == text || Value::parse(&held)? == Value::parse(text)? {
            true => Ok(()),
            false => Err(import(
                "expected values that the store can hold exactly, found one that it cannot, such as a number beyond 2^53",
            )),
        }
    }

    async fn digests(&self, version: Version) -> Result<HashMap<(String, String), Digest>> {
        let mut digests = HashMap::new();
        let collections = self.chain.collections(version);
        let mut walk = Walk::new(&self.store, collections, self.store.keys().await?);
        while let Some(chunk) = walk.next().await? {
            for record in line::records(&chunk, collections)? {
                let digest = Digest::of(&record.value)?;
                digests.insert((record.collection.into_owned(), record.key.into_owned()), digest);
            }
        }
        Ok(digests)
    }
}

/// A file on its way in.
struct Import<'c, B> {
    chain: &'c Chain,
    now: i64,
    /// Whether the store holds a record, given as JSON, as it is.
    survives: &'c dyn Fn(&str) -> Result<()>,
    /// The file's own chain, where it is newer.
    brought: Option<Chain>,
    version: Version,
    lines: Lines<B>,
    /// The records of the file.
    seen: HashSet<(String, String)>,
    /// The records that came of them.
    taken: HashSet<(String, String)>,
    census: Census,
    ended: bool,
}

impl<'c, B: Bytes> Import<'c, B> {
    fn new(chain: &'c Chain, file: B, now: i64, survives: &'c dyn Fn(&str) -> Result<()>) -> Self {
        let lines = Lines::new(file);
        Self {
            chain,
            now,
            survives,
            brought: None,
            version: Version(0),
            lines,
            seen: HashSet::new(),
            taken: HashSet::new(),
            census: Census::default(),
            ended: false,
        }
    }

    async fn header(&mut self) -> Result<()> {
        let line = self.lines.next().await?.ok_or_else(|| import("expected an export file, found an empty one"))?;
        let mut value = Value::parse_inside(&line, 1 + CHAIN_LEVELS).map_err(|_| not_an_export())?;
        let object = value.object_mut()?.ok_or_else(not_an_export)?;
        let chain = object.remove("chain");
        let header = Header::from_value(&value).ok_or_else(not_an_export)?;
        if header.exuvia != "export" || header.format != 1 {
            return Err(not_an_export());
        }
        self.version = header.version;
        if header.version == Version(0) || header.line.len() != header.version.0 as usize {
            return Err(import(
                "expected a header whose line is as long as its version says, found another; the file was edited or damaged",
            ));
        }
        match self.chain.standing(&header.line) {
            Standing::At(_) if self.chain.gathers(header.version, self.chain.tip()) => Err(import(
                "expected records that can go up one by one, found an older file whose records have become parts of others; import it with the version that wrote it, and update then",
            )),
            Standing::At(_) => Ok(()),
            Standing::Newer { .. } => self.bring(chain, &header),
            Standing::Edited { migration } | Standing::Fork { migration, .. } => {
                let message =
                    "expected a file of this chain, found one that has run a migration which this chain does not have";
                Err(Error::new(ErrorKind::Fork, message).in_migration(&migration))
            }
        }
    }

    /// A newer file goes down by the chain that it brings.
    fn bring(&mut self, chain: Option<Value<'_>>, header: &Header) -> Result<()> {
        let chain = chain.ok_or_else(|| {
            import("expected a newer file to bring its chain, found none; export it again from the newer version")
        })?;
        let chain = Chain::read(&chain.to_json())?;
        let same_line = chain.line(header.version).eq(header.line.iter());
        let common = chain.standing(&self.chain.lock().line) == Standing::At(self.chain.tip());
        if same_line && common && chain.gathers(header.version, self.chain.tip()) {
            return Err(import(
                "expected records that can go down one by one, found a newer file whose records have children of their own; update the extension first",
            ));
        }
        match same_line && common {
            true => self.brought = Some(chain),
            false => {
                return Err(import(
                    "expected the chain that the file brings to continue this one, found another; the file was edited or damaged",
                ));
            }
        }
        Ok(())
    }

    /// Appends the next record, at the chain's tip, as a line; `None` after the footer.
    async fn record(&mut self, out: &mut String) -> Result<Option<()>> {
        let digest = self.lines.digest.clone();
        let line = self.lines.next().await?;
        let number = self.lines.number;
        match line {
            None if self.ended => Ok(None),
            None => Err(import(&format!(
                "expected a last line {{\"end\":true,…}}, found the end of the file after line {number}; it was cut off"
            ))),
            Some(_) if self.ended => Err(import(&format!("line {number}: expected the end of the file, found more"))),
            Some(line) => {
                let taken = self.line(&line, &digest, out);
                taken.map_err(|error| error.at_line(number))?;
                Ok(Some(()))
            }
        }
    }

    fn line(&mut self, line: &str, digest: &blake3::Hasher, out: &mut String) -> Result<()> {
        let malformed = || import("expected {\"collection\":…,\"key\":…,\"record\":…}, found something else");
        let value = Value::parse_inside(line, LEVELS).map_err(|error| error.of_kind(ErrorKind::Import))?;
        let Value::Object(mut object) = value.opened()? else { return Err(malformed()) };
        if object.get("end").is_some() {
            return self.footer(line, digest);
        }
        let mut text =
            |name: &str| object.remove(name).and_then(|value| value.text().ok().flatten()).ok_or_else(malformed);
        let (collection, key) = (text("collection")?, text("key")?);
        let value = object.remove("record").ok_or_else(malformed)?;
        for record in self.at_tip(collection, key, value, &mut object)? {
            write_record(&record, out);
            if !record.is_aside {
                self.census.count(&record.collection);
            }
        }
        Ok(())
    }

    fn at_tip<'a>(
        &mut self,
        collection: Cow<'a, str>,
        key: Cow<'a, str>,
        value: Value<'a>,
        rest: &mut Object<'a>,
    ) -> Result<Vec<Record<'a>>> {
        let place = self.seen.len() as u64;
        if key.starts_with(OWN_PREFIX) {
            return Err(import("expected a key that is not Exuvia's own, found one that is"));
        }
        if !self.seen.insert((collection.to_string(), key.to_string())) {
            return Err(import("expected a record once, found it twice").in_collection(&collection).in_record(&key));
        }
        let residues = rest.remove("residue").map(|residue| Residues::from_value(&residue)).transpose()?;
        let residues = residues.unwrap_or_default();
        let mut record = Record { collection, key, value, residues, is_aside: false };
        let (collection, key) = (record.collection.clone(), record.key.clone());
        let chain = self.brought.as_ref().unwrap_or(self.chain);
        let bring = || {
            let before = chain.collection(&collection, self.version)?;
            before.schema.validate(&record.value)?;
            check_key(&before.layout, &collection, &key, &mut record.value)?;
            if matches!(before.layout, Layout::Array { .. }) {
                record.residues.place.get_or_insert(place);
            }
            chain.move_family(self.version, self.chain.tip(), self.now, vec![record])
        };
        let brought = bring().map_err(|error: Error| error.in_collection(&collection).in_record(&key))?;
        brought.into_iter().map(|record| self.landed(record, place)).collect()
    }

    /// Checks what came of a record at the chain's tip.
    fn landed<'a>(&mut self, mut record: Record<'a>, place: u64) -> Result<Record<'a>> {
        let Record { collection, key, value, residues, is_aside } = &mut record;
        if !self.taken.insert((collection.to_string(), key.to_string())) {
            let error = import("expected keys that differ at the chain's tip, found two records with this one");
            return Err(error.in_collection(collection).in_record(key));
        }
        if !*is_aside {
            let after = self.chain.collection(collection, self.chain.tip())?;
            let fits = after.schema.validate(value).and_then(|()| check_key(&after.layout, collection, key, value));
            fits.map_err(|error| error.in_collection(collection).in_record(key))?;
            if matches!(after.layout, Layout::Array { .. }) {
                residues.place.get_or_insert(place);
            }
        }
        let survives = (self.survives)(&value.to_json());
        survives.map_err(|error| error.in_collection(collection).in_record(key))?;
        Ok(record)
    }

    fn footer(&mut self, line: &str, digest: &blake3::Hasher) -> Result<()> {
        let footer = Footer::from_json(line)
            .ok_or_else(|| import("expected a last line {\"end\":true,\"records\":…}, found another"))?;
        let records = self.seen.len() as u64;
        if footer.records != records {
            return Err(import(&format!(
                "expected {} records as the last line says, found {records}; lines are missing",
                footer.records,
            )));
        }
        if footer.digest.is_some_and(|expected| expected != digest.finalize().to_hex().as_str()) {
            return Err(import("expected the bytes that were exported, found others; the file was edited or damaged"));
        }
        self.ended = true;
        Ok(())
    }
}

fn not_an_export() -> Error {
    import("line 1: expected the header of an export file of Exuvia, found something else")
}
