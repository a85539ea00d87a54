//! Single records in the form of the chain's tip, whatever form the store holds: an app goes on where a run was refused,
//! and while one is under way.

use super::keys::{CONTROL, RESIDUE, residue_key};
use super::line::{self, Line, check_key, write_slice, write_whole};
use super::snapshot::Manifest;
use super::store::{Host, Shape, Store, Vault};
use super::{Records, fenced};
use crate::chain::{Chains, Collection, Family, Layout, Record, Residues, Route, Version};
use crate::document::{Json, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::lens::Context;
use crate::protocol::{Found, Head, Phase, Run, Seal, Target, chains};

/// How often a read begins again because the data changed its form meanwhile.
const TRIES: usize = 5;

/// How many keys are fetched at once.
const GROUP: usize = 50;

/// A record's key and its JSON text.
pub type Keyed = (String, String);

impl<S: Store, V: Vault, H: Host> Records<'_, S, V, H> {
    /// A record of a collection, in the form of the chain's tip.
    ///
    /// # Errors
    /// [`ErrorKind::Unfit`] where it cannot be moved to the tip, and as [`Records::list`].
    pub async fn get(&self, collection: &str, key: &str) -> Result<Option<String>> {
        let found = self.select(collection, Some(key)).await?;
        Ok(found.into_iter().next().map(|(_, text)| text))
    }

    /// All records of a collection, in the form of the chain's tip. Those that cannot be moved there are left out.
    ///
    /// # Errors
    /// [`ErrorKind::Lost`], [`ErrorKind::Newer`], [`ErrorKind::Fork`] where nobody here knows what the data is,
    /// [`ErrorKind::Chain`] where the tip has no such collection, [`ErrorKind::Busy`] where the data changes its form too
    /// often meanwhile.
    pub async fn list(&self, collection: &str) -> Result<Vec<Keyed>> {
        self.select(collection, None).await
    }

    async fn select(&self, name: &str, wanted: Option<&str>) -> Result<Vec<Keyed>> {
        self.chain.collection(name, self.chain.tip())?;
        for _ in 0..TRIES {
            let Some(head) = self.head().await? else { return Ok(Vec::new()) };
            let chains = chains(self, self.chain, &head).await?;
            let route = self.route_to_tip(&chains, &head)?;
            let Some(chunk) = self.stored(&head, &route, name, wanted).await? else { continue };
            let mut records = line::records(&chunk, route.before())?;
            let is_one = wanted.is_some() && !route.rehomes();
            records.retain(|record| !is_one || is_wanted(record, name, wanted));
            let moved = records.into_iter().map(|record| self.at_tip(&route, record));
            // Of one record the reason is told why it cannot be read; of many, those that can are.
            let moved: Vec<_> = match is_one {
                true => moved.collect::<Result<_>>()?,
                false => moved.filter_map(Result::ok).collect(),
            };
            let found = moved.into_iter().flatten().filter(|record| is_wanted(record, name, wanted));
            return Ok(found.map(|record| (record.key.into_owned(), record.value.to_json())).collect());
        }
        Err(Error::new(ErrorKind::Busy, "expected data at rest for long enough to read it, found it moving; try again"))
    }

    /// Sets a record, or removes it, given in the form of the chain's tip. Where the store holds an older form the record
    /// goes down to it, with its residue, if it would come up again to what was given.
    ///
    /// # Errors
    /// [`ErrorKind::Busy`] where a run is under way or the store is not opened yet; [`ErrorKind::Unfit`] for a record that
    /// does not fit the tip, or that the form of the store cannot hold without loss; and as [`Records::list`].
    pub async fn write_record(&self, collection: &str, key: &str, record: Option<&str>) -> Result<()> {
        let _guard = self.acquire().await?;
        let at_rest = self.head().await?.filter(|head| head.run.is_none());
        let Some(head) = at_rest else {
            let message =
                "expected data at rest, found a run under way or nothing opened yet; call open() and write again";
            return Err(Error::new(ErrorKind::Busy, message));
        };
        let chains = chains(self, self.chain, &head).await?;
        let route = self.route_to_tip(&chains, &head)?;
        let place = |error: Error| error.in_collection(collection).in_record(key);
        self.store_record(&head, &route, collection, key, record).await.map_err(place)
    }

    async fn store_record(
        &self,
        head: &Head,
        route: &Route<'_>,
        name: &str,
        key: &str,
        record: Option<&str>,
    ) -> Result<()> {
        let (before, after) = match (route.before().get(name), route.after().get(name)) {
            (Some(before), Some(after)) if !route.rehomes() => (before, after),
            _ => return Err(elsewhere()),
        };
        let Some(record) = record else { return self.write_one(before, name, key, None).await };
        let chunk = self.stored(head, route, name, Some(key)).await?.ok_or_else(fenced)?;
        let there =
            line::records(&chunk, route.before())?.into_iter().find(|record| is_wanted(record, name, Some(key)));
        let mut residues = Residues::default();
        if let Some(mut there) = there {
            let context = Context { now: self.host.now(), key };
            // What it leaves at the tip is of use to the new value too.
            if route.translate(name, context, &mut there.value, &mut there.residues).is_ok() {
                residues = there.residues;
            }
        }
        let (text, residues) = self.lowered(route, (before, after), name, key, &Value::parse(record)?, residues)?;
        self.write_one(before, name, key, Some((text, residues))).await
    }

    /// The record as the store holds it, if it comes up again to what it is.
    fn lowered<'a>(
        &self,
        route: &Route<'_>,
        (before, after): (&Collection, &Collection),
        name: &str,
        key: &str,
        record: &Value<'a>,
        mut residues: Residues<'a>,
    ) -> Result<(String, String)> {
        let context = Context { now: self.host.now(), key };
        after.schema.validate(record)?;
        check_key(&after.layout, name, key, &mut record.clone())?;
        let mut lowered = record.clone();
        route.back().translate(name, context, &mut lowered, &mut residues)?;
        before.schema.validate(&lowered)?;
        check_key(&before.layout, name, key, &mut lowered)?;
        let (text, kept) = (lowered.to_json(), residues.to_value().to_json());
        let (mut again, mut left) = (Value::parse(&text)?, Residues::from_value(&Value::parse_inside(&kept, 8)?)?);
        route.translate(name, context, &mut again, &mut left)?;
        match again == *record {
            true => Ok((text, if residues.is_empty() { String::new() } else { kept })),
            false => Err(Error::new(
                ErrorKind::Unfit,
                "expected a record that the stored version can hold without loss, found another; it can be saved when the data has been moved",
            )),
        }
    }

    /// Writes a record, or removes it, with its residue, in one call.
    async fn write_one(
        &self,
        collection: &Collection,
        name: &str,
        key: &str,
        record: Option<(String, String)>,
    ) -> Result<()> {
        let residue = residue_key(name, key);
        let (text, kept) = record.unzip();
        let (storage_key, whole) = match &collection.layout {
            Layout::Record { key: at } => (at.clone(), text),
            Layout::Prefix { prefix } => (format!("{prefix}{key}"), text),
            Layout::Array { key: at, .. } | Layout::Map { key: at } => {
                (at.clone(), Some(self.rewritten(collection, key, text.as_deref()).await?))
            }
        };
        let Some(whole) = whole else {
            self.check_head().await?;
            return self.store.remove(&[storage_key, residue]).await;
        };
        let has_residue = !self.store.get(std::slice::from_ref(&residue)).await?.is_empty();
        let mut entries = vec![(storage_key, whole)];
        match kept.filter(|kept| !kept.is_empty()) {
            Some(kept) => entries.push((residue, kept)),
            // Emptied rather than removed: that would be a second call.
            None if has_residue => entries.push((residue, "{}".to_owned())),
            None => {}
        }
        // Whoever slept since the head was read may have lost the lock, and the data its form.
        self.check_head().await?;
        self.set(&entries).await
    }

    /// The array or object that holds all records of a collection, with one of them another.
    async fn rewritten(&self, collection: &Collection, key: &str, record: Option<&str>) -> Result<String> {
        let (at, _) = collection.layout.reach();
        let found = self.store.get(&[at.to_owned()]).await?;
        let is_array = matches!(collection.layout, Layout::Array { .. });
        let text = match found.first() {
            Some((_, value)) => self.store.read(value)?,
            None => if is_array { "[]" } else { "{}" }.to_owned(),
        };
        let mut whole = Value::parse_inside(&text, 1)?;
        let record = record.map(Value::parse).transpose()?;
        if let Some(members) = whole.object_mut()?.filter(|_| !is_array) {
            match record {
                Some(record) => drop(members.insert(key.to_owned(), record)),
                None => drop(members.remove(key)),
            }
        } else if let (Layout::Array { id, .. }, Some(items)) = (&collection.layout, whole.array_mut()?) {
            let mut at = None;
            for (index, item) in items.iter_mut().enumerate() {
                if id.get(item)?.map(|id| id.text()).transpose()?.flatten().is_some_and(|id| id == key) {
                    at = Some(index);
                }
            }
            match (at, record) {
                (Some(at), Some(record)) => items[at] = record,
                (Some(at), None) => drop(items.remove(at)),
                (None, Some(record)) => items.push(record),
                (None, None) => {}
            }
        } else {
            return Err(Error::new(ErrorKind::Unfit, format!("expected {}, found another type", collection.layout)));
        }
        Ok(whole.to_json())
    }

    /// The head of data, also of data that nobody has marked; `None` where there is no data.
    async fn head(&self) -> Result<Option<Head>> {
        Ok(match self.find().await? {
            Found::Fresh => None,
            Found::Lost => return Err(lost()),
            Found::Unmarked => Some(self.taken_for_baseline(Head::unmarked())),
            Found::Marked(head) if head.lost => return Err(lost()),
            Found::Marked(head) if head.line.is_empty() => Some(self.taken_for_baseline(*head)),
            Found::Marked(head) => Some(*head),
        })
    }

    /// Data that no run has marked is version 1.
    fn taken_for_baseline(&self, head: Head) -> Head {
        let line = head.run.as_ref().and_then(Run::baseline);
        head.on_line(line.unwrap_or_else(|| self.chain.line(Version(1)).cloned().collect()))
    }

    fn route_to_tip<'c>(&'c self, chains: &'c Chains<'_>, head: &Head) -> Result<Route<'c>> {
        let known = chains.find(&head.line).ok_or_else(|| {
            Error::new(
                ErrorKind::Newer,
                "expected data that a chain at hand knows, found another; update the extension",
            )
        })?;
        let route = Route::between(known, (self.chain, self.chain.tip()));
        route.check()?;
        // Its families would have to be gathered from the whole store.
        if route.gathers() { Err(elsewhere()) } else { Ok(route) }
    }

    /// The lines of a chunk that hold a collection as it is stored; `None` where the data changed its form meanwhile.
    async fn stored(&self, head: &Head, route: &Route<'_>, name: &str, wanted: Option<&str>) -> Result<Option<String>> {
        // Where whole records move, those of any collection may become what is wanted.
        let sources: Vec<_> = match route.rehomes() {
            true => route.before().iter().map(|(name, collection)| (&**name, collection, None)).collect(),
            false => route.before().get(name).into_iter().map(|collection| (name, collection, wanted)).collect(),
        };
        let is_wanted = |at: &str| sources.iter().any(|(name, from, key)| is_stored_at(from, name, *key, at));
        // The store is between two forms since the first run that has written; its snapshot is whole.
        let mut runs = head.run.iter().flat_map(|run| run.over.iter().chain([run]));
        let writes = |run: &&Run| matches!(run.phase, Phase::Up | Phase::Back);
        let found = match runs.find(writes).and_then(|run| run.seal.as_ref()) {
            Some(seal) => self.saved(seal, is_wanted).await.map(Some),
            None => self.live(head, route, is_wanted).await,
        };
        let is_as_it_was = self.read_head().await?.map_or(0, |head| head.epoch) == head.epoch;
        if is_as_it_was { found } else { Ok(None) }
    }

    /// Of a snapshot, the lines under storage keys that are wanted: a chunk at a time is in memory.
    async fn saved(&self, seal: &Seal, is_wanted: impl Fn(&str) -> bool) -> Result<String> {
        let manifest = Manifest::load(&self.vault, seal).await?;
        let mut lines = String::new();
        for index in 0..manifest.chunks.len() {
            let chunk = manifest.chunk(&self.vault, index).await?;
            for line in chunk.lines() {
                if Line::parse(line)?.storage_key().is_some_and(&is_wanted) {
                    lines.extend([line, "\n"]);
                }
            }
        }
        Ok(lines)
    }

    /// The same lines from the store, where the head is read in each call.
    async fn live(&self, head: &Head, route: &Route<'_>, is_wanted: impl Fn(&str) -> bool) -> Result<Option<String>> {
        let keys: Vec<_> = self.store.keys().await?.into_iter().filter(|key| is_wanted(key)).collect();
        let mut chunk = String::new();
        for group in keys.chunks(GROUP) {
            let mut found = self.store.get(&[&[CONTROL.to_owned()], group].concat()).await?;
            let epoch = match found.iter().position(|(key, _)| key == CONTROL) {
                Some(at) => Head::from_json(&self.store.read(&found.remove(at).1)?).map(|head| head.epoch),
                None => Some(0),
            };
            if epoch != Some(head.epoch) {
                return Ok(None);
            }
            for (key, value) in found {
                let text = self.store.read(&value)?;
                let owner = route.before().values().find(|collection| collection.layout.owns(&key));
                match (owner.map(|owner| &owner.layout), self.store.shape(&value)) {
                    (Some(Layout::Array { .. }), Shape::Array(_)) => write_slice(&key, 0, true, &text, &mut chunk),
                    (Some(Layout::Map { .. }), Shape::Object(_)) => write_slice(&key, 0, false, &text, &mut chunk),
                    _ => write_whole(&key, &text, &mut chunk),
                }
            }
        }
        Ok(Some(chunk))
    }

    /// What becomes of a record.
    fn at_tip<'a>(&self, route: &Route<'_>, mut record: Record<'a>) -> Result<Family<'a>> {
        if route.rehomes() {
            return route.move_family(self.host.now(), vec![record]);
        }
        let Record { collection, key, value, residues, .. } = &mut record;
        let moved = route.translate(collection, Context { now: self.host.now(), key }, value, residues);
        moved.map_err(|error| error.in_collection(collection).in_record(key))?;
        Ok(vec![record])
    }
}

fn is_wanted(record: &Record<'_>, name: &str, key: Option<&str>) -> bool {
    record.is_in(name) && key.is_none_or(|key| record.key == key)
}

/// Whether a storage key holds a record of a collection, of this key if one is given, or its residue.
fn is_stored_at(collection: &Collection, name: &str, key: Option<&str>, at: &str) -> bool {
    match (&collection.layout, key) {
        (_, Some(key)) if at.starts_with(RESIDUE) => at == residue_key(name, key),
        (_, None) if at.starts_with(RESIDUE) => at.starts_with(&residue_key(name, "")),
        (Layout::Prefix { prefix }, Some(key)) => at.strip_prefix(&**prefix) == Some(key),
        (layout, _) => layout.owns(at),
    }
}

fn lost() -> Error {
    Error::new(ErrorKind::Lost, "expected the control key beside the data, found it gone; restore a snapshot")
}

fn elsewhere() -> Error {
    Error::new(
        ErrorKind::Busy,
        "expected a collection that the stored version has too, found one that only the migration makes; it can be written when the data has been moved",
    )
}
