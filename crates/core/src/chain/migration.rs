use std::collections::BTreeSet;

use litemap::LiteMap;

use super::rehome::{Rehomes, claim};
use super::{Collection, Collections, Layout, Rehome};
use crate::document::{Digest, Object, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::json_object;
use crate::lens::{Body, Undo};
use crate::schema::Schema;
use crate::step::{CustomExample, Fields, Steps};

/// One thing that a migration does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The collection that it is done to.
    pub collection: String,
    /// What it is, as a plain sentence without a full stop.
    pub words: String,
    /// How it can be undone.
    pub undo: Undo,
}

json_object!(Told { "collection": collection, "words": words; "undo": undo });

impl Told {
    fn new(collection: &str, words: String) -> Self {
        Self { collection: collection.to_owned(), words, undo: Undo::Computed }
    }
}

/// One migration file, read but not yet checked against the others.
#[derive(Debug)]
pub struct Migration {
    /// Its name, for ever.
    pub id: String,
    /// The ids it comes after.
    pub parents: Vec<String>,
    /// The digest of what it does: of the file without `$schema`, `exuvia`, `id`, `parents` and `notes`.
    pub(super) hash: Digest,
    collections: Vec<(String, Collection)>,
    layouts: Vec<(String, Layout, Layout)>,
    changes: Vec<(String, Steps)>,
    rehomes: Rehomes,
}

const NOT_HASHED: [&str; 5] = ["$schema", "exuvia", "id", "parents", "notes"];

impl Migration {
    /// Reads a migration file's text.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] with what was meant to stand where.
    pub fn parse(text: &str) -> Result<Self> {
        Self::read(&super::parse(text, 0)?)
    }

    /// Reads a migration from JSON.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] with what was meant to stand where.
    pub fn read(value: &Value<'_>) -> Result<Self> {
        let Value::Object(members) = value.opened()? else {
            return Err(Error::new(
                ErrorKind::Chain,
                format!("expected a migration, an object, found {}", value.kind()),
            ));
        };
        let mut hashed = members.clone();
        for name in NOT_HASHED {
            hashed.remove(name);
        }
        let hash = Digest::of(&Value::Object(hashed))?;
        let mut fields = Fields::new(members);
        let id = fields.text("id")?;
        Self::read_body(id.clone(), hash, fields).map_err(|error| error.in_migration(&id))
    }

    fn read_body(id: String, hash: Digest, mut fields: Fields<'_>) -> Result<Self> {
        if fields.required("exuvia")? != Value::from(1) {
            return Err(Error::new(
                ErrorKind::Chain,
                "expected \"exuvia\": 1, found another format; a newer Exuvia may read it",
            ));
        }
        if id.is_empty()
            || !id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte))
        {
            return Err(Error::new(
                ErrorKind::Chain,
                "expected an \"id\" of a-z, 0-9, \"-\", \"_\" and \".\", found something else",
            ));
        }
        let _ = (fields.optional_text("$schema")?, fields.optional("notes"));
        let parents = match fields.optional("parents") {
            None => Vec::new(),
            Some(value) => read_names(&value)?,
        };
        let collections = read_members(fields.optional_object("collections")?, read_collection)?;
        let layouts = read_members(fields.optional_object("layout")?, read_relayout)?;
        let layouts = layouts.into_iter().map(|(name, (from, to))| (name, from, to)).collect();
        let changes = read_members(fields.optional_object("change")?, Steps::read)?;
        let rehomes = fields.optional("rehome").map_or_else(|| Ok(Rehomes::default()), |list| Rehomes::read(&list))?;
        fields.finish("migration")?;
        Ok(Self { id, parents, hash, collections, layouts, changes, rehomes })
    }

    /// Carries the collections over this migration; answers with the bodies that do the same to records, and with what
    /// happens to whole records then. `names` are all that the chain has used for collections so far.
    pub(super) fn lower(
        &self,
        collections: &mut Collections,
        names: &mut BTreeSet<String>,
    ) -> Result<(LiteMap<String, Body>, Vec<Rehome>)> {
        for (name, collection) in &self.collections {
            claim(name, names)?;
            collections.insert(name.clone(), collection.clone());
        }
        // Before the first migration there is no version to go back to.
        let begins = self.collections.iter().filter(|_| !self.parents.is_empty());
        let mut rehomes: Vec<_> = begins.map(|(name, _)| Rehome::Begin { collection: name.clone() }).collect();
        for (name, from, to) in &self.layouts {
            let collection = existing(collections, name)?;
            if collection.layout != *from {
                let message = format!(
                    "expected \"from\" to be where the records are, {}; found another layout",
                    collection.layout
                );
                return Err(Error::new(ErrorKind::Chain, message).in_collection(name));
            }
            collection.layout = to.clone();
        }
        let mut bodies = LiteMap::new();
        for (name, steps) in &self.changes {
            let collection = existing(collections, name)?;
            let body = steps.lower(&mut collection.schema).map_err(|error| error.in_collection(name))?;
            bodies.insert(name.clone(), body);
        }
        rehomes.extend(self.rehomes.lower(collections, names)?);
        Ok((bodies, rehomes))
    }

    /// What functions of the author's own are expected to do.
    pub fn examples(&self) -> impl Iterator<Item = CustomExample<'_>> {
        self.changes.iter().flat_map(|(_, steps)| steps.examples())
    }

    /// What it does, in the order of the file; `bodies` are what its steps were lowered to.
    pub(super) fn told(&self, bodies: &LiteMap<String, Body>) -> Vec<Told> {
        let declared = self
            .collections
            .iter()
            .map(|(name, collection)| Told::new(name, format!("the collection starts, {}", collection.layout)));
        let moved = self
            .layouts
            .iter()
            .map(|(name, from, to)| Told::new(name, format!("the records, so far {from}, are now {to}")));
        let step = |name: &str, words, place: &str| {
            let undo = bodies.get(name).map(|body| body.undo_of(place)).unwrap_or_default();
            Told { undo, ..Told::new(name, words) }
        };
        let changed = self.changes.iter().flat_map(|(name, steps)| {
            steps.words().zip(steps.places()).map(move |(words, place)| step(name, words, &place))
        });
        declared.chain(moved).chain(changed).chain(self.rehomes.told()).collect()
    }
}

pub(super) fn existing<'c>(collections: &'c mut Collections, name: &str) -> Result<&'c mut Collection> {
    let known: Vec<_> = collections.keys().cloned().collect();
    collections.get_mut(name).ok_or_else(|| {
        let message = format!("expected one of the collections {}, found {name:?}", known.join(", "));
        Error::new(ErrorKind::Chain, message)
    })
}

fn read_members<T>(object: Option<Object<'_>>, read: impl Fn(&Value<'_>) -> Result<T>) -> Result<Vec<(String, T)>> {
    let members = object.unwrap_or_default().into_iter();
    members
        .map(|(name, value)| Ok((name.to_string(), read(&value).map_err(|error| error.in_collection(&name))?)))
        .collect()
}

fn read_names(value: &Value<'_>) -> Result<Vec<String>> {
    let malformed = || Error::new(ErrorKind::Chain, "expected in \"parents\" a list of ids, found something else");
    let Value::Array(items) = value.opened()? else { return Err(malformed()) };
    items.iter().map(|item| item.text()?.map(std::borrow::Cow::into_owned).ok_or_else(malformed)).collect()
}

fn read_collection(value: &Value<'_>) -> Result<Collection> {
    let mut fields = fields_of(value)?;
    let layout = Layout::read(&fields.required("layout")?)?;
    let schema = fields.optional_schema("schema")?.unwrap_or_else(Schema::any);
    fields.finish("collections")?;
    Ok(Collection { schema, layout })
}

fn read_relayout(value: &Value<'_>) -> Result<(Layout, Layout)> {
    let mut fields = fields_of(value)?;
    let layouts = (Layout::read(&fields.required("from")?)?, Layout::read(&fields.required("to")?)?);
    fields.finish("layout")?;
    Ok(layouts)
}

fn fields_of<'a>(value: &Value<'a>) -> Result<Fields<'a>> {
    match value.opened()? {
        Value::Object(object) => Ok(Fields::new(object)),
        other => Err(Error::new(ErrorKind::Chain, format!("expected an object, found {}", other.kind()))),
    }
}
