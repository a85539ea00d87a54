use super::family::Watch;
use super::layout::Reaches;
use super::{Chain, Collections, Family, Link, Record, Rehome, Residues, Stage, Ties, Told, Version};
use crate::document::{Quoted, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::lens::{Body, Context, Undo, Way};

/// The way of records from the line that they have run to another: down to the last version that both have, then up. An
/// update has no way down, a downgrade no way up; from one branch to another there are both.
#[derive(Clone, Copy, Debug)]
pub struct Route<'c> {
    start: Stop<'c>,
    end: Stop<'c>,
    common: Version,
}

/// What one migration on a route does to the records of one collection.
#[derive(Clone, Copy, Debug)]
pub struct Leg<'c> {
    /// Which way the migration is gone.
    pub way: Way,
    /// Its id, which its residue is found by.
    pub migration: &'c str,
    /// Its primitives.
    pub body: &'c Body,
}

/// A version of a chain.
#[derive(Clone, Copy, Debug)]
struct Stop<'c> {
    chain: &'c Chain,
    version: Version,
}

impl<'c> Stop<'c> {
    fn line(&self) -> impl Iterator<Item = &'c Link> {
        self.chain.line(self.version)
    }

    /// The migrations after a version.
    fn beyond(&self, common: Version) -> &'c [Stage] {
        &self.chain.stages[common.0 as usize..self.version.0 as usize]
    }
}

impl<'c> Route<'c> {
    /// The route between two versions, of one chain or of two that begin alike.
    #[must_use]
    pub fn between(start: (&'c Chain, Version), end: (&'c Chain, Version)) -> Self {
        let [start, end] = [start, end].map(|(chain, version)| Stop { chain, version });
        let common = start.line().zip(end.line()).take_while(|(a, b)| a == b).count();
        Self { start, end, common: Version(common as u32) }
    }

    /// Whether records can go it, as far as the chains say.
    ///
    /// # Errors
    /// [`ErrorKind::Edited`] where both ways have a migration of one name that is not the same, [`ErrorKind::Chain`]
    /// where a storage key would have two uses, or the end lacks a collection.
    pub fn check(&self) -> Result<()> {
        let left = self.start.beyond(self.common);
        let edited = |stage: &&Stage| {
            left.iter().any(|other| other.link.id == stage.link.id && other.link.hash != stage.link.hash)
        };
        if let Some(edited) = self.end.beyond(self.common).iter().find(edited) {
            let message = "expected one migration of this name, found another that the data has run; undo the edit and add a new migration";
            return Err(Error::new(ErrorKind::Edited, message).in_migration(&edited.link.id));
        }
        let mut reaches = Reaches::default();
        reaches.extend(self.before())?;
        let kept = self.start.chain.dropped(self.common, self.start.version);
        for name in self.before().keys().map(String::as_str).chain(kept) {
            match self.follow(name) {
                Some(after) if !self.after().contains_key(&after) => {
                    let message = format!(
                        "expected the collection {} at the end of the way, found it unknown there",
                        Quoted(name)
                    );
                    return Err(Error::new(ErrorKind::Chain, message));
                }
                Some(after) => reaches.rename(name, &after),
                None => {}
            }
        }
        reaches.extend(self.after())
    }

    /// The names under which records were set aside, where it starts, that are part of the data again where it ends.
    pub fn recalled(&self) -> impl Iterator<Item = &str> {
        let set_aside = self.start.chain.dropped(self.common, self.start.version);
        set_aside.filter(|name| self.follow(name).is_some())
    }

    /// The same way, from its end to its start.
    #[must_use]
    pub fn back(self) -> Self {
        Self { start: self.end, end: self.start, common: self.common }
    }

    /// The route that ends where it starts.
    #[must_use]
    pub fn stay(self) -> Self {
        Self { end: self.start, common: self.start.version, ..self }
    }

    /// The collections where it starts.
    #[must_use]
    pub fn before(&self) -> &'c Collections {
        self.start.chain.collections(self.start.version)
    }

    /// The collections where it ends.
    #[must_use]
    pub fn after(&self) -> &'c Collections {
        self.end.chain.collections(self.end.version)
    }

    /// The line where it starts.
    pub fn line_before(&self) -> impl Iterator<Item = &'c Link> {
        self.start.line()
    }

    /// The line where it ends.
    pub fn line_after(&self) -> impl Iterator<Item = &'c Link> {
        self.end.chain.line(self.end.version)
    }

    /// What is done on the way, in its order: which way, by which migration, and what.
    pub fn told(&self) -> impl Iterator<Item = (Way, &'c str, &'c Told)> {
        let each = |way| move |stage: &'c Stage| stage.told.iter().map(move |told| (way, stage.id(), told));
        let down = self.start.beyond(self.common).iter().rev().flat_map(each(Way::Down));
        down.chain(self.end.beyond(self.common).iter().flat_map(each(Way::Up)))
    }

    /// Whether any step or layout on the way changes a collection.
    #[must_use]
    pub fn changes(&self, name: &str) -> bool {
        let on = |stop: &Stop<'c>| stop.chain.changes(name, stop.version, self.common);
        on(&self.start) || on(&self.end)
    }

    /// Whether the way leads down only, and what the older version of a collection's records had is not all computed.
    #[must_use]
    pub fn recalls(&self, name: &str) -> bool {
        let mut told = self.told().filter(|(_, _, told)| told.collection == name);
        self.end.version == self.common && told.any(|(_, _, told)| told.undo != Undo::Computed)
    }

    /// Whether whole records go elsewhere on the way, so that they move as families.
    #[must_use]
    pub fn rehomes(&self) -> bool {
        let on = |stop: &Stop<'c>| stop.chain.rehomes(stop.version, self.common);
        on(&self.start) || on(&self.end)
    }

    /// Whether children come back to their parents on the way, so that a family must be at hand whole.
    #[must_use]
    pub fn gathers(&self) -> bool {
        let Self { start, end, common } = self;
        start.chain.gathers(start.version, *common) || end.chain.gathers(*common, end.version)
    }

    /// Whom a record belongs to, and who to it, where children come back to their parents on the way.
    ///
    /// # Errors
    /// As [`Route::move_family`].
    pub fn ties(&self, now: i64, record: Record<'_>) -> Result<Ties> {
        let mut ties = Ties::default();
        // What comes out of the record on the way stands after it.
        self.move_watched(now, vec![record], &mut |way, op, name, family| {
            family.first().into_iter().for_each(|record| ties.note(way, op, name, record));
        })?;
        Ok(ties)
    }

    /// The collections of those records of a family that are forgotten on the way, one for each.
    ///
    /// # Errors
    /// As [`Route::move_family`].
    pub fn forgotten(&self, now: i64, family: Family<'_>) -> Result<Vec<String>> {
        let mut forgotten = Vec::new();
        self.move_watched(now, family, &mut |way, op, _, family| {
            let lost = family.iter().filter(|record| op.forgets(way, record));
            forgotten.extend(lost.map(|record| record.collection.to_string()));
        })?;
        Ok(forgotten)
    }

    fn move_watched<'a>(&self, now: i64, family: Family<'a>, watch: &mut Watch<'_>) -> Result<Family<'a>> {
        let Self { start, end, common } = self;
        let family = start.chain.move_watched(start.version, *common, now, family, watch)?;
        end.chain.move_watched(*common, end.version, now, family, watch)
    }

    /// The name that a collection of the start has at the end; `None` where its records are no collection there.
    #[must_use]
    pub fn follow(&self, name: &str) -> Option<String> {
        let Self { start, end, common } = self;
        let name = start.chain.follow(name, start.version, *common)?;
        end.chain.follow(&name, *common, end.version)
    }

    /// What happens on the way to each record of a collection, in order; `None` where something happens to whole records,
    /// so that it is not told by primitives alone.
    #[must_use]
    pub fn legs(&self, name: &str) -> Option<Vec<Leg<'c>>> {
        let Self { start, end, common } = self;
        let (mut legs, mut name) = (Vec::new(), name.to_owned());
        for stage in start.beyond(*common).iter().rev() {
            name = stage.rehomes.iter().rev().try_fold(name, |name, op| rename(op, Way::Down, name))?;
            legs.extend(stage.leg(Way::Down, &name));
        }
        for stage in end.beyond(*common) {
            legs.extend(stage.leg(Way::Up, &name));
            name = stage.rehomes.iter().try_fold(name, |name, op| rename(op, Way::Up, name))?;
        }
        Some(legs)
    }

    /// Moves a family along the whole way; see [`Chain::move_family`].
    ///
    /// # Errors
    /// [`ErrorKind::Unfit`] with migration, collection, record, step and path.
    pub fn move_family<'a>(&self, now: i64, family: Family<'a>) -> Result<Family<'a>> {
        self.move_watched(now, family, &mut |_, _, _, _| {})
    }

    /// Moves a record along the whole way, in place, with its residues; see [`Chain::translate`].
    ///
    /// # Errors
    /// [`ErrorKind::Unfit`] with migration, collection, step and path. The record must then be thrown away.
    pub fn translate<'a>(
        &self,
        name: &str,
        context: Context<'_>,
        record: &mut Value<'a>,
        residues: &mut Residues<'a>,
    ) -> Result<()> {
        let Self { start, end, common } = self;
        start.chain.translate(name, start.version, *common, context, record, residues)?;
        end.chain.translate(name, *common, end.version, context, record, residues)
    }
}

impl Stage {
    fn leg(&self, way: Way, collection: &str) -> Option<Leg<'_>> {
        let body = self.bodies.get(collection)?;
        Some(Leg { way, migration: &self.link.id, body })
    }
}

/// The name of a collection beyond a step that does no more to its records than to rename it.
fn rename(op: &Rehome, way: Way, name: String) -> Option<String> {
    match op {
        Rehome::Rename { single: false, .. } => op.follow(way, name),
        other => (!other.names(&name)).then_some(name),
    }
}

/// The chains at hand: that of this build, and those that other builds have left beside the data.
#[derive(Debug)]
pub struct Chains<'c> {
    own: &'c Chain,
    stored: Vec<Chain>,
}

impl<'c> Chains<'c> {
    /// A build's own chain alone.
    #[must_use]
    pub fn own(own: &'c Chain) -> Self {
        Self { own, stored: Vec::new() }
    }

    /// Adds a chain as it was stored. One that this build cannot read is of no use to it, and left out.
    pub fn add(&mut self, text: &str) {
        self.stored.extend(self.own.sibling(text));
    }

    /// The chain that knows every migration of a line, as it was when the line was run; and the version it makes there.
    #[must_use]
    pub fn find(&self, line: &[Link]) -> Option<(&Chain, Version)> {
        let version = Version(line.len() as u32);
        let mut known = std::iter::once(self.own).chain(&self.stored);
        known.find(|chain| chain.line(version).eq(line)).map(|chain| (chain, version))
    }
}
