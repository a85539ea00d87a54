use std::cell::OnceCell;
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use litemap::LiteMap;

use super::siblings::{Child, Instead, Siblings};
use super::{Family, Record};
use crate::document::{Digest, Number, Object, Path, Put, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::json_object;
use crate::lens::Way;

/// The items of a list in each record become records of their own, and come back.
///
/// A child knows its parent by the parent's key, which stands in one of its fields; the parent remembers the order of
/// its children, unless a field of theirs says it. Children that were born apart come back after their siblings, in the
/// order of their keys. A child whose parent is not there is set aside, whole, and is a record again where it can be.
#[derive(Clone, Debug, PartialEq)]
pub struct Unnest {
    /// The way on which the children leave.
    pub apart: Way,
    /// The parents' collection.
    pub parents: String,
    /// Where in a parent the list stands.
    pub at: Path,
    /// The children's collection.
    pub children: String,
    /// Where in a child its key stands. Without it keys are made from the parent's key and the place in the list.
    pub by: Option<Path>,
    /// The field of a child that holds its parent's key.
    pub parent: String,
    /// The field of a child that holds its place in the list, counted from 0.
    pub order: Option<String>,
}

json_object!(Unnest {
    "apart": apart,
    "parents": parents,
    "at": at,
    "children": children,
    "by": by,
    "parent": parent,
    "order": order,
});

impl Unnest {
    /// Moves a family; `name` is what the parents know this by.
    pub(super) fn run<'a>(&self, way: Way, name: &str, family: &mut Family<'a>) -> Result<()> {
        match way == self.apart {
            true => self.take_apart(name, family),
            false => self.bring_together(name, family),
        }
    }

    fn take_apart(&self, name: &str, family: &mut Family<'_>) -> Result<()> {
        for record in family.iter_mut().filter(|record| record.collection == self.children) {
            record.is_aside = false;
        }
        let mut born = Vec::new();
        for parent in family.iter_mut().filter(|record| record.is_in(&self.parents)) {
            let children = self.part(name, parent);
            born.extend(children.map_err(|error| error.in_collection(&self.parents).in_record(&parent.key))?);
        }
        family.append(&mut born);
        Ok(())
    }

    /// Takes the children out of one parent.
    fn part<'a>(&self, name: &str, parent: &mut Record<'a>) -> Result<Vec<Record<'a>>> {
        let mut known = parent.residues.take_siblings(name);
        let (list, made) = self.at.take(&mut parent.value, known.made)?;
        if let Some(displaced) = &known.displaced {
            self.put(&mut parent.value, displaced.clone())?;
        }
        let (instead, items) = self.items_of(list)?;
        let keys = self.keys(&parent.key, &items, &known)?;
        let marks = Marks::of(&items);
        if !self.places_hold(&keys, &known) {
            known.children.iter_mut().for_each(|(_, child)| child.place = None);
        }
        let mut siblings = Siblings { instead, made, displaced: known.displaced, ..Siblings::default() };
        let mut children = Vec::with_capacity(items.len());
        for (index, (item, (key, is_aligned))) in items.iter().zip(keys).enumerate() {
            let remembered = known.children.remove(&key).filter(|child| is_aligned || child.mark.is_none());
            let remembered = remembered.unwrap_or_default();
            let mut value = item.clone();
            let mut child = self
                .leave(&parent.key, index, &mut value, remembered.place)
                .map_err(|error| self.at_item(error, index))?;
            // Kept here as well: a run that dies half-way may find the child's own record not written yet.
            child.residues = remembered.residues.clone();
            let follows = self.rule(&parent.key, index, item)?.is_some_and(|rule| rule == key);
            if !follows || self.by.is_none() && child.is_worth_keeping() {
                child.mark = Some(marks.get(index)?);
            }
            if child.is_worth_keeping() {
                siblings.children.insert(key.clone(), child);
            }
            if self.order.is_none() {
                siblings.order.push(key.clone());
            }
            children.push(Record {
                collection: self.children.clone().into(),
                key: key.into(),
                value,
                residues: remembered.residues,
                is_aside: false,
            });
        }
        parent.residues.put_siblings(name, siblings);
        Ok(children)
    }

    /// Whether the places that children said they had would put these items into this order again. Where somebody changed
    /// the list they may not, and each child gets the place that it has.
    fn places_hold(&self, keys: &[(String, bool)], known: &Siblings<'_>) -> bool {
        let ranks = keys.iter().enumerate().map(|(index, (key, is_aligned))| {
            let child = known.children.get(key).filter(|child| *is_aligned || child.mark.is_none());
            let place = child.and_then(|child| child.place.as_ref()).filter(|(at, _)| *at == index);
            (place.map_or_else(|| count(index).number(), |(_, said)| rank(said.as_ref())), key)
        });
        self.order.is_none() || ranks.is_sorted_by(|(a, one), (b, other)| compare((a, one), (b, other)).is_le())
    }

    fn items_of<'a>(&self, list: Option<Value<'a>>) -> Result<(Option<Instead>, Vec<Value<'a>>)> {
        match list.map(|list| list.opened()).transpose()? {
            None => Ok((Some(Instead::Absent), Vec::new())),
            Some(Value::Null) => Ok((Some(Instead::Null), Vec::new())),
            Some(Value::Array(items)) => Ok((None, items)),
            Some(other) => {
                let message = format!("expected a list, found {}", other.kind());
                Err(Error::new(ErrorKind::Unfit, message).under_path(&self.at))
            }
        }
    }

    /// The key of each item, and whether the item was recognised by how it looks.
    fn keys(&self, parent: &str, items: &[Value<'_>], known: &Siblings<'_>) -> Result<Vec<(String, bool)>> {
        let marked: HashMap<_, _> =
            known.children.iter().filter_map(|(key, child)| Some((child.mark?, key.clone()))).collect();
        let mut keys = vec![None; items.len()];
        if !marked.is_empty() {
            let marks = Marks::of(items);
            for (index, key) in keys.iter_mut().enumerate() {
                *key = marked.get(&marks.get(index)?).cloned();
            }
        }
        let mut taken: HashSet<String> = keys.iter().flatten().cloned().collect();
        let mut found = Vec::with_capacity(items.len());
        for (index, (item, key)) in items.iter().zip(keys).enumerate() {
            let is_aligned = key.is_some();
            let key = match key {
                Some(key) => key,
                None => self
                    .new_key(parent, index, items.len(), item, &mut taken)
                    .map_err(|error| self.at_item(error, index))?,
            };
            found.push((key, is_aligned));
        }
        Ok(found)
    }

    fn new_key(
        &self,
        parent: &str,
        index: usize,
        count: usize,
        item: &Value<'_>,
        taken: &mut HashSet<String>,
    ) -> Result<String> {
        // On a way down nobody could ask for keys of records that were born inside of others.
        let may_make = self.by.is_none() || self.apart == Way::Down;
        let rule = self.rule(parent, index, item)?.or_else(|| may_make.then(|| self.made_key(parent, index)));
        let mut key = rule.ok_or_else(|| {
            let by = self.by.as_ref().map_or_else(String::new, Path::to_string);
            let message = format!("expected in each item a text at {by}, to be its key, found none");
            Error::new(ErrorKind::Unfit, message)
        })?;
        let mut others = count..;
        while !taken.insert(key.clone()) {
            match others.next().filter(|_| may_make) {
                Some(other) => key = self.made_key(parent, other),
                None => {
                    let message = "expected in each item a key that no other item has, found one twice; give one of them another key";
                    return Err(Error::new(ErrorKind::Collision, message));
                }
            }
        }
        Ok(key)
    }

    /// The key that follows from an item and its place; `None` where the item has none.
    fn rule(&self, parent: &str, index: usize, item: &Value<'_>) -> Result<Option<String>> {
        match &self.by {
            None => Ok(Some(self.made_key(parent, index))),
            Some(by) => {
                let mut item = item.clone();
                let key = by.get(&mut item)?.map(|key| key.text()).transpose()?.flatten();
                Ok(key.map(std::borrow::Cow::into_owned))
            }
        }
    }

    fn made_key(&self, parent: &str, index: usize) -> String {
        format!("{parent}{}/{index}", self.at)
    }

    /// Gives an item its parent's key and its place. Answers with what that hides.
    fn leave<'a>(
        &self,
        parent: &str,
        index: usize,
        item: &mut Value<'a>,
        place: Option<(usize, Option<Value<'a>>)>,
    ) -> Result<Child<'a>> {
        let object = members_of(item)?;
        let mut child = Child::default();
        if let Some(hidden) = object.insert(self.parent.clone(), Value::from(parent)) {
            child.hidden.insert(self.parent.clone(), hidden);
        }
        let Some(order) = &self.order else { return Ok(child) };
        if let Some(hidden) = object.remove(order) {
            child.hidden.insert(order.clone(), hidden);
        }
        let said = match place {
            Some((at, said)) if at == index => {
                child.place = Some((at, said.clone()));
                said
            }
            _ => Some(count(index)),
        };
        if let Some(said) = said {
            object.insert(order.clone(), said);
        }
        Ok(child)
    }

    fn bring_together(&self, name: &str, family: &mut Family<'_>) -> Result<()> {
        let mut by_parent: LiteMap<String, Family<'_>> = LiteMap::new();
        let mut alone = Vec::new();
        for record in std::mem::take(family) {
            match self.parent_of(&record) {
                Some(parent) => by_parent.entry(parent).or_default().push(record),
                None => alone.push(record),
            }
        }
        for parent in alone.iter_mut().filter(|record| record.is_in(&self.parents)) {
            let children = by_parent.remove(&*parent.key).unwrap_or_default();
            let gathered = self.gather(name, parent, children);
            gathered.map_err(|error| error.in_collection(&self.parents).in_record(&parent.key))?;
        }
        alone.extend(by_parent.into_iter().flat_map(|(_, children)| children));
        for orphan in alone.iter_mut().filter(|record| record.is_in(&self.children)) {
            orphan.is_aside = true;
        }
        *family = alone;
        Ok(())
    }

    /// The key of a child's parent.
    pub(super) fn parent_of(&self, record: &Record<'_>) -> Option<String> {
        let members = record.is_in(&self.children).then(|| record.value.members()).flatten()?;
        members.get(&self.parent)?.text().ok().flatten().map(std::borrow::Cow::into_owned)
    }

    /// Puts its children into one parent.
    fn gather<'a>(&self, name: &str, parent: &mut Record<'a>, mut children: Family<'a>) -> Result<()> {
        let mut known = parent.residues.take_siblings(name);
        self.sort(&mut children, &known.order);
        let (mut items, mut found) = (Vec::with_capacity(children.len()), Vec::with_capacity(children.len()));
        for (index, record) in children.into_iter().enumerate() {
            let Record { key, mut value, residues, .. } = record;
            let hidden = known.children.remove(&*key).map(|child| child.hidden).unwrap_or_default();
            let place = self.arrive(index, &mut value, &hidden)?;
            items.push(value);
            found.push((key.into_owned(), Child { place, hidden, residues, mark: None }));
        }
        let mut siblings = Siblings::default();
        let marks = Marks::of(&items);
        for (index, (key, mut child)) in found.into_iter().enumerate() {
            let follows = self.rule(&parent.key, index, &items[index])?.is_some_and(|rule| rule == key);
            if !follows || self.by.is_none() && child.is_worth_keeping() {
                child.mark = Some(marks.get(index)?);
            }
            if self.order.is_none() {
                siblings.order.push(key.clone());
            }
            if child.is_worth_keeping() {
                siblings.children.insert(key, child);
            }
        }
        siblings.instead = known.instead.filter(|_| items.is_empty());
        siblings.displaced = self.at.take(&mut parent.value, 0)?.0;
        let list = match siblings.instead {
            Some(Instead::Absent) => None,
            Some(Instead::Null) => Some(Value::Null),
            None => Some(Value::Array(items)),
        };
        siblings.made = list.map_or(Ok(0), |list| self.put(&mut parent.value, list))?;
        parent.residues.put_siblings(name, siblings);
        Ok(())
    }

    /// By the field that says the place, or in the order that is known; then by key.
    fn sort(&self, children: &mut Family<'_>, known: &[String]) {
        let known: HashMap<_, _> = known.iter().enumerate().map(|(at, key)| (&**key, at)).collect();
        let ranked = std::mem::take(children).into_iter().map(|child| {
            let rank = match &self.order {
                None => known.get(&*child.key).and_then(|at| count(*at).number()),
                Some(order) => rank(child.value.members().and_then(|mut members| members.remove(order)).as_ref()),
            };
            (rank, child)
        });
        let mut ranked: Vec<_> = ranked.collect();
        ranked.sort_by(|(a, one), (b, other)| compare((a, &*one.key), (b, &*other.key)));
        children.extend(ranked.into_iter().map(|(_, child)| child));
    }

    /// Makes an item of a child again. Answers with its place and what it said of it, if that was something else.
    fn arrive<'a>(
        &self,
        index: usize,
        child: &mut Value<'a>,
        hidden: &LiteMap<String, Value<'a>>,
    ) -> Result<Option<(usize, Option<Value<'a>>)>> {
        let object = members_of(child)?;
        object.remove(&self.parent);
        let said = self.order.as_ref().map(|order| object.remove(order));
        for (name, value) in hidden {
            object.insert(name.clone(), value.clone());
        }
        Ok(said.filter(|said| *said != Some(count(index))).map(|said| (index, said)))
    }

    fn put<'a>(&self, parent: &mut Value<'a>, value: Value<'a>) -> Result<usize> {
        match self.at.put(parent, value)? {
            Put::Done { made } => Ok(made),
            Put::Blocked(at) => {
                let message = "expected an object to put a member into, found another type";
                Err(Error::new(ErrorKind::Unfit, message).under_path(at))
            }
        }
    }

    fn at_item(&self, error: Error, index: usize) -> Error {
        error.under_path(format_args!("{}/{index}", self.at))
    }
}

/// What items are recognised by: how they look, and how many equal ones come before. Found out where it is asked for.
struct Marks<'i, 'a> {
    items: &'i [Value<'a>],
    found: OnceCell<Vec<(Digest, usize)>>,
}

impl<'i, 'a> Marks<'i, 'a> {
    fn of(items: &'i [Value<'a>]) -> Self {
        Self { items, found: OnceCell::new() }
    }

    fn get(&self, index: usize) -> Result<(Digest, usize)> {
        if let Some(found) = self.found.get() {
            return Ok(found[index]);
        }
        let mut seen: HashMap<Digest, usize> = HashMap::new();
        let mut found = Vec::with_capacity(self.items.len());
        for item in self.items {
            let digest = Digest::of(item)?;
            let nth = seen.entry(digest).and_modify(|nth| *nth += 1).or_insert(0);
            found.push((digest, *nth));
        }
        Ok(self.found.get_or_init(|| found)[index])
    }
}

fn members_of<'v, 'a>(item: &'v mut Value<'a>) -> Result<&'v mut Object<'a>> {
    let found = item.kind();
    item.object_mut()?.ok_or_else(|| Error::new(ErrorKind::Unfit, format!("expected an object, found {found}")))
}

/// Where a child stands by what it says of its place, if it says a number.
fn rank<'a>(said: Option<&Value<'a>>) -> Option<Number<'a>> {
    said.and_then(Value::number)
}

/// By rank and then by key; what has no rank is last.
fn compare((a, one): (&Option<Number<'_>>, &str), (b, other): (&Option<Number<'_>>, &str)) -> Ordering {
    let by_rank = match (a, b) {
        (Some(a), Some(b)) => a.compare(b),
        _ => a.is_none().cmp(&b.is_none()),
    };
    by_rank.then_with(|| one.cmp(other))
}

fn count(index: usize) -> Value<'static> {
    Value::from(i64::try_from(index).unwrap_or(i64::MAX))
}
