//! Where the records of a run come from, and what they meet.

use std::collections::HashSet;

use super::Records;
use super::keys::{RESIDUE, marker_prefix};
use super::line;
use super::snapshot::Manifest;
use super::store::{Host, Store, Vault};
use crate::chain::{Collections, Family, Record, Route};
use crate::error::{Error, ErrorKind, Result};
use crate::lens::Context;
use crate::protocol::{Merge, Run, Source};

impl<S: Store, V: Vault, H: Host> Records<'_, S, V, H> {
    /// What a run's records are read from.
    pub(super) async fn source(&self, run: &Run, route: &Route<'_>) -> Result<Manifest> {
        let seal = match (&run.source, &run.seal) {
            (Source::Chain, Some(seal)) | (Source::Staged { seal, .. } | Source::Snapshot { seal }, _) => seal,
            (Source::Chain, None) => {
                return Err(Error::new(ErrorKind::Snapshot, "expected a run with a snapshot, found none"));
            }
        };
        let manifest = Manifest::load(&self.vault, seal).await?;
        match run.source == Source::Chain && route.gathers() {
            true => self.families(run, route, &manifest).await,
            false => Ok(manifest),
        }
    }

    /// The records of a chunk of the source, as they are to be.
    pub(super) fn moved<'a>(&self, run: &Run, route: &Route<'_>, chunk: &'a str) -> Result<Vec<Moved<'a>>> {
        if run.source != Source::Chain {
            let staged = line::records_and_asides(chunk, route.after())?;
            return Ok(staged.into_iter().map(|record| Moved { record, stays: false }).collect());
        }
        if route.rehomes() {
            let families = line::families(chunk, route)?.into_iter();
            return families.map(|family| go_together(run, route, family)).collect::<Result<Vec<_>>>().map(flatten);
        }
        let records = line::records(chunk, route.before())?;
        records.into_iter().map(|record| go(run, route, record)).collect()
    }

    /// What a run must know of the store as it was, to write beside it.
    pub(super) async fn present(&self, run: &Run, route: &Route<'_>) -> Result<Present> {
        let keys = self.store.keys().await?;
        let residues = keys.iter().filter(|key| key.starts_with(RESIDUE)).cloned().collect();
        let marked = marker_prefix(run);
        let written = keys.iter().filter_map(|key| key.strip_prefix(&marked)).map(str::to_owned).collect();
        let mut records = HashSet::new();
        if let (Source::Staged { merge: Merge::Keep | Merge::Take, .. }, Some(seal)) = (&run.source, &run.seal) {
            let manifest = Manifest::load(&self.vault, seal).await?;
            for index in 0..manifest.chunks.len() {
                let chunk = manifest.chunk(&self.vault, index).await?;
                let found = line::records(&chunk, route.before())?;
                records
                    .extend(found.into_iter().map(|record| (record.collection.into_owned(), record.key.into_owned())));
            }
        }
        let keep = matches!(run.source, Source::Staged { merge: Merge::Keep, .. });
        Ok(Present { residues, written, records, keep })
    }
}

fn go<'a>(run: &Run, route: &Route<'_>, mut record: Record<'a>) -> Result<Moved<'a>> {
    let Record { collection, key, value, residues, .. } = &mut record;
    value.open_whole()?;
    let before = (value.clone(), residues.clone());
    let moved = route.translate(collection, Context { now: run.now, key }, value, residues);
    moved.map_err(|error| error.in_record(key))?;
    let layout = |collections: &Collections| collections.get(&**collection).map(|found| found.layout.clone());
    let stays = layout(route.before()) == layout(route.after()) && *value == before.0 && *residues == before.1;
    Ok(Moved { record, stays })
}

/// The same for a family.
pub(super) fn go_together<'a>(run: &Run, route: &Route<'_>, family: Family<'a>) -> Result<Vec<Moved<'a>>> {
    let before = family.clone();
    let moved = route.move_family(run.now, family)?;
    let layout = |collections: &Collections, record: &Record<'_>| {
        collections.get(&*record.collection).map(|found| found.layout.clone())
    };
    let lies_there = |record| layout(route.before(), record) == layout(route.after(), record);
    let stays = moved == before && moved.iter().all(lies_there);
    Ok(moved.into_iter().map(|record| Moved { record, stays }).collect())
}

fn flatten<T>(lists: Vec<Vec<T>>) -> Vec<T> {
    lists.into_iter().flatten().collect()
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
    /// Whether the batch of a chunk is written.
    pub(super) fn is_written(&self, chunk: usize) -> bool {
        self.written.contains(&chunk.to_string())
    }

    /// Whether a record that is there already stays.
    pub(super) fn wins(&self, collection: &str, key: &str) -> bool {
        self.keep && self.records.contains(&(collection.to_owned(), key.to_owned()))
    }
}
