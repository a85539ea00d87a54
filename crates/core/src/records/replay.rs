//! A snapshot's values, one after the other, written back as they were or compared with what is there.

use std::collections::{HashMap, HashSet};

use super::Records;
use super::line::Line;
use super::snapshot::Manifest;
use super::source::Present;
use super::store::{Entries, Host, Store, Vault};
use crate::chain::{Collections, OWN_PREFIX, Route};
use crate::document::Value;
use crate::error::{Error, ErrorKind, Result};
use crate::protocol::{Run, Seal, Source, Stage};

/// What is done with each value of a snapshot.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    /// It is written.
    Write,
    /// It is compared with what stands there.
    Compare,
    /// What stands there and is another value, and not the run's, is set aside.
    Spare,
    /// The same, and then it is written.
    Replace,
}

/// A snapshot being gone through for a run.
pub(super) struct Replay<'a, 'c, S: Store, V, H> {
    records: &'a Records<'c, S, V, H>,
    run: &'a Run,
    deed: Deed,
    /// The collections of the snapshot's version, to name records by.
    collections: &'a Collections,
    /// A value that lies in the snapshot in slices, as far as it has been put together.
    open: Option<(String, S::Value)>,
    /// Markers of new records, each with what it still stands for: keys that are written back leave it.
    markers: Vec<(String, Vec<Value<'static>>)>,
    /// Which storage keys it is about.
    within: &'a dyn Fn(&str) -> bool,
    /// Keys that are accounted for: those that the run has written, and those that were come through.
    known: HashSet<String>,
    /// The way on which the run writes.
    ours: Option<&'a Route<'a>>,
}

impl<'a, 'c, S: Store, V: Vault, H: Host> Replay<'a, 'c, S, V, H> {
    pub(super) fn new(
        records: &'a Records<'c, S, V, H>,
        run: &'a Run,
        deed: Deed,
        collections: &'a Collections,
    ) -> Self {
        let (markers, known) = (Vec::new(), HashSet::new());
        Self { records, run, deed, collections, open: None, markers, within: &|_| true, known, ours: None }
    }

    /// The same for some storage keys only.
    pub(super) fn within(self, within: &'a dyn Fn(&str) -> bool) -> Self {
        Self { within, ..self }
    }

    /// The same where a run has written under these keys, and on this way.
    pub(super) fn knowing(self, known: HashSet<String>, ours: Option<&'a Route<'a>>) -> Self {
        Self { known, ours, ..self }
    }

    /// The same for values that replace new records, which these markers stand for.
    pub(super) fn unmarking(self, markers: Vec<(String, Vec<Value<'static>>)>) -> Self {
        Self { markers, ..self }
    }

    /// Answers with the keys that are accounted for.
    pub(super) async fn go_through(mut self, seal: &Seal, stage: Stage) -> Result<HashSet<String>> {
        let manifest = Manifest::load(&self.records.vault, seal).await?;
        let of = manifest.records.values().sum::<u64>();
        let mut bytes = 0;
        for index in 0..manifest.chunks.len() {
            let chunk = manifest.chunk(&self.records.vault, index).await?;
            self.chunk(&chunk).await?;
            bytes += chunk.len() as u64;
            // Slices are not counted apart; bytes tell how far it is.
            let done = (of * bytes).checked_div(manifest.bytes).unwrap_or(of);
            self.records.report(self.run, stage, done, of, bytes);
        }
        self.close().await?;
        Ok(self.known)
    }

    async fn chunk(&mut self, chunk: &str) -> Result<()> {
        let mut entries = Vec::new();
        for line in chunk.lines() {
            let line = Line::parse(line)?;
            if line.storage_key().is_some_and(|key| !(self.within)(key)) {
                self.known.extend(line.storage_key().map(str::to_owned));
                continue;
            }
            match line {
                Line::Whole { key, value } => entries.push((key.into_owned(), value.to_json())),
                Line::Items { key, items, .. } => self.gather(&key, "[]", &Value::Array(items)).await?,
                Line::Members { key, members } => self.gather(&key, "{}", &Value::Object(members)).await?,
                Line::Record(_) => {
                    return Err(Error::new(ErrorKind::Snapshot, "expected a snapshot, found staged records"));
                }
            }
        }
        self.settle(chunk, entries).await
    }

    /// What stands under the keys of a chunk may be what the snapshot holds, or the run's.
    async fn spare(&mut self, chunk: &str, entries: &Entries) -> Result<()> {
        let ours = match self.ours {
            Some(route) if self.run.source == Source::Chain && !route.gathers() => {
                self.records.batch(self.run, route, chunk, &Present::default()).map(|batch| batch.entries)
            }
            _ => Ok(Vec::new()),
        };
        // What cannot be moved was never written.
        let ours = ours.unwrap_or_default();
        let mut may_be: HashMap<&str, Vec<&str>> = HashMap::new();
        for (key, text) in &ours {
            may_be.entry(key).or_default().push(text);
        }
        for (key, text) in entries {
            // Of what is marked and cannot be told again nobody knows what it should be.
            if !self.known.contains(key) || may_be.contains_key(&**key) {
                may_be.entry(key).or_default().push(text);
            }
        }
        may_be.retain(|key, _| (self.within)(key) && !key.starts_with(OWN_PREFIX));
        self.records.spare(self.run, &may_be).await?;
        self.known.extend(entries.iter().chain(&ours).map(|(key, _)| key.clone()));
        Ok(())
    }

    async fn settle(&mut self, chunk: &str, mut entries: Entries) -> Result<()> {
        if matches!(self.deed, Deed::Spare | Deed::Replace) {
            self.spare(chunk, &entries).await?;
        }
        match self.deed {
            Deed::Spare => Ok(()),
            Deed::Compare => self.records.compare(&entries, self.collections).await,
            Deed::Write | Deed::Replace if entries.is_empty() => Ok(()),
            Deed::Write | Deed::Replace => {
                let keys: Vec<_> = entries.iter().map(|(key, _)| key.clone()).collect();
                entries.extend(self.unmark(&keys));
                self.records.check_fence(self.run).await?;
                self.records.set(&entries).await
            }
        }
    }

    /// Adds a slice to the value it belongs to; a slice of another key ends the one before.
    async fn gather(&mut self, key: &str, empty: &str, slice: &Value<'_>) -> Result<()> {
        if self.open.as_ref().is_none_or(|(gathered, _)| gathered != key) {
            self.close().await?;
            self.open = Some((key.to_owned(), self.records.store.write(empty)?));
        }
        match &mut self.open {
            Some((_, value)) => self.records.store.extend(value, &slice.to_json()),
            None => Ok(()),
        }
    }

    async fn close(&mut self) -> Result<()> {
        let Some((key, value)) = self.open.take() else { return Ok(()) };
        if matches!(self.deed, Deed::Spare | Deed::Replace) && self.known.insert(key.clone()) {
            self.records.spare_whole(self.run, &key, &value).await?;
        }
        match self.deed {
            Deed::Compare => self.records.compare_whole(&key, &value, self.collections).await,
            Deed::Spare => Ok(()),
            Deed::Write | Deed::Replace => {
                let mut entries = Vec::new();
                for (marker, keys) in self.unmark(std::slice::from_ref(&key)) {
                    entries.push((marker, self.records.store.write(&keys)?));
                }
                entries.push((key, value));
                self.records.check_fence(self.run).await?;
                self.records.store.set(entries).await
            }
        }
    }

    /// The markers that stand for any of these keys, without them.
    fn unmark(&mut self, keys: &[String]) -> Entries {
        let keys: HashSet<_> = keys.iter().map(String::as_str).collect();
        let mut changed = Vec::new();
        for (marker, marked) in &mut self.markers {
            let before = marked.len();
            let is_back = |value: &Value<'_>| value.text().ok().flatten().is_some_and(|key| keys.contains(&*key));
            marked.retain(|value| !is_back(value));
            if marked.len() < before {
                changed.push((marker.clone(), Value::Array(marked.clone()).to_json()));
            }
        }
        changed
    }
}

impl<S: Store, V: Vault, H: Host> Records<'_, S, V, H> {
    /// The keys that a snapshot holds.
    pub(super) async fn keys_of(&self, seal: &Seal) -> Result<HashSet<String>> {
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
}
