use std::borrow::Cow;
use std::collections::HashSet;

use super::Way;
use super::entry::{Entry, Members, Slot};
use crate::document::{Object, Path, Quoted, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::{json_object, json_words};

/// A list of objects and an object of objects are the same: the key of an item is the name of a member.
///
/// The residue knows the order of the list, the items that have no place in the object, and what stood in a member's
/// object where the key belongs. Members that it does not know follow in the order of their names' bytes.
#[derive(Clone, Debug)]
pub struct Rekey {
    /// Where the list or object stands.
    pub at: Path,
    /// The member of an item that is its key.
    pub by: String,
    /// What happens to items without a key of their own.
    pub spare: Spare,
    /// Which of the two versions has the list.
    pub list: Way,
}

json_object!(Rekey { "at": at, "by": by, "spare": spare, "list": list });

/// What happens to an item whose key is missing, no text, or that of another item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spare {
    /// The record is refused.
    Refuse,
    /// The first item with a key goes into the object, the others into the residue.
    First,
    /// The last item with a key goes into the object, the others into the residue.
    Last,
}

json_words!(Spare { "refuse": Refuse, "first": First, "last": Last });

impl Rekey {
    pub(super) fn run<'a>(
        &self,
        way: Way,
        focus: &mut Value<'a>,
        entry: Option<Entry<'a>>,
    ) -> Result<Option<Entry<'a>>> {
        let Some(value) = self.at.get(focus)? else { return Ok(None) };
        let (slots, hidden) = match entry {
            Some(Entry::Order { slots, hidden }) => (slots, hidden),
            _ => Default::default(),
        };
        // The list's older version is seen going up, and its newer version going down.
        let has_list = way != self.list;
        let found = value.kind();
        let wrong = |expected: &str| Error::new(ErrorKind::Unfit, format!("expected {expected}, found {found}"));
        let changed = match (value.opened()?, has_list) {
            (Value::Null, _) => return Ok(None),
            (Value::Array(items), true) => self.name_items(items, hidden),
            (Value::Object(members), false) => self.list_members(members, slots),
            (_, true) => Err(wrong("a list")),
            (_, false) => Err(wrong("an object")),
        };
        let (changed, entry) = changed.map_err(|error| error.under_path(&self.at))?;
        *value = changed;
        Ok(entry)
    }

    fn name_items<'a>(&self, items: Vec<Value<'a>>, hidden: Members<'a>) -> Result<(Value<'a>, Option<Entry<'a>>)> {
        let keys = items.iter().map(|item| key_of(item, &self.by)).collect::<Result<Vec<_>>>()?;
        let named = self.choose(&keys)?;
        let (mut members, mut slots, mut shown) = (Object::new(), Vec::new(), Members::new());
        for ((mut item, key), named) in items.into_iter().zip(keys).zip(named) {
            let (Some(key), true) = (key, named) else {
                slots.push(Slot::Spare(item));
                continue;
            };
            if let Some(object) = item.object_mut()? {
                object.remove(&self.by);
                if let Some(unknown) = hidden.get(&key) {
                    object.insert(self.by.clone(), unknown.clone());
                    shown.insert(key.clone(), unknown.clone());
                }
            }
            slots.push(Slot::Named(key.clone()));
            members.insert(key, item);
        }
        Ok((Value::Object(members), order(slots, shown)))
    }

    /// For each item, whether it goes into the object.
    fn choose(&self, keys: &[Option<String>]) -> Result<Vec<bool>> {
        let mut seen = HashSet::new();
        let mut first = |key: &Option<String>| key.as_ref().is_some_and(|key| seen.insert(key.clone()));
        let mut named: Vec<bool> = match self.spare {
            Spare::Last => keys.iter().rev().map(&mut first).collect(),
            Spare::First | Spare::Refuse => keys.iter().map(&mut first).collect(),
        };
        if self.spare == Spare::Last {
            named.reverse();
        }
        match named.iter().position(|named| !named).filter(|_| self.spare == Spare::Refuse) {
            None => Ok(named),
            Some(index) => {
                let message = format!(
                    "expected in each item a text at {} that no other item has, found none; say with \"spare\" what happens to such items",
                    Quoted(&self.by)
                );
                Err(Error::new(ErrorKind::Unfit, message).under_path(format_args!("/{index}")))
            }
        }
    }

    fn list_members<'a>(
        &self,
        mut members: Object<'a>,
        known: Vec<Slot<'a>>,
    ) -> Result<(Value<'a>, Option<Entry<'a>>)> {
        let (mut items, mut slots, mut hidden) = (Vec::new(), Vec::new(), Members::new());
        let there: HashSet<String> = members.iter().map(|(name, _)| name.to_owned()).collect();
        let mut list = |name: &str, members: &mut Object<'a>, items: &mut Vec<Value<'a>>| -> Result<bool> {
            let Some(mut item) = members.remove(name) else { return Ok(false) };
            let found = item.kind();
            let Some(object) = item.object_mut()? else {
                let message = format!("expected an object, found {found}");
                return Err(Error::new(ErrorKind::Unfit, message).under_path(Path::default().join(name)));
            };
            if let Some(unknown) = object.insert(self.by.clone(), Value::from(name)) {
                hidden.insert(name.to_owned(), unknown);
            }
            items.push(item);
            Ok(true)
        };
        for slot in known {
            match slot {
                Slot::Named(name) if list(&name, &mut members, &mut items)? => slots.push(Slot::Named(name)),
                Slot::Named(_) => {}
                Slot::Spare(item) => {
                    // One that shares its key stays only where the list, read again, would leave it out again.
                    let stays = key_of(&item, &self.by)?.is_none_or(|key| {
                        let listed = there.contains(&key) && members.get(&key).is_none();
                        there.contains(&key) && listed == (self.spare == Spare::First)
                    });
                    if stays && self.spare != Spare::Refuse {
                        items.push(item.clone());
                        slots.push(Slot::Spare(item));
                    }
                }
            }
        }
        let mut newcomers: Vec<_> = members.iter().map(|(name, _)| name.to_owned()).collect();
        newcomers.sort_unstable();
        for name in newcomers {
            list(&name, &mut members, &mut items)?;
            slots.push(Slot::Named(name));
        }
        Ok((Value::Array(items), order(slots, hidden)))
    }
}

/// The key of an item: `None` where it has none that could be a name.
fn key_of(item: &Value<'_>, by: &str) -> Result<Option<String>> {
    let Value::Object(members) = item.opened()? else { return Ok(None) };
    let text = members.get(by).map(Value::text).transpose()?.flatten();
    Ok(text.map(Cow::into_owned))
}

/// Nothing is remembered of a list that is in the order of its keys.
fn order<'a>(slots: Vec<Slot<'a>>, hidden: Members<'a>) -> Option<Entry<'a>> {
    let name = |slot: &Slot<'a>| match slot {
        Slot::Named(name) => Some(name.clone()),
        Slot::Spare(_) => None,
    };
    let names: Option<Vec<_>> = slots.iter().map(name).collect();
    let plain = hidden.is_empty() && names.is_some_and(|names| names.is_sorted());
    (!plain).then_some(Entry::Order { slots, hidden })
}
