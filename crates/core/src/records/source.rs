//! Where the records of a run come from, and what they meet.

use std::collections::HashSet;

use super::Records;
use super::line::{self, RESIDUE, Record};
use super::snapshot::Manifest;
use super::store::{Host, Store, Vault};
use super::walk::MARKER;
use crate::chain::Version;
use crate::error::{Error, ErrorKind, Result};
use crate::lens::Context;
use crate::protocol::{Merge, Run, Source};

impl<S: Store, V: Vault, H: Host> Records<'_, S, V, H> {
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
    pub(super) fn moved<'a>(&self, run: &Run, chunk: &'a str) -> Result<Vec<Moved<'a>>> {
        if run.source != Source::Chain {
            let staged = line::records(chunk, self.chain, self.target_version(run))?;
            return Ok(staged.into_iter().map(|record| Moved { record, stays: false }).collect());
        }
        let records = line::records(chunk, self.chain, run.from)?;
        records.into_iter().map(|record| self.move_up(run, record)).collect()
    }

    fn move_up<'a>(&self, run: &Run, mut record: Record<'a>) -> Result<Moved<'a>> {
        let to = self.target_version(run);
        let Record { collection, key, value, residues } = &mut record;
        let before = (value.clone(), residues.clone());
        let moved = self.chain.translate(collection, run.from, to, Context { now: run.now, key }, value, residues);
        moved.map_err(|error| error.in_record(key))?;
        let layout = |version| self.chain.collections(version).get(&**collection).map(|collection| &collection.layout);
        let stays = layout(run.from) == layout(to) && *value == before.0 && *residues == before.1;
        Ok(Moved { record, stays })
    }

    /// What a run must know of the store as it was, to write beside it.
    pub(super) async fn present(&self, run: &Run) -> Result<Present> {
        let keys = self.store.keys().await?;
        let residues = keys.iter().filter(|key| key.starts_with(RESIDUE)).cloned().collect();
        let marked = format!("{MARKER}{}:", run.seal.as_ref().map(|seal| &*seal.id).unwrap_or_default());
        let written = keys.iter().filter_map(|key| key.strip_prefix(&marked)).map(str::to_owned).collect();
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
}

/// A record as it is to be.
pub(super) struct Moved<'a> {
    pub(super) record: Record<'a>,
    /// Whether it is, and lies, just as before: then nobody need write it.
    pub(super) stays: bool,
}

/// What the store held before the run wrote.
#[derive(Default)]
pub(super) struct Present {
    pub(super) residues: HashSet<String>,
    /// Batches that are written: numbers of chunks, and names of collections that are written whole.
    pub(super) written: HashSet<String>,
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
