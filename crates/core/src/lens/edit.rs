use super::entry::{Entry, Memo};
use super::{Function, Scope, Way};
use crate::document::{Object, Path, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::json_object;

/// A value changes by a function, and back by another. Where the two do not undo each other the pair of values is
/// remembered: if the value met is the remembered one, its counterpart returns; if somebody changed it, the change wins
/// and goes through the function. Where there is no enclosing object nothing happens.
#[derive(Clone, Debug)]
pub struct Edit {
    /// Where the value stands, in both versions.
    pub at: Path,
    /// From the older value to the newer.
    pub forward: Function,
    /// From the newer value to the older.
    pub backward: Function,
    /// Where the function that leads forward looks instead of at the older value: the first of these that is there.
    pub sources: Vec<Path>,
    /// Whether the older value is forgotten for good, as secrets should be.
    pub forgets: bool,
}

json_object!(Edit { "at": at, "forward": forward, "backward": backward, "forgets": forgets; "sources": sources });

impl Edit {
    /// An edit of the value at a place, remembered where it must be.
    #[must_use]
    pub fn new(at: &Path, forward: Function, backward: Function) -> Self {
        Self { at: at.clone(), forward, backward, sources: Vec::new(), forgets: false }
    }

    pub(super) fn run<'a>(
        &self,
        way: Way,
        focus: &mut Value<'a>,
        entry: Option<Entry<'a>>,
        scope: &Scope<'_>,
    ) -> Result<Option<Entry<'a>>> {
        let source = self.find_source(focus)?;
        let Some(mut slot) = Slot::find(&self.at, focus)? else { return Ok(None) };
        let change = Change { forward: &self.forward, backward: &self.backward, source };
        let (known, is_secret) = match entry {
            Some(Entry::Memo(memo)) => (Some(memo), false),
            Some(Entry::Secret(memo)) => (Some(memo), true),
            _ => (None, false),
        };
        let outcome = change.run(way, slot.read(), known, scope).map_err(|error| error.under_path(&self.at))?;
        slot.write(outcome.next).map_err(|error| error.under_path(&self.at))?;
        // On the way down only what the newer version had at that place is new, and no secret.
        let is_secret = self.forgets && (is_secret || way == Way::Up);
        let entry = if is_secret { Entry::Secret } else { Entry::Memo };
        Ok(outcome.is_worth_keeping.then(|| entry(outcome.memo)))
    }

    fn find_source<'a>(&self, focus: &mut Value<'a>) -> Result<Option<Option<Value<'a>>>> {
        for source in &self.sources {
            if let Some(value) = source.get(focus)? {
                return Ok(Some(Some(value.clone())));
            }
        }
        Ok((!self.sources.is_empty()).then_some(None))
    }
}

/// Two functions between an older value and a newer one.
pub(super) struct Change<'f, 'a> {
    pub(super) forward: &'f Function,
    pub(super) backward: &'f Function,
    /// What the first function sees instead of the older value.
    pub(super) source: Option<Option<Value<'a>>>,
}

/// What became of a value.
pub(super) struct Outcome<'a> {
    pub(super) next: Option<Value<'a>>,
    pub(super) memo: Memo<'a>,
    /// Whether the functions alone would not lead here again, and back.
    pub(super) is_worth_keeping: bool,
}

impl<'a> Change<'_, 'a> {
    pub(super) fn run(
        &self,
        way: Way,
        current: Option<Value<'a>>,
        known: Option<Memo<'a>>,
        scope: &Scope<'_>,
    ) -> Result<Outcome<'a>> {
        let (mut remembered, mut was_there) = (None, false);
        let knows_nothing = known.is_none();
        if let Some(memo) = known {
            let (here, there) = way.orient(memo.older, memo.newer);
            was_there = there.is_some();
            remembered = (here == current).then_some(there);
        }
        let next = match remembered {
            Some(next) => next,
            None => self.apply(way, current.clone(), was_there, scope)?,
        };
        // Without the residue nobody knows what was there before.
        let agrees =
            |way, from, to: &Option<Value<'a>>| self.apply(way, from, false, scope).is_ok_and(|found| found == *to);
        let ahead_agrees = knows_nothing || agrees(way, current.clone(), &next);
        let both_agree = ahead_agrees && agrees(way.back(), next.clone(), &current);
        let (older, newer) = way.orient(current, next.clone());
        let memo = Memo { older, newer, ..Memo::default() };
        Ok(Outcome { next, memo, is_worth_keeping: !both_agree })
    }

    fn apply(
        &self,
        way: Way,
        value: Option<Value<'a>>,
        was_there: bool,
        scope: &Scope<'_>,
    ) -> Result<Option<Value<'a>>> {
        match (way, &self.source) {
            (Way::Up, Some(source)) => self.forward.apply(source.clone(), scope),
            (Way::Up, None) => self.forward.apply_where(was_there, value, scope),
            (Way::Down, _) => self.backward.apply_where(was_there, value, scope),
        }
    }
}

/// The place of a value that may be absent.
enum Slot<'v, 'a> {
    Focus(&'v mut Value<'a>),
    Member(&'v mut Object<'a>, &'v str),
}

impl<'v, 'a> Slot<'v, 'a> {
    fn find(path: &'v Path, focus: &'v mut Value<'a>) -> Result<Option<Self>> {
        let Some((parent, _)) = path.split_last() else { return Ok(Some(Slot::Focus(focus))) };
        let Some(name) = path.tokens().next_back() else { return Ok(None) };
        let Some(enclosing) = parent.get(focus)? else { return Ok(None) };
        Ok(enclosing.object_mut()?.map(|object| Slot::Member(object, name)))
    }

    fn read(&self) -> Option<Value<'a>> {
        match self {
            Slot::Focus(value) => Some((**value).clone()),
            Slot::Member(object, name) => object.get(name).cloned(),
        }
    }

    fn write(&mut self, value: Option<Value<'a>>) -> Result<()> {
        match (self, value) {
            (Slot::Focus(place), Some(value)) => **place = value,
            (Slot::Focus(_), None) => {
                return Err(Error::new(
                    ErrorKind::Unfit,
                    "expected a value to stay in place, found a step that removes it whole",
                ));
            }
            (Slot::Member(object, name), Some(value)) => drop(object.insert(name.to_string(), value)),
            (Slot::Member(object, name), None) => drop(object.remove(name)),
        }
        Ok(())
    }
}
