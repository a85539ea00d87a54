use litemap::LiteMap;
use std::borrow::Cow;

use super::Residue;
use crate::document::{Digest, Number, Object, Value};
use crate::error::{Error, ErrorKind, Result};

/// What one primitive remembers.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Entry<'a> {
    /// Of an edit.
    Memo(Memo<'a>),
    /// Of an edit that forgets: only as long as nobody writes it down, so that a rehearsal can tell that all the rest
    /// comes back.
    Secret(Memo<'a>),
    /// Of a move.
    Moved { from: Displaced<'a>, to: Displaced<'a> },
    /// Of a body that runs on each item.
    Items(Vec<Item<'a>>),
    /// Of a body that runs where a predicate holds.
    Branch(Branch<'a>),
    /// Of a list that became an object: how the list was, and what stood in the objects where the key belongs.
    Order { slots: Vec<Slot<'a>>, hidden: Members<'a> },
    /// Of members that go elsewhere: those in their way, on either side.
    Sides { older: Members<'a>, newer: Members<'a> },
}

/// Members that stand aside, by name.
pub(super) type Members<'a> = LiteMap<String, Value<'a>>;

/// The value on either side of an edit; `None` is absent. Of an item in a list, also where it stood.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Memo<'a> {
    pub(super) older: Option<Value<'a>>,
    pub(super) newer: Option<Value<'a>>,
    pub(super) older_at: Option<usize>,
    pub(super) newer_at: Option<usize>,
}

/// What is special about one end of a move: a value that stood there on the side where the end is not used, or else
/// how many enclosing objects exist only for the moved value.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Displaced<'a> {
    pub(super) value: Option<Value<'a>>,
    pub(super) made: usize,
}

/// The residue of one item, with the item's mark on either side.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Item<'a> {
    pub(super) older: Mark,
    pub(super) newer: Mark,
    pub(super) inner: Residue<'a>,
}

/// What an item is known by: the digest of its key or of its image, and how many with the same digest come before it.
pub(super) type Mark = (Digest, usize);

/// Which branch was taken, whether the predicate of either side says the same, and the branch's residue.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Branch<'a> {
    pub(super) taken: bool,
    pub(super) older_agrees: bool,
    pub(super) newer_agrees: bool,
    pub(super) inner: Residue<'a>,
}

/// One item of a list that became an object.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Slot<'a> {
    /// The item is in the object, under this name.
    Named(String),
    /// The item has no place in the object: it has no key, or the key of another.
    Spare(Value<'a>),
}

impl<'a> Entry<'a> {
    /// Whether anything of it may be written down.
    pub(super) fn is_written(&self) -> bool {
        match self {
            Entry::Secret(_) => false,
            Entry::Items(items) => items.iter().any(|item| item.inner.is_written()),
            Entry::Branch(branch) => branch.inner.is_written() || !branch.older_agrees || !branch.newer_agrees,
            Entry::Memo(_) | Entry::Moved { .. } | Entry::Order { .. } | Entry::Sides { .. } => true,
        }
    }

    pub(super) fn to_value(&self) -> Value<'a> {
        let mut object = Object::new();
        match self {
            Entry::Memo(memo) => memo.write(&mut object),
            Entry::Secret(_) => {}
            Entry::Moved { from, to } => {
                let made = |end: &Displaced<'_>| (end.made > 0).then_some(end.made);
                write(&mut object, "from", from.value.clone());
                write(&mut object, "to", to.value.clone());
                write(&mut object, "made_from", made(from).map(number));
                write(&mut object, "made_to", made(to).map(number));
            }
            Entry::Items(items) => {
                let written = items.iter().filter(|item| item.inner.is_written());
                object.insert("items", Value::Array(written.map(Item::to_value).collect()));
            }
            Entry::Branch(branch) => branch.write(&mut object),
            Entry::Order { slots, hidden } => {
                object.insert("order", Value::Array(slots.iter().map(Slot::to_value).collect()));
                object.insert("hidden", object_of(hidden));
            }
            Entry::Sides { older, newer } => {
                object.insert("sides", Value::Array(vec![object_of(older), object_of(newer)]));
            }
        }
        Value::Object(object)
    }

    pub(super) fn from_value(value: &Value<'a>) -> Result<Self> {
        let Value::Object(mut object) = value.opened()? else { return Err(malformed()) };
        if let Some(items) = object.remove("items") {
            return Ok(Entry::Items(array(&items)?.iter().map(Item::from_value).collect::<Result<_>>()?));
        }
        if object.remove("memo").is_some() {
            return Ok(Entry::Memo(Memo::read(&mut object)?));
        }
        if let Some(signs) = object.remove("branch") {
            return Ok(Entry::Branch(Branch::read(&signs, object.remove("inner"))?));
        }
        if let Some(slots) = object.remove("order") {
            let hidden = members(object.remove("hidden"))?;
            let slots = array(&slots)?.iter().map(Slot::from_value).collect::<Result<_>>()?;
            return Ok(Entry::Order { slots, hidden });
        }
        if let Some(sides) = object.remove("sides") {
            let [older, newer] = &array(&sides)?[..] else { return Err(malformed()) };
            return Ok(Entry::Sides { older: members(Some(older.clone()))?, newer: members(Some(newer.clone()))? });
        }
        let mut end = |value: &str, made: &str| {
            let made = object.remove(made).map_or(Ok(0), |made| count(&made))?;
            Ok(Displaced { value: object.remove(value), made })
        };
        Ok(Entry::Moved { from: end("from", "made_from")?, to: end("to", "made_to")? })
    }
}

impl<'a> Memo<'a> {
    fn write(&self, object: &mut Object<'a>) {
        write(object, "memo", Some(Value::Bool(true)));
        write(object, "older", self.older.clone());
        write(object, "newer", self.newer.clone());
        write(object, "older_at", self.older_at.map(number));
        write(object, "newer_at", self.newer_at.map(number));
    }

    fn read(object: &mut Object<'a>) -> Result<Self> {
        let mut at = |name: &str| object.remove(name).map(|at| count(&at)).transpose();
        let (older_at, newer_at) = (at("older_at")?, at("newer_at")?);
        Ok(Self { older: object.remove("older"), newer: object.remove("newer"), older_at, newer_at })
    }
}

impl<'a> Branch<'a> {
    fn write(&self, object: &mut Object<'a>) {
        let signs = [self.taken, self.older_agrees, self.newer_agrees];
        write(object, "branch", Some(Value::Array(signs.into_iter().map(Value::Bool).collect())));
        write(object, "inner", self.inner.is_written().then(|| self.inner.to_value()));
    }

    fn read(signs: &Value<'a>, inner: Option<Value<'a>>) -> Result<Self> {
        let signs: Option<Vec<bool>> = array(signs)?.iter().map(truth).collect();
        let Some(&[taken, older_agrees, newer_agrees]) = signs.as_deref() else { return Err(malformed()) };
        let inner = inner.map_or_else(|| Ok(Residue::default()), |inner| Residue::from_value(&inner))?;
        Ok(Self { taken, older_agrees, newer_agrees, inner })
    }
}

impl<'a> Slot<'a> {
    /// A name is a text, an item without one an array of itself.
    fn to_value(&self) -> Value<'a> {
        match self {
            Slot::Named(name) => Value::from(name.as_str()),
            Slot::Spare(item) => Value::Array(vec![item.clone()]),
        }
    }

    fn from_value(value: &Value<'a>) -> Result<Self> {
        match value.text()? {
            Some(name) => Ok(Slot::Named(name.into_owned())),
            None => array(value)?.pop().map(Slot::Spare).ok_or_else(malformed),
        }
    }
}

impl<'a> Item<'a> {
    fn to_value(&self) -> Value<'a> {
        let mark = |(digest, nth): Mark| [Value::from(&*digest.to_hex()), number(nth)];
        let [older, nth_older] = mark(self.older);
        let [newer, nth_newer] = mark(self.newer);
        Value::Array(vec![older, nth_older, newer, nth_newer, self.inner.to_value()])
    }

    fn from_value(value: &Value<'a>) -> Result<Self> {
        let parts = array(value)?;
        let [older, nth_older, newer, nth_newer, inner] = &*parts else { return Err(malformed()) };
        // A database cannot compute the digest. It writes the key itself, as the only item of an array.
        let digest = |mark: &Value<'a>| match mark.text()? {
            Some(hex) => Digest::from_hex(&hex).ok_or_else(malformed),
            None => Digest::of(array(mark)?.first().ok_or_else(malformed)?),
        };
        let mark = |of: &Value<'a>, nth: &Value<'a>| Ok::<Mark, Error>((digest(of)?, count(nth)?));
        Ok(Item { older: mark(older, nth_older)?, newer: mark(newer, nth_newer)?, inner: Residue::from_value(inner)? })
    }
}

fn write<'a>(object: &mut Object<'a>, name: &'static str, value: Option<Value<'a>>) {
    if let Some(value) = value {
        object.insert(name, value);
    }
}

fn number(count: usize) -> Value<'static> {
    Value::from(i64::try_from(count).unwrap_or(i64::MAX))
}

fn count(value: &Value<'_>) -> Result<usize> {
    let number = value.number().as_ref().and_then(Number::to_i64);
    number.and_then(|number| usize::try_from(number).ok()).ok_or_else(malformed)
}

fn truth(value: &Value<'_>) -> Option<bool> {
    match value.opened() {
        Ok(Value::Bool(truth)) => Some(truth),
        _ => None,
    }
}

fn array<'a>(value: &Value<'a>) -> Result<Vec<Value<'a>>> {
    match value.opened()? {
        Value::Array(items) => Ok(items),
        _ => Err(malformed()),
    }
}

fn object_of<'a>(members: &Members<'a>) -> Value<'a> {
    Value::Object(members.iter().map(|(name, value)| (Cow::Owned(name.clone()), value.clone())).collect())
}

fn members<'a>(value: Option<Value<'a>>) -> Result<Members<'a>> {
    match value.map(|value| value.opened()).transpose()? {
        Some(Value::Object(object)) => Ok(object.into_iter().map(|(name, value)| (name.into_owned(), value)).collect()),
        _ => Err(malformed()),
    }
}

pub(super) fn malformed() -> Error {
    Error::new(
        ErrorKind::Json,
        "expected residue as Exuvia wrote it, found something else; restore a snapshot, or go on without the residue",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_known_by_its_key_as_by_the_digest_of_it() {
        let read = |mark: &str| {
            let text = format!(r#"{{"items":[[{mark},0,{mark},1,{{}}]]}}"#);
            Entry::from_value(&Value::parse(&text).unwrap()).map(|entry| entry.to_value().to_json())
        };
        let digest = Digest::of(&Value::from("m1")).unwrap().to_hex();
        assert_eq!(read(r#"["m1"]"#).unwrap(), read(&format!("{digest:?}")).unwrap());
        for malformed in ["[]", "1", r#""m1""#, "null"] {
            assert!(read(malformed).is_err(), "{malformed}");
        }
    }
}
