//! The records of a snapshot by family, for ways on which children come back to their parents: a batch depends on its
//! chunk only, so a chunk must hold all that comes together.
//!
//! What belongs together is found by the records' keys alone, which are held in memory; the records themselves are
//! gathered in as many passes over the snapshot as their size needs.

use std::collections::{BTreeMap, BTreeSet, HashMap};

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
            for family in families.into_values() {
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
    fn passes(&self) -> Vec<BTreeSet<usize>> {
        let mut sizes: BTreeMap<usize, usize> = BTreeMap::new();
        for record in 0..self.records.len() {
            *sizes.entry(self.home(record)).or_default() += self.records[record].bytes;
        }
        let (mut passes, mut pass, mut filled) = (Vec::new(), BTreeSet::new(), 0);
        for (home, bytes) in sizes {
            pass.insert(home);
            filled += bytes;
            if filled >= PASS {
                passes.push(std::mem::take(&mut pass));
                filled = 0;
            }
        }
        passes.push(pass);
        passes
    }

    /// The families of some homes, each as the texts of its records.
    async fn gather(
        &self,
        vault: &impl Vault,
        route: &Route<'_>,
        snapshot: &Manifest,
        homes: &BTreeSet<usize>,
    ) -> Result<BTreeMap<usize, Vec<String>>> {
        let members: Vec<_> = (0..self.records.len()).map(|record| homes.contains(&self.home(record))).collect();
        let chunks: BTreeSet<_> =
            self.records.iter().zip(&members).filter(|(_, member)| **member).map(|(record, _)| record.chunk).collect();
        let mut families: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for chunk in chunks {
            let text = snapshot.chunk(vault, chunk).await?;
            for (number, record) in (self.starts[chunk]..).zip(line::records_and_asides(&text, route.before())?) {
                if members[number] {
                    let mut text = String::new();
                    line::write_member(&record, &mut text);
                    families.entry(self.home(number)).or_default().push(text);
                }
            }
        }
        Ok(families)
    }
}
