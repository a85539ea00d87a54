use crate::document::{Path, Value};
use crate::error::Result;
use crate::json_variants;
use crate::schema::Types;

/// What a record, or an item in it, may be asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Predicate {
    /// The value is there and is one of these. Absent is none of them, and neither is `null`, unless it is named.
    In(Path, Vec<Value<'static>>),
    /// The value is there; it may be `null`.
    Exists(Path),
    /// The value is there and of one of these types.
    Type(Path, Types),
    /// All hold.
    And(Vec<Predicate>),
    /// At least one holds.
    Or(Vec<Predicate>),
    /// The other does not hold.
    Not(Box<Predicate>),
}

json_variants!(Predicate {
    "in": In { 0: at, 1: values },
    "exists": Exists { 0: at },
    "type": Type { 0: at, 1: types },
    "and": And { 0: all },
    "or": Or { 0: any },
    "not": Not { 0: other },
});

impl Predicate {
    /// Whether it holds.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Json`] where a name on the way is no Unicode text.
    pub fn holds(&self, focus: &mut Value<'_>) -> Result<bool> {
        Ok(match self {
            Predicate::In(path, values) => {
                path.get(focus)?.is_some_and(|found| values.iter().any(|value| value == found))
            }
            Predicate::Exists(path) => path.get(focus)?.is_some(),
            Predicate::Type(path, types) => path.get(focus)?.is_some_and(|found| types.accept(found)),
            Predicate::And(all) => {
                for one in all {
                    if !one.holds(focus)? {
                        return Ok(false);
                    }
                }
                true
            }
            Predicate::Or(any) => {
                for one in any {
                    if one.holds(focus)? {
                        return Ok(true);
                    }
                }
                false
            }
            Predicate::Not(other) => !other.holds(focus)?,
        })
    }

    /// The places that it looks at.
    pub fn places(&self) -> Vec<&Path> {
        match self {
            Predicate::In(path, _) | Predicate::Exists(path) | Predicate::Type(path, _) => vec![path],
            Predicate::And(inner) | Predicate::Or(inner) => inner.iter().flat_map(Predicate::places).collect(),
            Predicate::Not(inner) => inner.places(),
        }
    }
}
