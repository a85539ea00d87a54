use super::{Chain, Record, Rehome, Stage, Version};
use crate::error::{Error, Result};
use crate::lens::{Context, Customs, Scope, Way};

/// What becomes of one record, and comes together again on the way back.
pub type Family<'a> = Vec<Record<'a>>;

/// Sees a family before it is moved by something of this name.
pub(super) type Watch<'w> = dyn FnMut(Way, &Rehome, &str, &Family<'_>) + 'w;

/// What a child and its parent have in common where they come together: the name of the place, and the parent's key.
pub type Tie = (String, String);

/// Whom a record belongs to, and who to it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ties {
    /// Its parent, where it comes back to one.
    pub child_of: Option<Tie>,
    /// Where children come back to it.
    pub parent_at: Vec<Tie>,
}

impl Ties {
    pub(super) fn note(&mut self, way: Way, op: &Rehome, name: &str, record: &Record<'_>) {
        let Rehome::Unnest(unnest) = op else { return };
        if unnest.apart == way {
            return;
        }
        if record.is_in(&unnest.parents) {
            self.parent_at.push((name.to_owned(), record.key.to_string()));
        }
        if let Some(parent) = unnest.parent_of(record) {
            self.child_of = Some((name.to_owned(), parent));
        }
    }
}

impl Chain {
    /// Whether any migration between two versions does something to whole records: then they move as families.
    #[must_use]
    pub fn rehomes(&self, a: Version, b: Version) -> bool {
        self.between(a, b).iter().any(|stage| !stage.rehomes.is_empty())
    }

    /// Moves a family between two versions.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Unfit`] with migration, collection, record, step and path.
    pub fn move_family<'a>(&self, from: Version, to: Version, now: i64, family: Family<'a>) -> Result<Family<'a>> {
        self.move_watched(from, to, now, family, &mut |_, _, _, _| {})
    }

    /// As [`Chain::move_family`]; `watch` sees the family before each move of whole records.
    pub(super) fn move_watched<'a>(
        &self,
        from: Version,
        to: Version,
        now: i64,
        mut family: Family<'a>,
        watch: &mut Watch<'_>,
    ) -> Result<Family<'a>> {
        let mut step = |way, stage: &Stage| stage.move_family(way, now, &self.customs, &mut family, watch);
        let stages = self.between(from, to);
        match from <= to {
            true => stages.iter().try_for_each(|stage| step(Way::Up, stage))?,
            false => stages.iter().rev().try_for_each(|stage| step(Way::Down, stage))?,
        }
        Ok(family)
    }

    /// Whether children come back to their parents on the way, so that a family must be at hand whole.
    #[must_use]
    pub fn gathers(&self, from: Version, to: Version) -> bool {
        let way = if from <= to { Way::Up } else { Way::Down };
        let ops = self.between(from, to).iter().flat_map(|stage| &stage.rehomes);
        ops.into_iter().any(|op| op.gathers(way))
    }

    /// The name that a collection of one version has at another; `None` where its records are no collection there.
    #[must_use]
    pub fn follow(&self, name: &str, from: Version, to: Version) -> Option<String> {
        let (stages, name) = (self.between(from, to), name.to_owned());
        match from <= to {
            true => stages.iter().flat_map(|stage| &stage.rehomes).try_fold(name, |name, op| op.follow(Way::Up, name)),
            false => {
                let ops = stages.iter().rev().flat_map(|stage| stage.rehomes.iter().rev());
                ops.into_iter().try_fold(name, |name, op| op.follow(Way::Down, name))
            }
        }
    }

    /// The collections that end on the way up between two versions with records that may be set aside, by their last names.
    pub(super) fn dropped(&self, low: Version, high: Version) -> impl Iterator<Item = &str> {
        let ops = self.between(low, high).iter().flat_map(|stage| &stage.rehomes);
        ops.filter_map(|op| match op {
            Rehome::Drop { collection, forgets: false } => Some(&**collection),
            Rehome::Unnest(unnest) if unnest.apart == Way::Down => Some(&*unnest.children),
            _ => None,
        })
    }

    pub(super) fn between(&self, a: Version, b: Version) -> &[Stage] {
        let (low, high) = (a.min(b), a.max(b));
        self.stages.get(low.0 as usize..high.0 as usize).unwrap_or_default()
    }
}

impl Stage {
    fn move_family(
        &self,
        way: Way,
        now: i64,
        customs: &Customs,
        family: &mut Family<'_>,
        watch: &mut Watch<'_>,
    ) -> Result<()> {
        if way == Way::Up {
            self.change(way, now, customs, family)?;
        }
        for step in 0..self.rehomes.len() {
            let index = if way == Way::Up { step } else { self.rehomes.len() - 1 - step };
            let name = format!("{}/{index}", self.link.id);
            watch(way, &self.rehomes[index], &name, family);
            let moved = self.rehomes[index].run(way, &name, family);
            moved.map_err(|error| error.in_migration(&self.link.id))?;
        }
        if way == Way::Down {
            self.change(way, now, customs, family)?;
        }
        Ok(())
    }

    /// The steps of each record.
    fn change(&self, way: Way, now: i64, customs: &Customs, family: &mut Family<'_>) -> Result<()> {
        let id = &self.link.id;
        for record in family.iter_mut().filter(|record| !record.is_aside) {
            let Some(body) = self.bodies.get(&*record.collection) else { continue };
            let scope = Scope::new(Context { now, key: &record.key }, customs);
            let kept = body.run(way, &mut record.value, record.residues.take(id), &scope);
            let placed = |error: Error| {
                let error = error.in_migration(id).in_collection(&record.collection);
                // Outside of a store a record may have no key.
                if record.key.is_empty() { error } else { error.in_record(&record.key) }
            };
            record.residues.put(id, kept.map_err(placed)?);
        }
        Ok(())
    }
}
