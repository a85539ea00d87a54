//! Every record goes up and must come down to what it was, before anything is written.

use std::collections::HashSet;

use litemap::LiteMap;

use super::keys::{RESIDUE, residue_key};
use super::line::{self, check_key};
use super::walk::Census;
use crate::chain::{Collection, Collections, Family, Layout, RESIDUE_LEVELS, Record, Residues, Route, Version};
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
    /// The keys of what comes of families.
    landed: HashSet<String>,
    misfits: LiteMap<(String, String), u64>,
    /// Records that were written since they came up, on a way down: by collection, and whether they have residues.
    written_since: LiteMap<(String, bool), u64>,
    /// Records that are no part of the data any more: by collection, and whether they are kept.
    gone: LiteMap<(String, bool), u64>,
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
            landed: HashSet::new(),
            misfits: LiteMap::new(),
            written_since: LiteMap::new(),
            gone: LiteMap::new(),
        }
    }

    /// Rehearses the records of a chunk, and counts them.
    pub(super) fn chunk(&mut self, chunk: &str, census: &mut Census) -> Result<()> {
        if self.route.rehomes() {
            return self.families(chunk, census);
        }
        let records = match line::records(chunk, self.route.before()) {
            // To go back to a snapshot, today's data need not make sense.
            Err(_) if self.cause == Cause::Restore => Vec::new(),
            records => records?,
        };
        for mut record in records {
            census.count(&record.collection);
            if self.cause == Cause::Restore {
                continue;
            }
            record.value.open_whole()?;
            self.record(&record).map_err(|error| error.in_collection(&record.collection).in_record(&record.key))?;
        }
        Ok(())
    }

    fn record(&mut self, record: &Record<'_>) -> Result<()> {
        let Record { collection, key, value, residues, .. } = record;
        take_key(&mut self.taken, record)?;
        let misfit = self.misfit(record)?;
        if !self.route.changes(collection) {
            return Ok(());
        }
        let mut moved = value.clone();
        let mut kept = residues.clone();
        let context = Context { now: self.now, key };
        self.route.translate(collection, context, &mut moved, &mut kept)?;
        let (text, written) = (moved.to_json(), kept.to_value().to_json());
        // As deep as the text will be.
        Value::trusted(&text, 0)?;
        let after = named(self.route.after(), collection)?;
        check_key(&after.layout, collection, key, &mut moved)?;
        match (after.schema.validate(&moved), misfit) {
            (Err(now), Some(before)) if now.context().path == before.context().path => {}
            (Err(now), _) => return Err(now),
            (Ok(()), _) => {}
        }
        expect_as_written(&kept, &written)?;
        self.note_written_since(record, &kept);
        self.comes_back(record, context, moved, kept)
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
        self.route.back().translate(&before.collection, context, &mut moved, &mut after)?;
        match moved == before.value && after == kept {
            true => Ok(()),
            false => Err(differs()),
        }
    }

    /// Counts what comes down otherwise than as what came up: its residue is another then, or it has none.
    fn note_written_since(&mut self, record: &Record<'_>, kept: &Residues<'_>) {
        let has_residue = !record.residues.is_empty();
        let is_as_it_came = has_residue && record.residues.to_value() == kept.to_value();
        if !is_as_it_came && self.route.recalls(&record.collection) {
            *self.written_since.entry((record.collection.to_string(), has_residue)).or_default() += 1;
        }
    }

    /// What does not fit before the run, and is noted.
    fn misfit(&mut self, record: &Record<'_>) -> Result<Option<Error>> {
        let misfit = named(self.route.before(), &record.collection)?.schema.validate(&record.value).err();
        if let Some(misfit) = &misfit {
            let place = misfit.context().path.clone().unwrap_or_default();
            *self.misfits.entry((record.collection.to_string(), place)).or_default() += 1;
        }
        Ok(misfit)
    }

    fn families(&mut self, chunk: &str, census: &mut Census) -> Result<()> {
        for family in line::families(chunk, &self.route)? {
            let mut misfits = Vec::new();
            for record in &family {
                let placed = |error: Error| error.in_collection(&record.collection).in_record(&record.key);
                take_key(&mut self.taken, record).map_err(placed)?;
                if !record.is_aside {
                    misfits.extend(self.misfit(record).map_err(placed)?);
                    census.count(&record.collection);
                }
            }
            let of = family.first().map(|record| (record.collection.to_string(), record.key.to_string()));
            self.family(family, &misfits).map_err(|error| match &of {
                Some((collection, key)) => error.in_collection(collection).in_record(key),
                None => error,
            })?;
        }
        Ok(())
    }

    /// As a record that stays alone: up, against the schemas, and down to what it was; and up again, because what a
    /// family remembers lies elsewhere on either side.
    fn family(&mut self, before: Family<'_>, misfits: &[Error]) -> Result<()> {
        let moved = self.route.move_family(self.now, before.clone())?;
        let texts: Vec<_> = moved.iter().map(written).collect();
        let mut there = Vec::new();
        for (record, (text, kept)) in moved.iter().zip(&texts) {
            there.push(
                self.lands(record, text, kept, misfits)
                    .map_err(|error| error.in_collection(&record.collection).in_record(&record.key))?,
            );
        }
        let back = self.route.back().move_family(self.now, there.clone())?;
        let comes_back = same_documents(&back, &before);
        let forgotten = if comes_back { Vec::new() } else { self.route.forgotten(self.now, before.clone())? };
        self.note_gone(&before, &there, &forgotten);
        match (comes_back || !forgotten.is_empty()) && same_documents(&self.route.move_family(self.now, back)?, &there)
        {
            true => Ok(()),
            false => Err(differs()),
        }
    }

    /// Counts what is no part of the data from now on.
    fn note_gone(&mut self, before: &Family<'_>, there: &Family<'_>, forgotten: &[String]) {
        let was_aside = |record: &Record<'_>| before.iter().any(|was| was.is_aside && was.key == record.key);
        let aside = there.iter().filter(|record| record.is_aside && !was_aside(record));
        for gone in aside.map(|record| (record.collection.to_string(), true)) {
            *self.gone.entry(gone).or_default() += 1;
        }
        for collection in forgotten {
            *self.gone.entry((collection.clone(), false)).or_default() += 1;
        }
    }

    /// Checks one record of a family where it arrives, as it will be read from there.
    fn lands<'t>(
        &mut self,
        record: &Record<'t>,
        text: &'t str,
        kept: &'t str,
        misfits: &[Error],
    ) -> Result<Record<'t>> {
        take_key(&mut self.landed, record)?;
        expect_as_written(&record.residues, kept)?;
        let mut landed = Record { value: Value::trusted(text, 0)?, ..record.clone() };
        if landed.is_aside {
            return Ok(landed);
        }
        let after = named(self.route.after(), &landed.collection)?;
        check_key(&after.layout, &landed.collection, &landed.key, &mut landed.value)?;
        match after.schema.validate(&landed.value) {
            Err(now) if !misfits.iter().any(|before| is_the_same(before, &now)) => Err(now),
            _ => Ok(landed),
        }
    }

    /// The residues among a store's keys whose records are gone. One whose record is there and cannot be read is none.
    pub(super) fn orphans(&self, keys: &HashSet<String>) -> Vec<String> {
        let is_orphan = |residue: &&String| {
            let name = residue.strip_prefix(RESIDUE).and_then(|name| name.split_once(':'));
            let Some((collection, record)) = name else { return false };
            let Some(found) = self.route.before().get(collection) else { return false };
            let prefix = residue_key(collection, "");
            !self.taken.contains(*residue)
                && match &found.layout {
                    Layout::Prefix { prefix } => !keys.contains(&format!("{prefix}{record}")),
                    Layout::Record { key } => !keys.contains(key),
                    Layout::Array { key, .. } | Layout::Map { key } => {
                        !keys.contains(key) || self.taken.iter().any(|taken| taken.starts_with(&prefix))
                    }
                }
        };
        match self.cause {
            // Then records are not looked at.
            Cause::Restore => Vec::new(),
            Cause::Migrate | Cause::Import | Cause::Revert => keys.iter().filter(is_orphan).cloned().collect(),
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
        let gone = |((collection, kept), count): (&(String, bool), &u64)| match kept {
            true => format!("{count} records of {collection} have no place in the data now, and were set aside"),
            false => format!("{count} records of {collection} were forgotten"),
        };
        let since = |((collection, has_residue), count): (&(String, bool), &u64)| match has_residue {
            true => {
                format!("{count} records of {collection} were changed since they came up, and the change came down")
            }
            false => format!(
                "{count} records of {collection} came down without residue: they were made since, or nothing had to be remembered of them"
            ),
        };
        let since = self.written_since.iter().map(since);
        self.misfits.iter().map(note).chain(since).chain(self.gone.iter().map(gone)).collect()
    }
}

fn take_key(taken: &mut HashSet<String>, record: &Record<'_>) -> Result<()> {
    match taken.insert(residue_key(&record.collection, &record.key)) {
        true => Ok(()),
        false => Err(Error::new(
            ErrorKind::Collision,
            "expected keys that differ, found two records with this one; give one of them another key",
        )),
    }
}

/// A family is a set: its order says nothing.
fn sorted(mut family: Family<'_>) -> Family<'_> {
    family.sort_by(|a, b| (&a.collection, &a.key).cmp(&(&b.collection, &b.key)));
    family
}

fn same_documents(a: &Family<'_>, b: &Family<'_>) -> bool {
    let alike = |(a, b): (&Record<'_>, &Record<'_>)| {
        (&a.collection, &a.key, a.is_aside) == (&b.collection, &b.key, b.is_aside) && a.value == b.value
    };
    let (a, b) = (sorted(a.clone()), sorted(b.clone()));
    a.len() == b.len() && a.iter().zip(&b).all(alike)
}

/// What is written of a record: its document, and what is remembered.
fn written(record: &Record<'_>) -> (String, String) {
    (record.value.to_json(), record.residues.to_value().to_json())
}

/// Whether what does not fit now did not fit before: inside a record that was taken apart, its place is the end of the
/// place that it had.
fn is_the_same(before: &Error, now: &Error) -> bool {
    let place = |error: &Error| error.context().path.clone().unwrap_or_default();
    place(before).ends_with(&place(now))
}

/// Checks that a residue that was written is read as what it was, but for what is to be forgotten.
fn expect_as_written(residues: &Residues<'_>, text: &str) -> Result<()> {
    let read = Residues::from_value(&Value::trusted(text, RESIDUE_LEVELS)?)?;
    if read.to_value() == residues.to_value() { Ok(()) } else { Err(differs()) }
}

fn differs() -> Error {
    let message = "expected the record to come back as it was, found a difference; please report this chain to Exuvia";
    Error::new(ErrorKind::Validation, message)
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
