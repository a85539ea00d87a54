//! The records of a snapshot by family, for ways on which children come back to their parents: a batch depends on its
//! chunk only, so a chunk must hold all that comes together.
//!
//! What belongs together is found by the records' keys alone, which are held in memory; the records themselves are
//! gathered in as many passes over the snapshot as their size needs.

use std::collections::HashMap;
use std::ops::Range;

use super::Records;
use super::line::{self, write_family};
use super::snapshot::{CHUNK, Manifest, Purpose, SnapshotWriter};
use super::store::{Host, Store, Vault};
use crate::chain::{Route, Tie, Ties};
use crate::error::Result;
use crate::protocol::Run;

/// How many bytes of records are gathered in one pass.
const PASS: usize = 16 << 20;

/// The name of the families of a snapshot.
pub(super) fn families_id(snapshot: &str) -> String {
    format!("{snapshot}.families")
}

impl<S: Store, V: Vault, H: Host> Records<'_, S, V, H> {
    /// The families of a snapshot, made from it unless they are there.
    pub(super) async fn families(&self, run: &Run, route: &Route<'_>, snapshot: &Manifest) -> Result<Manifest> {
        let id = families_id(&snapshot.id);
        let manifests = self.vault.manifests().await?;
        let known = manifests.iter().find(|(name, _)| *name == id).and_then(|(_, text)| Manifest::parse(text));
        if let Some(known) = known
            && self.is_whole(&known).await
        {
            return Ok(known);
        }
        let index = Index::of(&self.vault, run, route, snapshot).await?;
        let manifest = SnapshotWriter::<V>::new_manifest(&id, Purpose::Staged, run.cause, Vec::new(), run.now);
        let mut writer = SnapshotWriter::create(&self.vault, manifest).await?;
        for pass in index.passes() {
            let families = index.gather(&self.vault, route, snapshot, &pass).await?;
            let mut chunk = String::new();
            for family in families.into_iter().filter(|family| !family.is_empty()) {
                write_family(&family, &mut chunk);
                if chunk.len() >= CHUNK {
                    writer.append(&chunk).await?;
                    chunk.clear();
                }
            }
            if !chunk.is_empty() {
                writer.append(&chunk).await?;
            }
        }
        writer.seal(snapshot.records.clone()).await
    }

    async fn is_whole(&self, manifest: &Manifest) -> bool {
        for index in 0..manifest.chunks.len() {
            if manifest.chunk(&self.vault, index).await.is_err() {
                return false;
            }
        }
        true
    }
}

/// Who belongs to whom. Records are known by their number in the snapshot.
#[derive(Default)]
struct Index {
    records: Vec<Entry>,
    parents: HashMap<Tie, usize>,
    /// The number of the first record of each chunk.
    starts: Vec<usize>,
}

struct Entry {
    child_of: Option<Tie>,
    bytes: usize,
    chunk: usize,
}

impl Index {
    async fn of(vault: &impl Vault, run: &Run, route: &Route<'_>, snapshot: &Manifest) -> Result<Self> {
        let mut index = Self::default();
        for chunk in 0..snapshot.chunks.len() {
            let text = snapshot.chunk(vault, chunk).await?;
            index.starts.push(index.records.len());
            for record in line::records_and_asides(&text, route.before())? {
                let bytes = record.value.to_json().len();
                let Ties { child_of, parent_at } = route.ties(run.now, record)?;
                index.parents.extend(parent_at.into_iter().map(|tie| (tie, index.records.len())));
                index.records.push(Entry { child_of, bytes, chunk });
            }
        }
        Ok(index)
    }

    /// The record that another comes back to in the end; itself where it has no parent.
    fn home(&self, mut record: usize) -> usize {
        while let Some(parent) = self.records[record].child_of.as_ref().and_then(|tie| self.parents.get(tie)) {
            record = *parent;
        }
        record
    }

    /// The homes of all records, in parts that fit into memory.
    fn passes(&self) -> Vec<Range<usize>> {
        let mut sizes = vec![0; self.records.len()];
        for (record, entry) in self.records.iter().enumerate() {
            sizes[self.home(record)] += entry.bytes;
        }
        let (mut passes, mut start, mut filled) = (Vec::new(), 0, 0);
        for (home, bytes) in sizes.into_iter().enumerate() {
            filled += bytes;
            if filled >= PASS {
                passes.push(start..home + 1);
                (start, filled) = (home + 1, 0);
            }
        }
        passes.push(start..self.records.len());
        passes
    }

    /// The families of some homes, each as the texts of its records; nothing for what is no home.
    async fn gather(
        &self,
        vault: &impl Vault,
        route: &Route<'_>,
        snapshot: &Manifest,
        homes: &Range<usize>,
    ) -> Result<Vec<Vec<String>>> {
        let is_wanted = |(number, _): &(usize, &Entry)| homes.contains(&self.home(*number));
        let mut chunks: Vec<_> =
            self.records.iter().enumerate().filter(is_wanted).map(|(_, entry)| entry.chunk).collect();
        chunks.dedup();
        let mut families = vec![Vec::new(); homes.len()];
        for chunk in chunks {
            let text = snapshot.chunk(vault, chunk).await?;
            for (number, record) in (self.starts[chunk]..).zip(line::records_and_asides(&text, route.before())?) {
                let home = self.home(number);
                if homes.contains(&home) {
                    let mut text = String::new();
                    line::write_member(&record, &mut text);
                    families[home - homes.start].push(text);
                }
            }
        }
        Ok(families)
    }
}
