use litemap::LiteMap;
use std::borrow::Cow;

use super::siblings::Siblings;
use crate::document::{DEPTH_LIMIT, Object, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::lens::Residue;

/// What wraps documents in residues.
pub(crate) const LEVELS: usize = 12;

/// How much deeper than a document the residue of one may nest: it grows by four levels with each `each`, by two with
/// each `where`, and migration files nest no deeper than documents.
const PACKED_LEVELS: usize = 4 * DEPTH_LIMIT;

/// The residues of one record, one for each migration that left any; and the record's place among its neighbours where
/// a layout had an order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Residues<'a> {
    by_migration: LiteMap<Cow<'a, str>, Residue<'a>>,
    /// What it remembers as a parent of records that left it; by what they left by.
    siblings: LiteMap<Cow<'a, str>, Siblings<'a>>,
    /// Where the record stood in the array that its collection once was.
    pub place: Option<u64>,
}

impl<'a> Residues<'a> {
    /// Whether there is nothing to write down.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.by_migration.values().any(Residue::is_written) && self.siblings.is_empty() && self.place.is_none()
    }

    pub(super) fn take(&mut self, migration: &str) -> Residue<'a> {
        self.by_migration.remove(migration).unwrap_or_default()
    }

    pub(super) fn put(&mut self, migration: &str, residue: Residue<'a>) {
        if !residue.is_empty() {
            self.by_migration.insert(Cow::Owned(migration.to_owned()), residue);
        }
    }

    pub(super) fn take_siblings(&mut self, name: &str) -> Siblings<'a> {
        self.siblings.remove(name).unwrap_or_default()
    }

    pub(super) fn put_siblings(&mut self, name: &str, siblings: Siblings<'a>) {
        if siblings != Siblings::default() {
            self.siblings.insert(Cow::Owned(name.to_owned()), siblings);
        }
    }

    /// The residues as JSON, no deeper than a browser stores: one that nests deeper is written as a text, and what the
    /// document held at the edge of what may nest comes back whole.
    #[must_use]
    pub fn to_value(&self) -> Value<'a> {
        let open = self.to_open_value();
        if !open.is_deeper_than(DEPTH_LIMIT) {
            return open;
        }
        Value::Object(Object::from_iter([(Cow::Borrowed("packed"), Value::from(open.to_json().as_str()))]))
    }

    fn to_open_value(&self) -> Value<'a> {
        let written = self.by_migration.iter().filter(|(_, residue)| residue.is_written());
        let residues: Object<'a> = written.map(|(id, residue)| (id.clone(), residue.to_value())).collect();
        let mut object = Object::new();
        if !residues.is_empty() {
            object.insert("steps", Value::Object(residues));
        }
        if !self.siblings.is_empty() {
            let siblings = self.siblings.iter().map(|(name, siblings)| (name.clone(), siblings.to_value()));
            object.insert("siblings", Value::Object(siblings.collect()));
        }
        if let Some(place) = self.place {
            object.insert("place", Value::from(i64::try_from(place).unwrap_or(i64::MAX)));
        }
        Value::Object(object)
    }

    /// Reads what [`Residues::to_value`] wrote.
    ///
    /// # Errors
    /// [`ErrorKind::Json`] where the value is anything else.
    pub fn from_value(value: &Value<'a>) -> Result<Self> {
        let malformed = || Error::new(ErrorKind::Json, "expected residues as Exuvia wrote them, found something else");
        let Value::Object(mut object) = value.opened()? else { return Err(malformed()) };
        if let Some(packed) = object.remove("packed") {
            let text = packed.text()?.ok_or_else(malformed)?;
            return Self::from_value(&Value::parse_inside(&text, PACKED_LEVELS)?.into_owned()?);
        }
        let place = object
            .remove("place")
            .and_then(|place| place.number()?.to_i64())
            .and_then(|place| u64::try_from(place).ok());
        let by_migration = match object.remove("steps").map(|steps| steps.opened()).transpose()? {
            None => LiteMap::new(),
            Some(Value::Object(steps)) => {
                steps.into_iter().map(|(id, value)| Ok((id, Residue::from_value(&value)?))).collect::<Result<_>>()?
            }
            Some(_) => return Err(malformed()),
        };
        let siblings = match object.remove("siblings").map(|siblings| siblings.opened()).transpose()? {
            None => LiteMap::new(),
            Some(Value::Object(members)) => {
                let read = |(name, value)| Ok((name, Siblings::from_value(&value)?));
                members.into_iter().map(read).collect::<Result<_>>()?
            }
            Some(_) => return Err(malformed()),
        };
        Ok(Self { by_migration, siblings, place })
    }
}
