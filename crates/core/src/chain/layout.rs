use std::fmt;

use super::{Collections, Rehome};
use crate::document::{Path, Quoted, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::json_variants;
use crate::step::Fields;

/// Keys that are Exuvia's own.
pub const OWN_PREFIX: &str = "exuvia";

/// The keys of the residues of a collection's records start so; then the record's key.
#[must_use]
pub fn residue_prefix(collection: &str) -> String {
    format!("exuvia:r:{collection}:")
}

/// The keys of a collection's records that are set aside start so; then the record's key.
#[must_use]
pub fn aside_prefix(collection: &str) -> String {
    format!("exuvia:a:{collection}:")
}

/// Where a collection's records live in a store of keys and values. A matter of place, not of meaning: a collection is
/// always a set of records, each with a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One record, the whole value of a key; the record's key is the collection's name.
    Record {
        /// The storage key.
        key: String,
    },
    /// The items of an array under one key; a record's key is its text at `id`.
    Array {
        /// The storage key.
        key: String,
        /// Where in a record its key stands.
        id: Path,
    },
    /// The members of an object under one key; a record's key is the member's name.
    Map {
        /// The storage key.
        key: String,
    },
    /// A storage key for each record: the prefix, then the record's key.
    Prefix {
        /// What the storage keys start with.
        prefix: String,
    },
}

json_variants!(Layout {
    "record": Record { key: key },
    "array": Array { key: key, id: id },
    "map": Map { key: key },
    "prefix": Prefix { prefix: prefix },
});

impl Layout {
    pub(super) fn read(value: &Value<'_>) -> Result<Self> {
        let Value::Object(object) = value.opened()? else {
            return Err(Error::new(ErrorKind::Chain, format!("expected a layout, an object, found {}", value.kind())));
        };
        let mut fields = Fields::new(object);
        let layout = match fields.optional_text("prefix")? {
            Some(prefix) => Layout::Prefix { prefix },
            None => {
                let (key, shape) = (fields.text("key")?, fields.text("as")?);
                match &*shape {
                    "record" => Layout::Record { key },
                    "array" => Layout::Array { key, id: fields.member_path("id")? },
                    "map" => Layout::Map { key },
                    other => {
                        return Err(Error::new(
                            ErrorKind::Chain,
                            format!("expected in \"as\" one of record, array, map, found {other:?}"),
                        ));
                    }
                }
            }
        };
        fields.finish("layout")?;
        let (name, is_prefix) = layout.reach();
        let covers_own = is_prefix && OWN_PREFIX.starts_with(name);
        match name.is_empty() || covers_own || name.starts_with(OWN_PREFIX) {
            true => Err(Error::new(
                ErrorKind::Chain,
                format!(
                    "expected a storage key that is not empty and does not start with {OWN_PREFIX:?}, nor covers it; found {name:?}"
                ),
            )),
            false => Ok(layout),
        }
    }

    /// The storage key or prefix, and whether it is a prefix.
    #[must_use]
    pub fn reach(&self) -> (&str, bool) {
        match self {
            Layout::Record { key } | Layout::Array { key, .. } | Layout::Map { key } => (key, false),
            Layout::Prefix { prefix } => (prefix, true),
        }
    }

    /// Whether a storage key belongs to this layout.
    #[must_use]
    pub fn owns(&self, storage_key: &str) -> bool {
        match self.reach() {
            (prefix, true) => storage_key.starts_with(prefix),
            (key, false) => storage_key == key,
        }
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Layout::Record { key } => write!(f, "one record under the key {}", Quoted(key)),
            Layout::Array { key, id } => write!(f, "items of the array under the key {}, known by {id}", Quoted(key)),
            Layout::Map { key } => write!(f, "members of the object under the key {}", Quoted(key)),
            Layout::Prefix { prefix } => write!(f, "a key each, starting with {}", Quoted(prefix)),
        }
    }
}

/// The storage that a chain has used so far, at any version.
///
/// Data jumps from any version to the tip, so what one version leaves behind must be told from what another writes: no
/// storage key may ever belong to two collections, nor to one collection in two ways.
#[derive(Default)]
pub(super) struct Reaches(Vec<(String, (String, bool))>);

impl Reaches {
    /// What a collection has used stays its own when it gets another name.
    pub(super) fn follow(&mut self, rehomes: &[Rehome]) {
        for op in rehomes {
            if let Rehome::Rename { from, to, .. } = op {
                self.rename(from, to);
            }
        }
    }

    pub(super) fn rename(&mut self, from: &str, to: &str) {
        for (owner, _) in self.0.iter_mut().filter(|(owner, _)| owner == from) {
            to.clone_into(owner);
        }
    }

    /// Takes in the layouts of a version.
    pub(super) fn extend(&mut self, collections: &Collections) -> Result<()> {
        for (name, collection) in collections {
            let (text, is_prefix) = collection.layout.reach();
            for (other, (known, known_is_prefix)) in &self.0 {
                let meets = text == known && is_prefix == *known_is_prefix
                    || is_prefix && known.starts_with(text)
                    || *known_is_prefix && text.starts_with(&**known);
                let is_same = name == other && text == known && is_prefix == *known_is_prefix;
                if meets && !is_same {
                    let message = format!(
                        "expected storage keys that no version has used otherwise, found {}, which meets {} of {}",
                        Quoted(text),
                        Quoted(known),
                        Quoted(other)
                    );
                    return Err(Error::new(ErrorKind::Chain, message).in_collection(name));
                }
            }
            let reach = (name.clone(), (text.to_owned(), is_prefix));
            if !self.0.contains(&reach) {
                self.0.push(reach);
            }
        }
        Ok(())
    }
}
