use super::edit::Change;
use super::entry::{Entry, Memo};
use super::{Function, Scope, Way};
use crate::document::{Path, Value};
use crate::error::Result;
use crate::{json_object, json_variants};

/// One item of a list, known by its key, changes as a value does by an edit: it is added where it is missing, or taken
/// out. Where there is no list nothing happens, and neither where several items have the key: nobody knows which is
/// meant.
#[derive(Clone, Debug)]
pub struct EditItem {
    /// Where the list stands.
    pub list: Path,
    /// Where in an item its key stands.
    pub by: Path,
    /// The key of the item that is meant.
    pub key: Value<'static>,
    /// From the older item to the newer.
    pub forward: Function,
    /// From the newer item to the older.
    pub backward: Function,
    /// Where an item goes that the residue knows no place for.
    pub place: Place,
}

json_object!(EditItem { "list": list, "by": by, "key": key, "forward": forward, "backward": backward, "place": place });

/// A place in a list.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// Before all others.
    First,
    /// After all others.
    Last,
    /// After the item with this key; last, where there is none.
    After(Value<'static>),
}

json_variants!(Place { "first": First {}, "last": Last {}, "after": After { 0: key } });

impl EditItem {
    pub(super) fn run<'a>(
        &self,
        way: Way,
        focus: &mut Value<'a>,
        entry: Option<Entry<'a>>,
        scope: &Scope<'_>,
    ) -> Result<Option<Entry<'a>>> {
        let Some(items) = self.list.get(focus)?.map(Value::array_mut).transpose()?.flatten() else { return Ok(None) };
        let found = self.find(items, &self.key)?;
        if found.len() > 1 {
            return Ok(None);
        }
        let at = found.first().copied();
        let known = match entry {
            Some(Entry::Memo(memo)) => Some(memo),
            _ => None,
        };
        let (_, known_at) = known.as_ref().map_or((None, None), |memo| way.orient(memo.older_at, memo.newer_at));
        let change = Change { forward: &self.forward, backward: &self.backward, source: None };
        let current = at.map(|at| items[at].clone());
        let outcome = change.run(way, current, known, scope).map_err(|error| error.under_path(&self.list))?;
        let place = self.put(items, at, outcome.next, known_at)?;
        let (here_at, there_at) = if at.is_some() { (place, None) } else { (None, place) };
        let (older_at, newer_at) = way.orient(here_at, there_at);
        let worth_keeping = outcome.is_worth_keeping || place.is_some();
        Ok(worth_keeping.then_some(Entry::Memo(Memo { older_at, newer_at, ..outcome.memo })))
    }

    /// Puts the item into its place, or takes it from there. Answers with the place in the longer list, where it is not
    /// the one that the rule says.
    fn put<'a>(
        &self,
        items: &mut Vec<Value<'a>>,
        at: Option<usize>,
        next: Option<Value<'a>>,
        known_at: Option<usize>,
    ) -> Result<Option<usize>> {
        let place = match (at, next) {
            (Some(at), Some(item)) => {
                items[at] = item;
                return Ok(None);
            }
            (None, None) => return Ok(None),
            (Some(at), None) => {
                items.remove(at);
                (at, self.rule(items)?)
            }
            (None, Some(item)) => {
                let rule = self.rule(items)?;
                let at = known_at.unwrap_or(rule).min(items.len());
                items.insert(at, item);
                (at, rule)
            }
        };
        Ok((place.0 != place.1).then_some(place.0))
    }

    fn rule(&self, items: &mut [Value<'_>]) -> Result<usize> {
        Ok(match &self.place {
            Place::First => 0,
            Place::Last => items.len(),
            Place::After(key) => self.find(items, key)?.first().map_or(items.len(), |at| at + 1),
        })
    }

    fn find(&self, items: &mut [Value<'_>], key: &Value<'_>) -> Result<Vec<usize>> {
        let mut found = Vec::new();
        for (index, item) in items.iter_mut().enumerate() {
            if self.by.get(item)?.is_some_and(|there| &*there == key) {
                found.push(index);
            }
        }
        Ok(found)
    }
}
