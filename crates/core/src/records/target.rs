//! The protocol's operations on a store.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet, VecDeque};

use futures_lite::future::zip;

use super::Records;
use super::families::families_id;
use super::line::{self, RESIDUE};
use super::rehearse::Rehearsal;
use super::replay::{Deed, Replay};
use super::rewind::Rewind;
use super::snapshot::{Manifest, Purpose, SnapshotWriter};
use super::store::{Host, Store, Vault};
use super::walk::{CHAIN, CONTROL, Census, MARKER, Walk, chain_key};
use crate::chain::{Chain, Link, Route, Version};
use crate::document::{Json, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::protocol::{Found, Head, Merge, Phase, Progress, Reach, Run, Seal, Source, Stage, Target};

/// The head is padded to this many bytes, so that a full store still has room for the next one.
const HEAD_BYTES: usize = 16 << 10;

/// Staged records that no run brought in within a day, in milliseconds, are forgotten; another context may just have
/// staged younger ones.
const STAGED_FOR: i64 = 86_400_000;

impl<S: Store, V: Vault, H: Host> Records<'_, S, V, H> {
    /// Saves everything that a walk comes to. Each chunk is shown to `see`, which counts its records, while the next one
    /// is on its way.
    async fn save(
        &self,
        id: &str,
        run: &Run,
        line: Vec<Link>,
        mut walk: Walk<'_, S>,
        mut see: impl FnMut(&str, &mut Census) -> Result<()>,
    ) -> Result<Manifest> {
        let manifest = SnapshotWriter::<V>::new_manifest(id, Purpose::Snapshot, run.cause, line, run.now);
        let mut writer = SnapshotWriter::create(&self.vault, manifest).await?;
        let (mut census, mut bytes) = (Census::default(), 0);
        let mut ready = walk.next().await?;
        while let Some(chunk) = ready {
            let kept = async {
                see(&chunk, &mut census)?;
                writer.append(&chunk).await
            };
            let (next, kept) = zip(walk.next(), kept).await;
            kept?;
            ready = next?;
            bytes += chunk.len() as u64;
            self.report(run, Stage::Snapshot, census.total(), 0, bytes);
        }
        writer.seal(census.0).await
    }

    /// The line that the data has run before the run.
    async fn line_before(&self, run: &Run) -> Result<Vec<Link>> {
        let marked = self.read_head().await?.map(|head| head.line).unwrap_or_default();
        Ok(match run.from {
            // Nobody has marked this data; it is taken for version 1, and the rehearsal notes what does not fit.
            Version(1) if marked.is_empty() => self.chain.line(Version(1)).cloned().collect(),
            _ => marked,
        })
    }

    /// No key that the new version uses may be there already, unless it is the old version's.
    fn check_free(&self, run: &Run, keys: &[String]) -> Result<()> {
        if run.source != Source::Chain {
            return Ok(());
        }
        let covered = |reaches: &[Reach], key: &str| reaches.iter().any(|reach| reach.covers(key));
        match keys.iter().find(|key| covered(&run.uses, key) && !covered(&run.leaves, key)) {
            None => Ok(()),
            Some(taken) => {
                let message = format!(
                    "expected the storage keys of the new version to be free, found {taken:?} in use; rename or remove it"
                );
                Err(Error::new(ErrorKind::Collision, message))
            }
        }
    }

    /// What the run has written, by its markers.
    async fn rewind<'r>(&self, run: &Run, route: &Route<'r>, keys: &[String]) -> Result<Rewind<'r>> {
        let markers: Vec<_> = keys.iter().filter(|key| key.starts_with(MARKER)).cloned().collect();
        let (mut moved, mut families) = (HashSet::new(), HashMap::new());
        let text = |value: &Value<'_>| value.text().ok().flatten().map(Cow::into_owned);
        for (_, value) in self.store.get(&markers).await? {
            let marker = self.store.read(&value)?;
            let Value::Array(marked) = Value::parse(&marker)?.opened()? else { continue };
            for marked in &marked {
                match marked.opened()? {
                    Value::Array(family) => {
                        let mut family: VecDeque<_> = family.iter().filter_map(text).collect();
                        families.extend(family.pop_front().map(|root| (root, family.into())));
                    }
                    key => moved.extend(text(&key)),
                }
            }
        }
        Ok(Rewind { route: *route, now: run.now, moved, families })
    }

    /// Reads the snapshot back: it is what was rehearsed, for the digests of its chunks are of that.
    async fn read_back(&self, run: &Run, manifest: &Manifest) -> Result<()> {
        let of = manifest.records.values().sum();
        for index in 0..manifest.chunks.len() {
            manifest.check(&self.vault, index).await?;
            let part = |all: u64| all * (index as u64 + 1) / manifest.chunks.len() as u64;
            self.report(run, Stage::Rehearse, part(of), of, part(manifest.bytes));
        }
        Ok(())
    }

    /// What the run adds must fit beside what is there.
    async fn check_room(&self, run: &Run, rehearsed: u64) -> Result<()> {
        let chain = self.chain.to_value().to_json().len() as u64;
        let growth = match &run.source {
            Source::Chain => rehearsed + chain,
            Source::Staged { seal, .. } => Manifest::load(&self.vault, seal).await?.bytes + chain,
            Source::Snapshot { .. } => 0,
        };
        match self.store.room().await? {
            Some(room) if growth > room => {
                let message = format!(
                    "expected room for {growth} bytes beside the old data, found {room}; remove something, or ask for the permission unlimitedStorage"
                );
                Err(Error::new(ErrorKind::Quota, message))
            }
            _ => Ok(()),
        }
    }

    /// Removes keys that the data does not consist of any more.
    async fn remove_where(&self, gone: impl Fn(&str) -> bool) -> Result<()> {
        let keys = self.store.keys().await?;
        let gone: Vec<_> = keys.into_iter().filter(|key| key != CONTROL && gone(key)).collect();
        match gone.is_empty() {
            true => Ok(()),
            false => self.store.remove(&gone).await,
        }
    }
}

fn count(chunk: &str, route: &Route<'_>, census: &mut Census) -> Result<()> {
    line::records(chunk, route.before())?.iter().for_each(|record| census.count(&record.collection));
    Ok(())
}

fn digest(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex()[..32].to_owned()
}

impl<S: Store, V: Vault, H: Host> Target for Records<'_, S, V, H> {
    type Guard = H::Guard;

    async fn acquire(&self) -> Result<H::Guard> {
        self.host.lock().await
    }

    async fn find(&self) -> Result<Found> {
        if let Some(head) = self.read_head().await? {
            let at_rest = head.run.is_none();
            return Ok(if head.lost && at_rest { Found::Lost } else { Found::Marked(Box::new(head)) });
        }
        if self.vault.mirror().await?.is_some() {
            return Ok(Found::Lost);
        }
        let keys = self.store.keys().await?;
        // Of a process that died before it wrote its first head.
        let is_fresh = keys.iter().all(|key| key.starts_with(CHAIN));
        Ok(if is_fresh { Found::Fresh } else { Found::Unmarked })
    }

    async fn put(&self, head: &Head) -> Result<()> {
        let mut text = head.to_json();
        let padding = HEAD_BYTES.saturating_sub(text.len() + r#","pad":"""#.len());
        text.truncate(text.len() - 1);
        text.push_str(&format!(",\"pad\":\"{}\"}}", "-".repeat(padding)));
        self.store.set(vec![(CONTROL.to_owned(), self.store.write(&text)?)]).await?;
        if head.run.is_none() && head.version > Version(0) {
            self.vault.put_mirror(&format!("{{\"version\":{},\"head\":\"{}\"}}", head.version, head.head)).await?;
        }
        Ok(())
    }

    async fn chains(&self) -> Result<Vec<String>> {
        let keys = self.store.keys().await?.into_iter().filter(|key| key.starts_with(CHAIN)).collect::<Vec<_>>();
        let mut chains = Vec::new();
        for (key, value) in self.store.get(&keys).await? {
            let text = self.store.read(&value)?;
            let chain = Value::parse(&text).and_then(|value| Ok(value.text()?.map(Cow::into_owned)));
            // One that is not what was written is of no use.
            chains.extend(chain.ok().flatten().filter(|chain| key == chain_key(&digest(chain))));
        }
        Ok(chains)
    }

    /// As a text and not as what it says: a browser would cut off what is nested deep.
    async fn keep(&self, chain: &Chain) -> Result<String> {
        let text = chain.to_value().to_json();
        let name = digest(&text);
        self.set(&[(chain_key(&name), Value::from(&*text).to_json())]).await?;
        Ok(name)
    }

    async fn inspect(&self, run: &Run) -> Result<()> {
        // Markers of an earlier run would pass for this one's.
        self.remove_where(|key| key.starts_with(MARKER)).await?;
        match &run.source {
            Source::Chain => Ok(()),
            Source::Staged { seal, .. } | Source::Snapshot { seal } => match self.verify(seal).await? {
                true => Ok(()),
                false => Err(Error::new(
                    ErrorKind::Snapshot,
                    "expected the records to bring in whole, found them damaged; choose another snapshot or file",
                )),
            },
        }
    }

    async fn capture(&self, run: &mut Run, route: &Route<'_>) -> Result<Seal> {
        let line = self.line_before(run).await?;
        self.enter(run, Stage::Snapshot);
        let keys = self.store.keys().await?;
        self.check_free(run, &keys)?;
        let walk = Walk::new(&self.store, route.before(), keys);
        let mut rehearsal = Rehearsal::new(*route, run);
        let gathers = run.source == Source::Chain && route.gathers();
        let rehearse = |chunk: &str, census: &mut Census| match gathers {
            false => rehearsal.chunk(chunk, census),
            true => count(chunk, route, census),
        };
        let seal = self.save(&run.id, run, line, walk, rehearse).await?.seal();
        let manifest = Manifest::load(&self.vault, &seal).await?;
        self.read_back(run, &manifest).await?;
        if gathers {
            let families = self.families(run, route, &manifest).await?;
            for index in 0..families.chunks.len() {
                rehearsal.chunk(&families.chunk(&self.vault, index).await?, &mut Census::default())?;
            }
        }
        self.check_room(run, rehearsal.written).await?;
        run.notes = rehearsal.finish();
        let counted = match &run.source {
            Source::Chain => manifest,
            Source::Staged { seal, .. } | Source::Snapshot { seal } => Manifest::load(&self.vault, seal).await?,
        };
        run.records = counted.records;
        run.bytes = counted.bytes;
        Ok(seal)
    }

    async fn recapture(&self, run: &Run, route: &Route<'_>) -> Result<Seal> {
        let keys = self.store.keys().await?;
        let rewind = self.rewind(run, route, &keys).await?;
        let line = self.line_before(run).await?;
        self.enter(run, Stage::Snapshot);
        let walk = Walk::rewinding(&self.store, rewind, keys);
        let count = |chunk: &str, census: &mut Census| count(chunk, route, census);
        Ok(self.save(&self.host.token(), run, line, walk, count).await?.seal())
    }

    async fn verify(&self, seal: &Seal) -> Result<bool> {
        let whole = async {
            let manifest = Manifest::load(&self.vault, seal).await?;
            for index in 0..manifest.chunks.len() {
                manifest.check(&self.vault, index).await?;
            }
            Ok(())
        };
        match whole.await {
            Ok(()) => Ok(true),
            Err(error) => {
                let error: Error = error;
                if error.kind() == ErrorKind::Snapshot { Ok(false) } else { Err(error) }
            }
        }
    }

    async fn apply(&self, run: &Run, route: &Route<'_>) -> Result<()> {
        match &run.source {
            Source::Snapshot { seal } => {
                self.check_fence(run).await?;
                // Removed first, so that a full store has room; the run's own snapshot holds what goes.
                let kept = self.keys_of(seal).await?;
                self.remove_where(|key| !kept.contains(key)).await?;
                Replay::new(self, run, Deed::Write, route.after()).go_through(seal, Stage::Apply).await
            }
            Source::Chain | Source::Staged { .. } => self.apply_records(run, route).await,
        }
    }

    async fn validate(&self, run: &Run, route: &Route<'_>) -> Result<()> {
        match &run.source {
            Source::Snapshot { seal } => {
                Replay::new(self, run, Deed::Compare, route.after()).go_through(seal, Stage::Validate).await
            }
            Source::Chain | Source::Staged { .. } => self.validate_records(run, route).await,
        }
    }

    async fn restore(&self, run: &Run, route: &Route<'_>) -> Result<()> {
        let Some(seal) = &run.seal else {
            return Err(Error::new(ErrorKind::Snapshot, "expected a run with a snapshot, found none"));
        };
        self.check_fence(run).await?;
        let kept = self.keys_of(seal).await?;
        // Removed first, so that a full store has room again; the snapshot was verified, and is what counts.
        self.remove_where(|key| !kept.contains(key)).await?;
        Replay::new(self, run, Deed::Write, route.before()).go_through(seal, Stage::Restore).await?;
        Replay::new(self, run, Deed::Compare, route.before()).go_through(seal, Stage::Restore).await
    }

    async fn sweep(&self, run: &Run, route: &Route<'_>) -> Result<()> {
        if run.phase == Phase::Sweep {
            let covers = |reaches: &[Reach], key: &str| reaches.iter().any(|reach| reach.covers(key));
            match &run.source {
                Source::Chain => self.remove_where(|key| covers(&run.leaves, key) && !covers(&run.uses, key)).await?,
                Source::Snapshot { seal } => {
                    let kept = self.keys_of(seal).await?;
                    self.remove_where(|key| !kept.contains(key)).await?;
                }
                Source::Staged { seal, merge: Merge::Replace } => {
                    let kept = self.keys_of_staged(run, route, seal).await?;
                    self.remove_where(|key| {
                        (covers(&run.uses, key) || key.starts_with(RESIDUE)) && !kept.contains(key)
                    })
                    .await?;
                }
                Source::Staged { .. } => {}
            }
        }
        let keeps = run.keeps.as_deref().filter(|_| run.phase == Phase::Sweep).map(chain_key);
        let is_other = |key: &str| key.starts_with(CHAIN) && keeps.as_deref().is_some_and(|keeps| key != keeps);
        self.remove_where(|key| key.starts_with(MARKER) || is_other(key)).await
    }

    async fn retain(&self, run: &Run) -> Result<()> {
        if run.phase == Phase::Capture {
            self.vault.delete(&run.id).await?;
        }
        let snapshot = run.seal.as_ref().map_or(&run.id, |seal| &seal.id);
        self.vault.delete(&families_id(snapshot)).await?;
        let brought = match &run.source {
            Source::Staged { seal, .. } => Some(&seal.id),
            Source::Chain | Source::Snapshot { .. } => None,
        };
        for (id, text) in self.vault.manifests().await? {
            // What a later Exuvia keeps is not for this one to judge.
            let forgotten = Manifest::parse(&text).is_some_and(|manifest| {
                manifest.purpose == Purpose::Staged && manifest.created_at < run.now - STAGED_FOR
            });
            if forgotten || Some(&id) == brought {
                self.vault.delete(&id).await?;
            }
        }
        // Clocks are put back; the run's own snapshot is the newest whatever they say.
        let own = run.seal.as_ref().map(|seal| &*seal.id);
        let others = self.snapshots().await?.into_iter().filter(|manifest| Some(&*manifest.id) != own);
        for old in others.skip(self.keep.saturating_sub(usize::from(own.is_some()))) {
            self.vault.delete(&old.id).await?;
        }
        Ok(())
    }

    fn now(&self) -> i64 {
        self.host.now()
    }

    fn token(&self) -> String {
        self.host.token()
    }

    fn progress(&self, run: &Run, progress: Progress) {
        self.host.progress(&run.id, progress);
    }
}
