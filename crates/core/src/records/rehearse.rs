//! Every record goes up and must come down to what it was, before anything is written.

use std::collections::HashSet;

use litemap::LiteMap;

use super::line::{self, Record, check_key, residue_key};
use super::walk::Census;
use crate::chain::{Collection, Collections, Residues, Route, Version};
use crate::document::Value;
use crate::error::{Error, ErrorKind, Result};
use crate::lens::Context;
use crate::protocol::{Cause, Run, Source};

/// Moves every record up and down again, and watches over the keys they would get.
pub(super) struct Rehearsal<'r> {
    route: Route<'r>,
    cause: Cause,
    from: Version,
    now: i64,
    taken: HashSet<String>,
    misfits: LiteMap<(String, String), u64>,
    /// Bytes that the run is going to write.
    pub(super) written: u64,
}

impl<'r> Rehearsal<'r> {
    pub(super) fn new(route: Route<'r>, run: &Run) -> Self {
        let route = match run.source {
            Source::Chain => route,
            Source::Staged { .. } | Source::Snapshot { .. } => route.stay(),
        };
        Self {
            route,
            cause: run.cause,
            from: run.from,
            now: run.now,
            taken: HashSet::new(),
            misfits: LiteMap::new(),
            written: 0,
        }
    }

    /// Rehearses the records of a chunk, and counts them.
    pub(super) fn chunk(&mut self, chunk: &str, census: &mut Census) -> Result<()> {
        let records = match line::records(chunk, self.route.before()) {
            // To go back to a snapshot, today's data need not make sense.
            Err(_) if self.cause == Cause::Restore => Vec::new(),
            records => records?,
        };
        for record in records {
            census.count(&record.collection);
            if self.cause == Cause::Restore {
                continue;
            }
            self.record(&record).map_err(|error| error.in_collection(&record.collection).in_record(&record.key))?;
        }
        Ok(())
    }

    fn record(&mut self, record: &Record<'_>) -> Result<()> {
        let Record { collection, key, value, residues } = record;
        if !self.taken.insert(residue_key(collection, key)) {
            return Err(Error::new(
                ErrorKind::Collision,
                "expected keys that differ, found two records with this one; give one of them another key",
            ));
        }
        let misfit = named(self.route.before(), collection)?.schema.validate(value).err();
        if let Some(misfit) = &misfit {
            let place = misfit.context().path.clone().unwrap_or_default();
            *self.misfits.entry((collection.to_string(), place)).or_default() += 1;
        }
        if !self.route.changes(collection) {
            return Ok(());
        }
        let mut moved = value.clone();
        let mut kept = residues.clone();
        let context = Context { now: self.now, key };
        self.route.translate(collection, context, &mut moved, &mut kept)?;
        let (text, kept) = (moved.to_json(), kept.to_value().to_json());
        self.written += (text.len() + key.len() + kept.len()) as u64;
        let mut moved = Value::trusted(&text, 0)?;
        let after = named(self.route.after(), collection)?;
        check_key(&after.layout, collection, key, &mut moved)?;
        match (after.schema.validate(&moved), misfit) {
            (Err(now), Some(before)) if now.context().path == before.context().path => {}
            (Err(now), _) => return Err(now),
            (Ok(()), _) => {}
        }
        self.comes_back(record, context, moved, &kept)
    }

    fn comes_back<'m>(
        &self,
        before: &Record<'_>,
        context: Context<'_>,
        mut moved: Value<'m>,
        kept: &'m str,
    ) -> Result<()> {
        let kept = Residues::from_value(&Value::trusted(kept, 8)?)?;
        let mut after = kept.clone();
        self.route.back().translate(&before.collection, context, &mut moved, &mut after)?;
        match moved == before.value && after == kept {
            true => Ok(()),
            false => Err(Error::new(
                ErrorKind::Validation,
                "expected the record to come back as it was, found a difference; please report this chain to Exuvia",
            )),
        }
    }

    pub(super) fn finish(self) -> Vec<String> {
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

/// A collection that records are said to belong to.
fn named<'c>(collections: &'c Collections, name: &str) -> Result<&'c Collection> {
    collections.get(name).ok_or_else(|| {
        Error::new(
            ErrorKind::Chain,
            "expected a collection that both ends of the way have, found one that they have not",
        )
    })
}
