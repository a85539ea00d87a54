use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::document::{Digest, Number, Object, Value};
use crate::error::{Error, ErrorKind, Result};

/// What one migration of one record could not compute on the way back: an entry for each primitive that has one, by
/// its place in the body. Most records have none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Residue<'a>(BTreeMap<usize, Entry<'a>>);

/// What one primitive remembers.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Entry<'a> {
    Memo(Memo<'a>),
    Moved { from: Displaced<'a>, to: Displaced<'a> },
    Items(Vec<Item<'a>>),
}

/// The value on either side of an edit; `None` is absent.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Memo<'a> {
    pub(super) older: Option<Value<'a>>,
    pub(super) newer: Option<Value<'a>>,
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

impl<'a> Residue<'a> {
    /// Whether there is nothing to remember.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn take(&mut self, index: usize) -> Option<Entry<'a>> {
        self.0.remove(&index)
    }

    pub(super) fn put(&mut self, index: usize, entry: Option<Entry<'a>>) {
        if let Some(entry) = entry {
            self.0.insert(index, entry);
        }
    }

    /// The residue as JSON, an object with a member a primitive.
    #[must_use]
    pub fn to_value(&self) -> Value<'a> {
        Value::Object(self.0.iter().map(|(index, entry)| (Cow::Owned(index.to_string()), entry.to_value())).collect())
    }

    /// Reads what [`Residue::to_value`] wrote.
    ///
    /// # Errors
    /// [`ErrorKind::Json`] where the value is anything else.
    pub fn from_value(value: &Value<'a>) -> Result<Self> {
        let Value::Object(members) = value.opened()? else { return Err(malformed()) };
        let entry = |(index, value): (Cow<'a, str>, Value<'a>)| {
            Ok((index.parse().map_err(|_| malformed())?, Entry::from_value(&value)?))
        };
        Ok(Self(members.into_iter().map(entry).collect::<Result<_>>()?))
    }
}

impl<'a> Entry<'a> {
    fn to_value(&self) -> Value<'a> {
        let mut object = Object::new();
        let mut member = |name: &'static str, value: Option<Value<'a>>| {
            if let Some(value) = value {
                object.insert(name, value);
            }
        };
        match self {
            Entry::Memo(Memo { older, newer }) => {
                member("memo", Some(Value::Bool(true)));
                member("older", older.clone());
                member("newer", newer.clone());
            }
            Entry::Moved { from, to } => {
                let made = |end: &Displaced<'_>| (end.made > 0).then(|| Value::from(end.made as i64));
                member("from", from.value.clone());
                member("to", to.value.clone());
                member("made_from", made(from));
                member("made_to", made(to));
            }
            Entry::Items(items) => member("items", Some(Value::Array(items.iter().map(Item::to_value).collect()))),
        }
        Value::Object(object)
    }

    fn from_value(value: &Value<'a>) -> Result<Self> {
        let Value::Object(mut object) = value.opened()? else { return Err(malformed()) };
        if let Some(items) = object.remove("items") {
            let Value::Array(items) = items.opened()? else { return Err(malformed()) };
            return Ok(Entry::Items(items.iter().map(Item::from_value).collect::<Result<_>>()?));
        }
        if object.remove("memo").is_some() {
            return Ok(Entry::Memo(Memo { older: object.remove("older"), newer: object.remove("newer") }));
        }
        let mut end = |value: &str, made: &str| {
            let made = object.remove(made).map_or(Ok(0), |made| count(&made))?;
            Ok(Displaced { value: object.remove(value), made })
        };
        Ok(Entry::Moved { from: end("from", "made_from")?, to: end("to", "made_to")? })
    }
}

impl<'a> Item<'a> {
    fn to_value(&self) -> Value<'a> {
        let mark = |(digest, nth): Mark| [Value::from(&*digest.to_hex()), Value::from(nth as i64)];
        let [older, nth_older] = mark(self.older);
        let [newer, nth_newer] = mark(self.newer);
        Value::Array(vec![older, nth_older, newer, nth_newer, self.inner.to_value()])
    }

    fn from_value(value: &Value<'a>) -> Result<Self> {
        let Value::Array(parts) = value.opened()? else { return Err(malformed()) };
        let [older, nth_older, newer, nth_newer, inner] = &*parts else { return Err(malformed()) };
        let mark = |digest: &Value<'a>, nth: &Value<'a>| {
            let digest = digest.text()?.and_then(|hex| Digest::from_hex(&hex)).ok_or_else(malformed)?;
            Ok::<Mark, Error>((digest, count(nth)?))
        };
        Ok(Item { older: mark(older, nth_older)?, newer: mark(newer, nth_newer)?, inner: Residue::from_value(inner)? })
    }
}

fn count(value: &Value<'_>) -> Result<usize> {
    let number = value.number().as_ref().and_then(Number::to_i64);
    number.and_then(|number| usize::try_from(number).ok()).ok_or_else(malformed)
}

fn malformed() -> Error {
    Error::new(
        ErrorKind::Json,
        "expected residue as Exuvia wrote it, found something else; restore a snapshot, or go on without the residue",
    )
}
