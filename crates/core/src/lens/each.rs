use std::collections::HashMap;

use super::context::Step;
use super::entry::{Entry, Item, Mark};
use super::{Body, Residue, Scope, Way};
use crate::document::{Digest, Kind, Path, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::{json_object, json_variants};

/// A body runs on each item of an array, or on each value of an object. An absent value, and `null`, have no items.
#[derive(Clone, Debug)]
pub struct Each {
    /// Where the array or object stands.
    pub at: Path,
    /// What an item of an array is known by when its residue is looked for.
    pub align: Align,
    /// What happens to each.
    pub body: Body,
}

json_object!(Each { "at": at, "align": align, "body": body });

/// What an item of an array is known by. Never its index: a deleted item would give its neighbour its residue.
#[derive(Clone, Debug)]
pub enum Align {
    /// The value at this path, which the body leaves alone.
    Key(Path),
    /// The whole item as it looks on the side that is being left; equal items in order.
    Image,
}

json_variants!(Align { "key": Key { 0: path }, "image": Image {} });

impl Each {
    pub(super) fn run<'a>(
        &self,
        way: Way,
        focus: &mut Value<'a>,
        entry: Option<Entry<'a>>,
        scope: &Scope<'_>,
    ) -> Result<Option<Entry<'a>>> {
        let known = match entry {
            Some(Entry::Items(items)) => items,
            _ => Vec::new(),
        };
        let known = known.into_iter().map(|item| (way.orient(item.older, item.newer).0, item.inner)).collect();
        let Some(value) = self.at.get(focus)? else { return Ok(None) };
        let kept = match value.kind() {
            Kind::Array => self.run_array(way, value, known, scope),
            Kind::Object => self.run_object(way, value, known, scope),
            Kind::Null => Ok(Vec::new()),
            kind => Err(Error::new(ErrorKind::Unfit, format!("expected an array or an object, found {kind}"))),
        };
        let kept = kept.map_err(|error| error.under_path(&self.at))?;
        Ok((!kept.is_empty()).then_some(Entry::Items(kept)))
    }

    fn run_array<'a>(
        &self,
        way: Way,
        value: &mut Value<'a>,
        mut known: HashMap<Mark, Residue<'a>>,
        scope: &Scope<'_>,
    ) -> Result<Vec<Item<'a>>> {
        let Some(items) = value.array_mut()? else { return Ok(Vec::new()) };
        let before = items.clone();
        let marks_before = if known.is_empty() { None } else { Some(self.marks(&before)?) };
        let mut inner = Vec::with_capacity(items.len());
        for (index, item) in items.iter_mut().enumerate() {
            let residue = marks_before.as_ref().and_then(|marks| known.remove(&marks[index])).unwrap_or_default();
            let scope = scope.inside(&self.at, Step::Index(index));
            let kept = self.body.run(way, item, residue, &scope);
            inner.push(kept.map_err(|error| error.under_path(format_args!("/{index}")))?);
        }
        if inner.iter().all(Residue::is_empty) {
            return Ok(Vec::new());
        }
        // Marks cost a digest an item, and are needed only where something is to be remembered.
        let marks_before = marks_before.map_or_else(|| self.marks(&before), Ok)?;
        let marks = marks_before.into_iter().zip(self.marks(items)?);
        let kept = inner.into_iter().zip(marks).filter(|(inner, _)| !inner.is_empty());
        Ok(kept.map(|(inner, (before, after))| Item::new(way, before, after, inner)).collect())
    }

    fn run_object<'a>(
        &self,
        way: Way,
        value: &mut Value<'a>,
        mut known: HashMap<Mark, Residue<'a>>,
        scope: &Scope<'_>,
    ) -> Result<Vec<Item<'a>>> {
        let mut kept = Vec::new();
        let Some(object) = value.object_mut()? else { return Ok(kept) };
        for (name, value) in object.iter_mut() {
            let mark = (Digest::of(&Value::from(name))?, 0);
            let residue = known.remove(&mark).unwrap_or_default();
            let scope = scope.inside(&self.at, Step::Name(name));
            let inner = self.body.run(way, value, residue, &scope);
            let inner = inner.map_err(|error| error.under_path(Path::default().join(name)))?;
            if !inner.is_empty() {
                kept.push(Item::new(way, mark, mark, inner));
            }
        }
        // The members of an object have no order, and neither has what is remembered of them.
        kept.sort_unstable_by_key(|item| item.older);
        Ok(kept)
    }

    fn marks(&self, items: &[Value<'_>]) -> Result<Vec<Mark>> {
        let mut seen = HashMap::new();
        let mut marks = Vec::with_capacity(items.len());
        for item in items {
            let digest = match &self.align {
                Align::Image => Digest::of(item)?,
                Align::Key(path) => Digest::of(path.get(&mut item.clone())?.map_or(&Value::Null, |key| &*key))?,
            };
            let nth = seen.entry(digest).and_modify(|nth| *nth += 1).or_insert(0_usize);
            marks.push((digest, *nth));
        }
        Ok(marks)
    }
}

impl<'a> Item<'a> {
    fn new(way: Way, before: Mark, after: Mark, inner: Residue<'a>) -> Self {
        let (older, newer) = way.orient(before, after);
        Self { older, newer, inner }
    }
}
