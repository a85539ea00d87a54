//! Collections that live under one key are built whole, on the store's side of the border.

use std::collections::HashMap;

use super::Records;
use super::line;
use super::snapshot::Manifest;
use super::source::Present;
use super::store::{Host, Store, Vault};
use crate::chain::{Collection, Layout, Record, Route};
use crate::document::quote;
use crate::error::Result;
use crate::protocol::{Merge, Run, Source};

/// One collection of a run's target version, on the way to being one value.
pub(super) struct Assembly<'a, 'c, S, V, H> {
    pub(super) records: &'a Records<'c, S, V, H>,
    pub(super) run: &'a Run,
    pub(super) route: &'a Route<'a>,
    pub(super) name: &'a str,
    pub(super) collection: &'a Collection,
    pub(super) present: &'a Present,
}

/// Where an item goes in its array: those that had a place keep their order; newcomers follow, by the place they bring,
/// then by key.
type Rank = (bool, u64, String);

impl<S: Store, V: Vault, H: Host> Assembly<'_, '_, S, V, H> {
    /// The storage key and the value: empty where no record is there.
    pub(super) async fn build(&self, source: &Manifest) -> Result<(String, S::Value)> {
        let store = &self.records.store;
        let (key, _) = self.collection.layout.reach();
        let empty = if self.is_array() { "[]" } else { "{}" };
        let mut value = store.write(empty)?;
        let mut ranks = Vec::new();
        let mut survivors = HashMap::new();
        if let (Source::Staged { merge: Merge::Keep | Merge::Take, .. }, Some(seal)) =
            (&self.run.source, &self.run.seal)
        {
            let staged = self.staged_keys(source).await?;
            let before = Manifest::load(&self.records.vault, seal).await?;
            for index in 0..before.chunks.len() {
                let chunk = before.chunk(&self.records.vault, index).await?;
                let mut found = line::records(&chunk, self.route.before())?;
                found.retain(|record| record.collection == self.name);
                for record in &found {
                    survivors.insert(record.key.to_string(), record.residues.place.unwrap_or(u64::MAX));
                }
                found.retain(|record| !staged.contains_key(&*record.key) || self.present.wins(self.name, &record.key));
                self.append(&found, &survivors, &mut value, &mut ranks)?;
            }
        }
        for index in 0..source.chunks.len() {
            let chunk = source.chunk(&self.records.vault, index).await?;
            let mut found = self.moved(&chunk)?;
            found.retain(|record| record.collection == self.name && !self.present.wins(self.name, &record.key));
            self.append(&found, &survivors, &mut value, &mut ranks)?;
        }
        if self.is_array() && !ranks.is_sorted() {
            let mut order: Vec<u32> = (0..ranks.len() as u32).collect();
            order.sort_by(|&a, &b| ranks[a as usize].cmp(&ranks[b as usize]));
            store.reorder(&mut value, &order);
        }
        Ok((key.to_owned(), value))
    }

    fn is_array(&self) -> bool {
        matches!(self.collection.layout, Layout::Array { .. })
    }

    fn moved<'t>(&self, chunk: &'t str) -> Result<Vec<Record<'t>>> {
        Ok(self.records.moved(self.run, self.route, chunk)?.into_iter().map(|moved| moved.record).collect())
    }

    async fn staged_keys(&self, source: &Manifest) -> Result<HashMap<String, ()>> {
        let mut keys = HashMap::new();
        for index in 0..source.chunks.len() {
            let chunk = source.chunk(&self.records.vault, index).await?;
            let found = self.moved(&chunk)?;
            keys.extend(
                found
                    .into_iter()
                    .filter(|record| record.collection == self.name)
                    .map(|record| (record.key.into_owned(), ())),
            );
        }
        Ok(keys)
    }

    fn append(
        &self,
        found: &[Record<'_>],
        survivors: &HashMap<String, u64>,
        value: &mut S::Value,
        ranks: &mut Vec<Rank>,
    ) -> Result<()> {
        if found.is_empty() {
            return Ok(());
        }
        let is_array = self.is_array();
        let mut text = String::from(if is_array { "[" } else { "{" });
        for (index, record) in found.iter().enumerate() {
            text.push_str(if index == 0 { "" } else { "," });
            if !is_array {
                quote(&record.key, &mut text);
                text.push(':');
            }
            record.value.write(&mut text);
            ranks.push(self.rank(record, survivors));
        }
        text.push(if is_array { ']' } else { '}' });
        self.records.store.extend(value, &text)
    }

    fn rank(&self, record: &Record<'_>, survivors: &HashMap<String, u64>) -> Rank {
        let merges = matches!(self.run.source, Source::Staged { merge: Merge::Keep | Merge::Take, .. });
        let brought = record.residues.place;
        let (newcomer, place) = match survivors.get(&*record.key) {
            Some(place) => (false, *place),
            None if merges => (true, brought.unwrap_or(u64::MAX)),
            None => (brought.is_none(), brought.unwrap_or(u64::MAX)),
        };
        (newcomer, place, record.key.to_string())
    }
}
