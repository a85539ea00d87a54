//! Every record goes up and must come down to what it was, before anything is written.

use std::collections::HashSet;

use litemap::LiteMap;

use super::line::{self, Record, check_key, residue_key};
use super::walk::Census;
use crate::chain::{Chain, Residues, Version};
use crate::document::Value;
use crate::error::{Error, ErrorKind, Result};
use crate::lens::Context;
use crate::protocol::{Cause, Run, Source};

/// Moves every record up and down again, and watches over the keys they would get.
pub(super) struct Rehearsal<'r> {
    chain: &'r Chain,
    cause: Cause,
    from: Version,
    to: Version,
    now: i64,
    taken: HashSet<String>,
    misfits: LiteMap<(String, String), u64>,
    /// Bytes that the run is going to write.
    pub(super) written: u64,
}

impl<'r> Rehearsal<'r> {
    pub(super) fn new(chain: &'r Chain, run: &Run) -> Self {
        let to = match run.source {
            Source::Chain => Version(run.to_line.len() as u32),
            Source::Staged { .. } | Source::Snapshot { .. } => run.from,
        };
        Self {
            chain,
            cause: run.cause,
            from: run.from,
            to,
            now: run.now,
            taken: HashSet::new(),
            misfits: LiteMap::new(),
            written: 0,
        }
    }

    /// Rehearses the records of a chunk, and counts them.
    pub(super) fn chunk(&mut self, chunk: &str, census: &mut Census) -> Result<()> {
        let records = match line::records(chunk, self.chain, self.from) {
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
        let context = Context { now: self.now, key };
        self.chain.translate(collection, self.from, self.to, context, &mut moved, &mut kept)?;
        let (text, written) = (moved.to_json(), kept.to_value().to_json());
        self.written += (text.len() + key.len() + written.len()) as u64;
        let mut moved = Value::trusted(&text, 0)?;
        let after = self.chain.collection(collection, self.to)?;
        check_key(&after.layout, collection, key, &mut moved)?;
        match (after.schema.validate(&moved), misfit) {
            (Err(now), Some(before)) if now.context().path == before.context().path => {}
            (Err(now), _) => return Err(now),
            (Ok(()), _) => {}
        }
        let read = Residues::from_value(&Value::trusted(&written, 0)?)?;
        match read.to_value() == kept.to_value() {
            true => self.comes_back(record, context, moved, kept),
            false => Err(differs()),
        }
    }

    /// The residue is the one that has not been written down: it knows, too, what will be forgotten, so that everything
    /// else is held against the record.
    fn comes_back<'m>(
        &self,
        before: &Record<'_>,
        context: Context<'_>,
        mut moved: Value<'m>,
        kept: Residues<'m>,
    ) -> Result<()> {
        let mut after = kept.clone();
        self.chain.translate(&before.collection, self.to, self.from, context, &mut moved, &mut after)?;
        match moved == before.value && after == kept {
            true => Ok(()),
            false => Err(differs()),
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

fn differs() -> Error {
    Error::new(
        ErrorKind::Validation,
        "expected the record to come back as it was, found a difference; please report this chain to Exuvia",
    )
}
