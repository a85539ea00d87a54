//! The protocol's operations on a store.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use futures_lite::future::zip;

use super::Records;
use super::families::families_id;
use super::keys::{ASIDE, CHAIN, CONTROL, DEVICE, MARKER, RESIDUE, STRAY, chain_key, covers, marker_prefix};
use super::line;
use super::rehearse::Rehearsal;
use super::replay::{Deed, Replay};
use super::rewind::Rewind;
use super::snapshot::{Manifest, Purpose, SnapshotWriter};
use super::store::{Host, Store, Vault};
use super::strays::{ROUNDS, marked, restless};
use super::walk::{Census, Walk};
use crate::chain::{Chain, Link, OWN_PREFIX, Route, Version};
use crate::document::{Json, Quoted, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::protocol::{Found, Head, Merge, Phase, Progress, Run, Seal, Source, Stage, Target};

/// The head is padded to a multiple of so many bytes, so that a full store still has room for the next one.
const HEAD_BYTES: u64 = 16 << 10;

/// What the head and its padding have between them.
const PAD: &str = r#","pad":"""#;

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
            // Nobody knows what this is.
            Version(0) => Vec::new(),
            // Nobody has marked this data; it is taken for version 1, and the rehearsal notes what does not fit.
            Version(1) if marked.is_empty() => {
                run.baseline().unwrap_or_else(|| self.chain.line(Version(1)).cloned().collect())
            }
            _ => marked,
        })
    }

    /// No key that the new version uses may be there already, unless it is the old version's.
    fn check_free(&self, run: &Run, keys: &[String]) -> Result<()> {
        if run.source != Source::Chain {
            return Ok(());
        }
        match keys.iter().find(|key| covers(&run.uses, key) && !covers(&run.leaves, key)) {
            None => Ok(()),
            Some(taken) => {
                let message = format!(
                    "expected the storage keys of the new version to be free, found {} in use; rename or remove it",
                    Quoted(taken)
                );
                Err(Error::new(ErrorKind::Collision, message))
            }
        }
    }

    /// The markers of batches that were written, with what is marked in each: storage keys, and families.
    pub(super) async fn markers(&self) -> Result<Vec<(String, Vec<Value<'static>>)>> {
        self.markers_among(&self.store.keys().await?).await
    }

    /// The same where the store's keys are known.
    pub(super) async fn markers_among(&self, keys: &[String]) -> Result<Vec<(String, Vec<Value<'static>>)>> {
        let markers: Vec<_> = keys.iter().filter(|key| key.starts_with(MARKER)).cloned().collect();
        let mut found = Vec::new();
        for (marker, value) in self.store.get(&markers).await? {
            let text = self.store.read(&value)?;
            let Value::Array(marked) = Value::parse(&text)?.opened()? else { continue };
            found.push((marker, marked.into_iter().map(Value::into_owned).collect::<Result<_>>()?));
        }
        Ok(found)
    }

    /// What the run has written, by its markers.
    async fn rewind<'r>(&self, run: &Run, route: &Route<'r>) -> Result<Rewind<'r>> {
        let (mut moved, mut families) = (HashSet::new(), HashMap::new());
        let text = |value: &Value<'_>| value.text().ok().flatten().map(Cow::into_owned);
        let texts = |value: &Value<'_>| match value.opened() {
            Ok(Value::Array(items)) => items.iter().filter_map(text).collect(),
            _ => Vec::new(),
        };
        for marked in self.markers().await?.into_iter().flat_map(|(_, marked)| marked) {
            match marked.opened()? {
                Value::Array(family) => {
                    if let [were, are] = &family[..] {
                        let are: Rc<[String]> = texts(are).into();
                        families.extend(texts(were).into_iter().map(|was| (was, Rc::clone(&are))));
                    }
                }
                key => moved.extend(text(&key)),
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

    /// Removes keys that the data does not consist of any more.
    async fn remove_where(&self, run: &Run, gone: impl Fn(&str) -> bool) -> Result<()> {
        let mut keys = self.store.keys().await?;
        keys.retain(|key| !key.starts_with(STRAY) && gone(key));
        self.remove(run, keys).await
    }

    pub(super) async fn remove(&self, run: &Run, mut keys: Vec<String>) -> Result<()> {
        keys.retain(|key| key != CONTROL);
        if keys.is_empty() {
            return Ok(());
        }
        // Last, since a process may sleep at any await.
        self.check_fence(run).await?;
        self.store.remove(&keys).await
    }

    /// Removes what is no part of the run's version, once what is no longer what the snapshot holds is set aside. Answers
    /// with the keys that are accounted for, where the snapshot says so.
    async fn leave(&self, run: &Run, gone: &dyn Fn(&str) -> bool) -> Result<Option<HashSet<String>>> {
        let Some(seal) = &run.seal else { return self.remove_where(run, gone).await.map(|()| None) };
        for _ in 0..ROUNDS {
            let keys = self.store.keys().await?;
            if !keys.iter().any(|key| gone(key))
                && let Some(known) = self.accounted(seal, &keys).await?
            {
                return Ok(Some(known));
            }
            let counted = self.count_among(&keys, gone).await?;
            let known = match self.spare_saved(run, seal, gone, Stage::Sweep).await {
                // Without it nobody can tell.
                Err(error) if error.kind() == ErrorKind::Snapshot => {
                    return self.remove_where(run, gone).await.map(|()| None);
                }
                known => known?,
            };
            let keys = self.store.keys().await?;
            if self.count_among(&keys, gone).await? == counted {
                self.clear_among(run, keys, gone, |key| known.contains(key)).await?;
                return Ok(Some(known));
            }
        }
        Err(restless())
    }

    /// The keys that a snapshot of this runner's own making holds, and those that the run has written, without reading
    /// the snapshot for them.
    async fn accounted(&self, seal: &Seal, keys: &[String]) -> Result<Option<HashSet<String>>> {
        let saved = self.saved.borrow().clone();
        let Some((_, mut known)) = saved.filter(|(id, _)| *id == seal.id) else { return Ok(None) };
        known.extend(marked(self.markers_among(keys).await?));
        Ok(Some(known))
    }
}

fn count(chunk: &str, route: &Route<'_>, census: &mut Census) -> Result<()> {
    line::records(chunk, route.before())?.iter().for_each(|record| census.count(&record.collection));
    Ok(())
}

/// The key and the value of a chain that is kept: a text and not what it says, since a browser would cut off what is nested
/// deep.
pub(super) fn chain_entry(chain: &Chain) -> (String, String) {
    (chain_key(&digest(chain.text())), Value::from(chain.text()).to_json())
}

/// The bytes of the control key's value, padding included, for a head of so many.
pub(super) fn padded(head: u64) -> u64 {
    (head + PAD.len() as u64).next_multiple_of(HEAD_BYTES)
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
        let head = self.read_head().await?;
        self.seen.set(head.as_ref().map(|head| head.epoch));
        if let Some(head) = head {
            let at_rest = head.run.is_none();
            return Ok(if head.lost && at_rest { Found::Lost } else { Found::Marked(Box::new(head)) });
        }
        if self.vault.mirror().await?.is_some() {
            return Ok(Found::Lost);
        }
        let keys = self.store.keys().await?;
        // Of a process that died before it wrote its first head; or this device's name among those that share records.
        let is_fresh = keys.iter().all(|key| key.starts_with(CHAIN) || key == DEVICE);
        // Data that no Exuvia has seen has nothing of Exuvia's beside it. The mirror may never have been written.
        let beside = [RESIDUE, MARKER, STRAY, ASIDE, CHAIN];
        let was_seen = keys.iter().any(|key| beside.iter().any(|prefix| key.starts_with(prefix)));
        Ok(match was_seen {
            _ if is_fresh => Found::Fresh,
            true => Found::Lost,
            false => Found::Unmarked,
        })
    }

    async fn put(&self, head: &Head) -> Result<()> {
        let mut text = head.to_json();
        let weight = self.store.weigh(&text);
        let padding = (padded(weight) - weight) as usize - PAD.len();
        text.truncate(text.len() - 1);
        text.push_str(&format!(",\"pad\":\"{}\"}}", "-".repeat(padding)));
        self.check_head().await?;
        self.store.set(vec![(CONTROL.to_owned(), self.store.write(&text)?)]).await?;
        self.seen.set(Some(head.epoch));
        if head.run.is_none() && head.version > Version(0) {
            // The head stands whether or not this succeeds; the next one is mirrored again.
            let mirror = format!("{{\"version\":{},\"head\":\"{}\"}}", head.version, head.head);
            let _ = self.vault.put_mirror(&mirror).await;
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

    async fn keep(&self, chain: &Chain) -> Result<String> {
        self.set(&[chain_entry(chain)]).await?;
        Ok(digest(chain.text()))
    }

    async fn inspect(&self, run: &mut Run, _: &Route<'_>) -> Result<()> {
        // Markers of an earlier run would pass for this one's. Of one that is not finished they must outlive this one.
        if !run.finds_unknown() {
            self.remove_where(run, |key| key.starts_with(MARKER)).await?;
        }
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
        let markers = keys.iter().filter(|key| run.finds_unknown() && key.starts_with(MARKER)).cloned().collect();
        let walk = Walk::new(&self.store, route.before(), keys.clone()).and(markers).in_chunks(self.chunk);
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
        let keys = keys.into_iter().collect();
        let orphans = rehearsal.orphans(&keys);
        self.saved.replace(Some((seal.id.clone(), keys)));
        run.notes = rehearsal.finish();
        let counted = match &run.source {
            Source::Chain => manifest,
            Source::Staged { seal, .. } | Source::Snapshot { seal } => Manifest::load(&self.vault, seal).await?,
        };
        run.records = counted.records;
        run.bytes = counted.bytes;
        self.check_room(&Run { seal: Some(seal.clone()), ..run.clone() }, route).await?;
        // The snapshot has them. A record of the same key that comes later is another.
        if !orphans.is_empty() {
            self.check_fence(run).await?;
            self.store.remove(&orphans).await?;
        }
        Ok(seal)
    }

    async fn recapture(&self, run: &Run, route: &Route<'_>) -> Result<Seal> {
        let keys = self.store.keys().await?;
        let rewind = self.rewind(run, route).await?;
        let line = self.line_before(run).await?;
        self.enter(run, Stage::Snapshot);
        let walk = Walk::rewinding(&self.store, rewind, keys).in_chunks(self.chunk);
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
        if run.finds_unknown() {
            // The run's snapshot has them by now.
            let own = marker_prefix(run);
            self.remove_where(run, |key| key.starts_with(MARKER) && !key.starts_with(&own)).await?;
        }
        match &run.source {
            Source::Snapshot { seal } => {
                let kept = self.keys_of(seal).await?;
                // Of a run that was taken up what stands there may be its own.
                if let Some(own) = run.seal.as_ref().filter(|_| run.attempts == 1) {
                    self.spare_saved(run, own, &|_| true, Stage::Apply).await?;
                }
                // Removed first, so that a full store has room; the run's own snapshot holds what goes.
                self.remove_where(run, |key| !kept.contains(key)).await?;
                Replay::new(self, run, Deed::Write, route.after()).go_through(seal, Stage::Apply).await.map(drop)
            }
            Source::Chain | Source::Staged { .. } => self.apply_records(run, route).await,
        }
    }

    async fn validate(&self, run: &Run, route: &Route<'_>) -> Result<()> {
        match &run.source {
            Source::Snapshot { seal } => {
                Replay::new(self, run, Deed::Compare, route.after()).go_through(seal, Stage::Validate).await.map(drop)
            }
            Source::Chain | Source::Staged { .. } => self.validate_records(run, route).await,
        }
    }

    async fn restore(&self, run: &Run, route: &Route<'_>) -> Result<()> {
        let Some(seal) = &run.seal else {
            return Err(Error::new(ErrorKind::Snapshot, "expected a run with a snapshot, found none"));
        };
        let kept = self.keys_of(seal).await?;
        let touched = |key: &str| Self::touches(run, key);
        let gone = |key: &str| touched(key) && !kept.contains(key);
        let replay = |deed| Replay::new(self, run, deed, route.before()).within(&touched);
        // Of a restore by hand everything that is there may be its own.
        let replaces = matches!(run.source, Source::Snapshot { .. });
        let deed = if replaces { Deed::Write } else { Deed::Replace };
        let write = async |ours: &HashSet<String>| {
            let mut markers = self.markers().await?;
            markers.retain(|(marker, _)| !kept.contains(marker));
            let replay = replay(deed).unmarking(markers).knowing(ours.clone(), Some(route));
            replay.go_through(seal, Stage::Restore).await
        };
        let count = async || self.count(|key| touched(key) && kept.contains(key)).await;
        for round in 1..=ROUNDS {
            let leaving = self.count(gone).await?;
            let ours = self.marked_keys(&kept).await?;
            // What the run has written stays until the old data is back: should the snapshot be lost meanwhile, the old
            // data follows from it. Only a full store must have room first.
            let known = match write(&ours).await {
                Err(error) if error.kind() == ErrorKind::Quota && self.verify(seal).await? => {
                    let is_ours = |key: &str| replaces || key.starts_with(OWN_PREFIX) || ours.contains(key);
                    self.remove_where(run, |key| gone(key) && is_ours(key)).await?;
                    write(&ours).await?
                }
                written => written?,
            };
            let counted = count().await?;
            match replay(Deed::Compare).go_through(seal, Stage::Restore).await {
                Err(error) if error.kind() == ErrorKind::Validation && round < ROUNDS => continue,
                compared => drop(compared?),
            }
            if self.count(gone).await? != leaving {
                continue;
            }
            self.clear(run, gone, |key| replaces || known.contains(key)).await?;
            // Not before what was damaged is gone, or it is set aside anew; and before the last look at what others write.
            self.remove(run, run.damage.clone()).await?;
            if count().await? == counted && self.count(gone).await?.0 == 0 {
                return Ok(());
            }
        }
        Err(restless())
    }

    async fn sweep(&self, run: &Run, route: &Route<'_>) -> Result<()> {
        let gone = |key: &str| covers(&run.leaves, key) && !covers(&run.uses, key);
        let mut known = None;
        if run.phase == Phase::Sweep {
            known = match &run.source {
                Source::Chain => self.leave(run, &gone).await?,
                Source::Snapshot { seal } => {
                    let kept = self.keys_of(seal).await?;
                    self.leave(run, &|key| !kept.contains(key)).await?
                }
                Source::Staged { merge: Merge::Replace, .. } => {
                    let kept = match self.keys_written(run, route).await {
                        Err(error) if error.kind() == ErrorKind::Snapshot => {
                            self.keys_marked(run, route).await?.ok_or(error)?
                        }
                        kept => kept?,
                    };
                    let is_of_data = |key: &str| covers(&run.uses, key) || covers(&run.leaves, key);
                    let gone = |key: &str| (is_of_data(key) || key.starts_with(RESIDUE)) && !kept.contains(key);
                    self.leave(run, &gone).await?
                }
                Source::Staged { .. } => self.leave(run, &|_| false).await?,
            };
        }
        let keeps = run.keeps.as_deref().filter(|_| run.phase == Phase::Sweep).map(chain_key);
        let is_other = |key: &str| key.starts_with(CHAIN) && keeps.as_deref().is_some_and(|keeps| key != keeps);
        let stays = run.finds_unknown() && run.phase != Phase::Sweep;
        self.remove_where(run, |key| key.starts_with(MARKER) && !stays || is_other(key)).await?;
        // Last, so that hardly anything can come after it.
        if let Some(known) = known {
            self.settle(run, route, &known).await?;
            if run.source == Source::Chain {
                self.clear(run, gone, |_| false).await?;
            }
        }
        Ok(())
    }

    fn damage(&self) -> Vec<String> {
        self.damage.take()
    }

    async fn strays(&self, run: &Run) -> Result<Vec<String>> {
        self.told_of_strays(run).await
    }

    async fn retain(&self, run: &Run) -> Result<()> {
        if run.phase == Phase::Capture {
            self.vault.delete(&run.id).await?;
        }
        let snapshot = run.seal.as_ref().map_or(&run.id, |seal| &seal.id);
        self.vault.delete(&families_id(snapshot)).await?;
        let brought = run.staged();
        // What a run needs whose place this one has taken.
        let needed: Vec<_> = run.over.iter().flat_map(|run| run.seal.iter().chain(run.staged())).collect();
        let is_needed = |id: &str| needed.iter().any(|seal| seal.id == id);
        for (id, text) in self.vault.manifests().await? {
            // What a later Exuvia keeps is not for this one to judge.
            let forgotten = Manifest::parse(&text).is_some_and(|manifest| {
                manifest.purpose == Purpose::Staged && manifest.created_at < run.now - STAGED_FOR
            });
            if forgotten && !is_needed(&id) || brought.is_some_and(|seal| seal.id == id) {
                self.vault.delete(&id).await?;
            }
        }
        // Clocks are put back; the run's own snapshot is the newest whatever they say.
        let own = run.seal.as_ref().map(|seal| &*seal.id);
        let snapshots = self.snapshots().await?;
        // What was saved of data that nobody knew is no way back to data that somebody does.
        let good = snapshots.iter().find(|manifest| !manifest.line.is_empty()).map(|manifest| manifest.id.clone());
        let others = snapshots.into_iter().filter(|manifest| Some(&*manifest.id) != own);
        let kept = self.keep.saturating_sub(usize::from(own.is_some()));
        let is_too_old = |made: i64| self.keep_for.is_some_and(|age| made < self.host.now().saturating_sub(age));
        for (place, other) in others.enumerate() {
            let goes = place >= kept || is_too_old(other.created_at);
            if goes && Some(&other.id) != good.as_ref() && !is_needed(&other.id) {
                self.vault.delete(&other.id).await?;
            }
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
