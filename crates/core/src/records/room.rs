//! Room: what a run writes stands beside what it replaces until the sweep. It is reckoned from the very batches that will
//! be written, so that a store which cannot hold them is left alone.

use super::Records;
use super::keys::CONTROL;
use super::snapshot::CHUNK;
use super::store::{Entries, Host, Shape, Store, Vault};
use super::target::{chain_entry, padded};
use super::write::marker;
use crate::chain::Route;
use crate::document::Json;
use crate::error::{Error, ErrorKind, Result};
use crate::protocol::{Run, Source};

/// What the head may grow by beside what is reckoned: a seal, names, digits, a problem.
const MORE: u64 = 2 << 10;

impl<S: Store, V: Vault, H: Host> Records<'_, S, V, H> {
    /// What a run with a snapshot adds must fit beside what is there.
    pub(super) async fn check_room(&self, run: &Run, route: &Route<'_>) -> Result<()> {
        // Where a snapshot is brought back, what it does not hold is removed first.
        if matches!(run.source, Source::Snapshot { .. }) {
            return Ok(());
        }
        let Some(room) = self.store.room().await? else { return Ok(()) };
        let chain = self.growth(&vec![chain_entry(self.chain)]).await?;
        let growth = chain + self.growth_of_head(run).await? + self.growth_of_data(run, route).await?;
        if growth <= room {
            return Ok(());
        }
        let message = format!(
            "expected room for {growth} bytes beside the old data, found {room}; remove something, or ask for the permission unlimitedStorage"
        );
        Err(Error::new(ErrorKind::Quota, message))
    }

    /// How many bytes more are stored once entries are set.
    async fn growth(&self, entries: &Entries) -> Result<u64> {
        let size = entries.iter().map(|(key, text)| key.len() as u64 + self.store.weigh(text)).sum();
        self.growth_by(entries.iter().map(|(key, _)| key.clone()).collect(), size).await
    }

    /// At least none: what one call frees may be freed after the others have been made.
    async fn growth_by(&self, keys: Vec<String>, size: u64) -> Result<u64> {
        Ok(size.saturating_sub(self.store.bytes(&keys).await?.unwrap_or_default()))
    }

    /// The head tells the run twice when it is committed, and has its line.
    async fn growth_of_head(&self, run: &Run) -> Result<u64> {
        let weigh = |text: String| self.store.weigh(&text);
        let head = self.read_head().await?.map(|head| weigh(head.to_json())).unwrap_or_default();
        let told_twice = weigh(run.notes.to_json()) + weigh(run.records.to_json());
        let grown = padded(head + weigh(run.to_line.to_json()) + 2 * told_twice + MORE);
        self.growth_by(vec![CONTROL.to_owned()], CONTROL.len() as u64 + grown).await
    }

    async fn growth_of_data(&self, run: &Run, route: &Route<'_>) -> Result<u64> {
        let source = self.source(run, route).await?;
        let present = self.present(run, route).await?;
        let mut growth = 0;
        for index in 0..source.chunks.len() {
            let chunk = source.chunk(&self.vault, index).await?;
            let batch = self.batch(run, route, &chunk, &present)?;
            growth += self.growth(&batch.with_marker(run, index)).await?;
        }
        for (key, value) in self.assemblies(run, route, &source, &present).await? {
            let (mark, keys) = marker(run, &key, [&*key], &[]);
            let size = (key.len() + mark.len()) as u64 + self.size(&value)? + self.store.weigh(&keys);
            growth += self.growth_by(vec![key, mark], size).await?;
        }
        Ok(growth)
    }

    /// The bytes of a value as JSON, which may be too large to be held as text.
    fn size(&self, value: &S::Value) -> Result<u64> {
        let (Shape::Array(length) | Shape::Object(length)) = self.store.shape(value) else {
            return Ok(self.store.weigh(&self.store.read(value)?));
        };
        let (mut start, mut size) = (0, "[]".len() as u64);
        while start < length {
            let (text, count) = self.store.slice(value, start, CHUNK)?;
            // Its brackets go, and a comma stands before the next.
            size += self.store.weigh(&text) - "[]".len() as u64 + u64::from(start + count < length);
            start += count;
        }
        Ok(size)
    }
}
