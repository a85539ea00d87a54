//! A snapshot's values, one after the other, written back as they were or compared with what is there.

use std::collections::HashSet;

use super::Records;
use super::line::Line;
use super::snapshot::Manifest;
use super::store::{Host, Store, Vault};
use super::write::Entries;
use crate::chain::Collections;
use crate::document::Value;
use crate::error::{Error, ErrorKind, Result};
use crate::protocol::{Run, Seal, Stage};

/// What is done with each value of a snapshot.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    Write,
    Compare,
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
}

impl<'a, 'c, S: Store, V: Vault, H: Host> Replay<'a, 'c, S, V, H> {
    pub(super) fn new(
        records: &'a Records<'c, S, V, H>,
        run: &'a Run,
        deed: Deed,
        collections: &'a Collections,
    ) -> Self {
        Self { records, run, deed, collections, open: None, markers: Vec::new() }
    }

    /// The same for values that replace new records, which these markers stand for.
    pub(super) fn unmarking(self, markers: Vec<(String, Vec<Value<'static>>)>) -> Self {
        Self { markers, ..self }
    }

    pub(super) async fn go_through(mut self, seal: &Seal, stage: Stage) -> Result<()> {
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
        self.close().await
    }

    async fn chunk(&mut self, chunk: &str) -> Result<()> {
        let mut entries = Vec::new();
        for line in chunk.lines() {
            match Line::parse(line)? {
                Line::Whole { key, value } => entries.push((key.into_owned(), value.to_json())),
                Line::Items { key, items, .. } => self.gather(&key, "[]", &Value::Array(items)).await?,
                Line::Members { key, members } => self.gather(&key, "{}", &Value::Object(members)).await?,
                Line::Record(_) => {
                    return Err(Error::new(ErrorKind::Snapshot, "expected a snapshot, found staged records"));
                }
            }
        }
        self.settle(entries).await
    }

    async fn settle(&mut self, mut entries: Entries) -> Result<()> {
        match self.deed {
            Deed::Compare => self.records.compare(&entries, self.collections).await,
            Deed::Write if entries.is_empty() => Ok(()),
            Deed::Write => {
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
        match self.deed {
            Deed::Compare => self.records.compare_whole(&key, &value, self.collections).await,
            Deed::Write => {
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
