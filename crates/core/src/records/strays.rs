//! What somebody wrote past the gate while a run moved the data. Nobody knows which version it is of: before anything takes
//! its place it is set aside, whole, and reported.
//!
//! The store cannot compare and set in one call. So what is written between the look at a key and the write to it, a few
//! milliseconds apart, is not seen.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::Records;
use super::keys::{CONTROL, STRAY, covers};
use super::line::Line;
use super::replay::{Deed, Replay};
use super::snapshot::Manifest;
use super::store::{Entries, Host, Store, Vault};
use super::write::says_the_same;
use crate::chain::{Collections, OWN_PREFIX, Route};
use crate::document::{Quoted, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::protocol::{Run, Seal, Source, Stage};

/// How often what was written is read back because somebody wrote meanwhile.
pub(super) const ROUNDS: usize = 3;

/// How many keys, and how many bytes where the store says so.
pub(super) type Count = (usize, Option<u64>);

/// How many keys of damage the head holds; what is beyond stays set aside.
const DAMAGED: usize = 8;

/// How many strays are named in a report.
const NAMED: usize = 3;

fn stray_prefix(run: &Run) -> String {
    format!("{STRAY}{}:", run.id)
}

impl<S: Store, V: Vault, H: Host> Records<'_, S, V, H> {
    /// Keeps values under keys of their own. Answers with those keys, each with the one that the value stood under.
    pub(super) async fn set_aside(&self, run: &Run, strays: Vec<(String, S::Value)>) -> Result<Vec<(String, String)>> {
        if strays.is_empty() {
            return Ok(Vec::new());
        }
        let taken: HashSet<_> = self.store.keys().await?.into_iter().collect();
        let (mut kept, mut aside) = (Vec::new(), Vec::new());
        for (key, value) in strays {
            for number in 1.. {
                let name = format!("{}{number}:{key}", stray_prefix(run));
                // What is let go of as damage must not be somebody's write that has taken its name.
                if !taken.contains(&name) && !run.damage.contains(&name) {
                    kept.push((name.clone(), value));
                    aside.push((name, key));
                    break;
                }
                // Who died after this was done, and before anything else was, does it again.
                if self.is_whole_there(&name, &value).await? {
                    aside.push((name, key));
                    break;
                }
            }
        }
        if !kept.is_empty() {
            self.check_fence(run).await?;
            self.store.set(kept).await?;
        }
        Ok(aside)
    }

    /// Where what was written once more lands otherwise again, and just so, nobody else has written it: the store makes
    /// it of what the run writes. It is no stray, and let go of when the old data is back.
    pub(super) async fn note_damage(&self, aside: Vec<(String, String)>) -> Result<()> {
        for (name, key) in aside {
            for (_, now) in self.store.get(&[key]).await? {
                let has_room = self.damage.borrow().len() < DAMAGED;
                if has_room && self.is_whole_there(&name, &now).await? {
                    self.damage.borrow_mut().push(name.clone());
                }
            }
        }
        Ok(())
    }

    /// Sets aside what stands under keys and is none of the texts that may stand there: before a batch is written, what
    /// the run found and what it writes.
    pub(super) async fn spare(&self, run: &Run, may_be: &HashMap<&str, Vec<&str>>) -> Result<Vec<(String, String)>> {
        let keys: Vec<_> = may_be.keys().map(|key| (*key).to_owned()).collect();
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut strays = Vec::new();
        for (key, value) in self.store.get(&keys).await? {
            let text = self.store.read(&value)?;
            let mut known = may_be.get(&*key).into_iter().flatten();
            if !known.try_fold(false, |found, known| Ok::<_, Error>(found || says_the_same(known, &text)?))? {
                strays.push((key, value));
            }
        }
        self.set_aside(run, strays).await
    }

    /// The same for a value that is too large to be held as text.
    pub(super) async fn spare_whole(&self, run: &Run, key: &str, may_be: &S::Value) -> Result<()> {
        match self.is_whole_there(key, may_be).await? {
            true => Ok(()),
            false => self.set_aside(run, self.store.get(&[key.to_owned()]).await?).await.map(drop),
        }
    }

    async fn is_whole_there(&self, key: &str, value: &S::Value) -> Result<bool> {
        match self.compare_whole(key, value, &Collections::default()).await {
            Err(error) if error.kind() == ErrorKind::Validation => Ok(false),
            compared => compared.map(|()| true),
        }
    }

    /// The same for a batch and the chunk of the snapshot that it comes of.
    pub(super) async fn spare_batch(&self, run: &Run, chunk: &str, entries: &Entries) -> Result<Vec<(String, String)>> {
        let own = |key: &str| key.starts_with(OWN_PREFIX);
        let mut may_be: HashMap<&str, Vec<&str>> = HashMap::new();
        for (key, text) in entries.iter().filter(|(key, _)| !own(key)) {
            may_be.entry(key).or_default().push(text);
        }
        let mut were = Vec::new();
        for line in chunk.lines() {
            if let Line::Whole { key, value } = Line::parse(line)?
                && let Some((key, _)) = may_be.get_key_value(&*key)
            {
                were.push((*key, value.to_json()));
            }
        }
        for (key, text) in &were {
            may_be.entry(key).or_default().push(text);
        }
        self.spare(run, &may_be).await
    }

    /// Goes through the run's snapshot and sets aside what stands under its keys, as far as they are `within`, and is
    /// neither what the snapshot holds nor marked as the run's own. Answers with the keys that are accounted for.
    pub(super) async fn spare_saved(
        &self,
        run: &Run,
        seal: &Seal,
        within: &dyn Fn(&str) -> bool,
        stage: Stage,
    ) -> Result<HashSet<String>> {
        let marked = self.marked_keys(&HashSet::new()).await?;
        let collections = Collections::default();
        let replay = Replay::new(self, run, Deed::Spare, &collections).within(within).knowing(marked, None);
        replay.go_through(seal, stage).await
    }

    /// The storage keys that markers stand for; those among the `kept` are of another run.
    pub(super) async fn marked_keys(&self, kept: &HashSet<String>) -> Result<HashSet<String>> {
        Ok(marked(self.markers().await?.into_iter().filter(|(marker, _)| !kept.contains(marker))).collect())
    }

    /// Removes keys that the data does not consist of any more; those that are not `known` are set aside first.
    pub(super) async fn clear(
        &self,
        run: &Run,
        gone: impl Fn(&str) -> bool,
        known: impl Fn(&str) -> bool,
    ) -> Result<()> {
        self.clear_among(run, self.store.keys().await?, gone, known).await
    }

    /// The same where the store's keys are known.
    pub(super) async fn clear_among(
        &self,
        run: &Run,
        mut keys: Vec<String>,
        gone: impl Fn(&str) -> bool,
        known: impl Fn(&str) -> bool,
    ) -> Result<()> {
        keys.retain(|key| !key.starts_with(STRAY) && gone(key));
        let strays: Vec<_> = keys.iter().filter(|key| !key.starts_with(OWN_PREFIX) && !known(key)).cloned().collect();
        if !strays.is_empty() {
            self.set_aside(run, self.store.get(&strays).await?).await?;
        }
        self.remove(run, keys).await
    }

    /// Keys among those that the run's version uses which nobody knows are no data of it: they are set aside. Answers
    /// whether there were any.
    pub(super) async fn clear_unknown(
        &self,
        run: &Run,
        route: &Route<'_>,
        seal: &Seal,
        known: &HashSet<String>,
        keys: &[String],
    ) -> Result<bool> {
        let mut strange = keys.iter().filter(|key| covers(&run.uses, key) && !known.contains(*key)).peekable();
        let replaces = matches!(run.source, Source::Snapshot { .. });
        if strange.peek().is_none() || replaces || !self.knows_way(run, route, seal).await? {
            return Ok(false);
        }
        // Markers may be gone already, so only what is written can tell.
        let written = self.keys_written(run, route).await?;
        let strange: HashSet<_> = strange.filter(|key| !written.contains(*key)).collect();
        self.clear(run, |key| strange.iter().any(|strange| *strange == key), |_| false).await?;
        Ok(!strange.is_empty())
    }

    /// Whether a route is the run's, from the line of what its snapshot holds.
    async fn knows_way(&self, run: &Run, route: &Route<'_>, seal: &Seal) -> Result<bool> {
        let was = Manifest::load(&self.vault, seal).await?.line;
        Ok(route.line_before().eq(was.iter()) && route.line_after().eq(run.to_line.iter()))
    }

    /// How many of some keys there are, and how many bytes they take.
    pub(super) async fn count(&self, of: impl Fn(&str) -> bool) -> Result<Count> {
        self.count_among(&self.store.keys().await?, of).await
    }

    /// The same where the store's keys are known: a browser goes through all that it holds to list them.
    pub(super) async fn count_among(&self, keys: &[String], of: impl Fn(&str) -> bool) -> Result<Count> {
        let keys: Vec<_> = keys.iter().filter(|key| of(key)).cloned().collect();
        Ok((keys.len(), self.store.bytes(&keys).await?))
    }

    /// Sees to it that nothing has changed since what was written was read back; otherwise it is read back again.
    pub(super) async fn settle(&self, run: &Run, route: &Route<'_>, known: &HashSet<String>) -> Result<()> {
        let replaces = matches!(run.source, Source::Snapshot { .. });
        let Some(seal) = run.seal.as_ref().filter(|_| !replaces) else { return Ok(()) };
        for _ in 0..ROUNDS {
            let settled = async {
                let mut keys = self.store.keys().await?;
                if self.clear_unknown(run, route, seal, known, &keys).await? {
                    keys = self.store.keys().await?;
                }
                let count = self.count_among(&keys, |key| covers(&run.uses, key)).await?;
                if self.counted.get() == Some(count) || !self.knows_way(run, route, seal).await? {
                    return Ok(true);
                }
                self.validate_records(run, route).await.map(|()| false)
            };
            match settled.await {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                // Without it nobody can tell.
                Err(error) if Error::kind(&error) == ErrorKind::Snapshot => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Err(restless())
    }

    /// What is said of the strays of a run.
    pub(super) async fn told_of_strays(&self, run: &Run) -> Result<Vec<String>> {
        let prefix = stray_prefix(run);
        let keys = self.store.keys().await?;
        let strays = keys.iter().filter_map(|key| Some(key.strip_prefix(&prefix)?.split_once(':')?.1));
        let strays: BTreeSet<_> = strays.collect();
        if strays.is_empty() {
            return Ok(Vec::new());
        }
        let named: Vec<_> = strays.iter().take(NAMED).map(|key| Quoted(key).to_string()).collect();
        let more = if strays.len() > NAMED { ", …" } else { "" };
        Ok(vec![format!(
            "{} keys were written by somebody else while the data was moving ({}{more}); what was found there is kept under keys that start with {}",
            strays.len(),
            named.join(", "),
            Quoted(&prefix)
        )])
    }

    /// Whether a run writes or removes this key on its way.
    pub(super) fn touches(run: &Run, key: &str) -> bool {
        let replaces = matches!(run.source, Source::Snapshot { .. });
        let is_data = replaces || covers(&run.leaves, key) || covers(&run.uses, key);
        key != CONTROL && !key.starts_with(STRAY) && (is_data || key.starts_with(OWN_PREFIX))
    }
}

/// The storage keys among what markers hold.
pub(super) fn marked(markers: impl IntoIterator<Item = (String, Vec<Value<'static>>)>) -> impl Iterator<Item = String> {
    let all = markers.into_iter().flat_map(|(_, marked)| marked);
    all.filter_map(|key| Some(key.text().ok()??.into_owned()))
}

/// Somebody who writes again and again while the gate is shut.
pub(super) fn restless() -> Error {
    Error::new(
        ErrorKind::Validation,
        "expected nobody to write while the data is moving, found writes again and again; write through Exuvia",
    )
}
