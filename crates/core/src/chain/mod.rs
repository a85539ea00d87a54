//! Migrations in their order: read, checked against each other and against the schema, and run on records.

mod compiled;
mod family;
mod identity;
mod layout;
mod migration;
mod record;
mod rehome;
mod residues;
mod route;
mod siblings;
mod unnest;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use litemap::LiteMap;

pub use family::{Family, Tie, Ties};
pub use identity::{Link, Lock, Standing};
pub use layout::{Layout, OWN_PREFIX, aside_prefix, residue_prefix};
pub use migration::{Migration, Told};
pub use record::Record;
pub use rehome::Rehome;
pub(crate) use residues::LEVELS as RESIDUE_LEVELS;
pub use residues::Residues;
pub use route::{Chains, Leg, Route};
pub use unnest::Unnest;

use crate::document::{Json, Quoted, Reading, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::json_object;
use crate::lens::{Body, Context, Custom, Customs, Scope, Way};
use crate::schema::Schema;

/// The JSON Schema of migration files, for editors.
pub const MIGRATION_SCHEMA: &str = include_str!("migration.schema.json");

/// How many migrations of a line the data has run. 0: there is no data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
pub struct Version(pub u32);

impl Json for Version {
    fn write(&self, out: &mut String) {
        self.0.write(out);
    }

    fn read(value: &Value<'_>, reading: &mut Reading) -> Self {
        Self(u32::read(value, reading))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a collection is at one version.
#[derive(Clone, Debug, PartialEq)]
pub struct Collection {
    /// What its records must fit.
    pub schema: Schema,
    /// Where its records live in a browser's storage.
    pub layout: Layout,
}

json_object!(Collection { "layout": layout; "schema": schema });

/// The collections of a version, by name.
pub type Collections = LiteMap<String, Collection>;

/// A chain that was compiled: every step fits the schema before it, and has become primitives.
#[derive(Debug)]
pub struct Chain {
    /// The stages as they are kept beside the data and in exports, on one line.
    text: String,
    stages: Vec<Stage>,
    customs: Customs,
}

/// One migration, compiled, and what it leads to.
#[derive(Debug)]
pub struct Stage {
    link: Link,
    /// The ids it comes after.
    parents: Vec<String>,
    told: Vec<Told>,
    bodies: LiteMap<String, Body>,
    /// What happens to whole records, after the bodies.
    rehomes: Vec<Rehome>,
    after: Collections,
}

impl Stage {
    /// The migration's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.link.id
    }

    /// The ids it comes after.
    #[must_use]
    pub fn parents(&self) -> &[String] {
        &self.parents
    }

    /// What it does, a sentence a step, with how each can be undone.
    #[must_use]
    pub fn told(&self) -> &[Told] {
        &self.told
    }
}

/// How much deeper than a document a compiled chain may nest: bodies in bodies, each with its schemas.
pub(crate) const CHAIN_LEVELS: usize = 64;

/// How long the text of a compiled chain may be, in bytes; a migration takes about two thousand. A chain may come in with
/// a hostile file.
const LONGEST: usize = 4 << 20;

impl Chain {
    /// Reads the text of a chain, compiled.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] where it is anything else, or its links do not follow from each other.
    pub fn read(text: &str) -> Result<Self> {
        if text.len() > LONGEST {
            let message = format!("expected a chain of at most {LONGEST} bytes, compiled, found {}", text.len());
            return Err(Error::new(ErrorKind::Chain, message));
        }
        let value = parse(text, CHAIN_LEVELS)?;
        let stages = compiled::read(&value).ok_or_else(|| {
            let message = "expected a chain as `exuvia lock` compiles it, found something else; run `exuvia lock` of this version of Exuvia";
            Error::new(ErrorKind::Chain, message)
        })?;
        // No text inside of JSON goes over the end of a line.
        let text = text.lines().map(str::trim_ascii).collect();
        Ok(Self { text, stages, customs: Customs::new() })
    }

    /// Puts migrations into the order that the lock has frozen, and checks each against the hash it had then.
    ///
    /// # Errors
    /// [`ErrorKind::Edited`] where a migration is not what was locked, [`ErrorKind::Chain`] where the lock does not
    /// name exactly the migrations that are there, or a step does not fit.
    pub fn load(migrations: Vec<Migration>, lock: &Lock) -> Result<Self> {
        let chain = Self::build(identity::in_order(migrations, lock)?)?;
        lock.check(&chain.lock())?;
        Ok(chain)
    }

    /// Orders migrations by their parents, ties by id, after those that an earlier lock has frozen already.
    ///
    /// # Errors
    /// [`ErrorKind::Edited`] where a frozen migration has changed, [`ErrorKind::Chain`] as [`Chain::load`].
    pub fn arrange(migrations: Vec<Migration>, frozen: &Lock) -> Result<Self> {
        let chain = Self::build(identity::arrange(migrations, frozen)?)?;
        frozen.check(&chain.lock())?;
        Ok(chain)
    }

    fn build(migrations: Vec<Migration>) -> Result<Self> {
        let mut stages: Vec<Stage> = Vec::with_capacity(migrations.len());
        let (mut reaches, mut names) = (layout::Reaches::default(), BTreeSet::new());
        let mut children = rehome::Children::default();
        for migration in migrations {
            let before = stages.last();
            let link = Link::after(before.map(|stage| &stage.link), &migration);
            let mut after = before.map(|stage| stage.after.clone()).unwrap_or_default();
            let lowered = migration.lower(&mut after, &mut names);
            let (bodies, rehomes) = lowered.map_err(|error| error.in_migration(&migration.id))?;
            reaches.follow(&rehomes);
            children.follow(&rehomes, &after).map_err(|error| error.in_migration(&migration.id))?;
            reaches.extend(&after).map_err(|error| error.in_migration(&migration.id))?;
            let told = migration.told(&bodies);
            stages.push(Stage { link, parents: migration.parents, told, bodies, rehomes, after });
        }
        if stages.is_empty() {
            return Err(Error::new(ErrorKind::Chain, "expected at least one migration, found none"));
        }
        let chain = Self { text: compiled::write(&stages), stages, customs: Customs::new() };
        chain.expect_readable()?;
        Ok(chain)
    }

    /// Checks that the chain, compiled, can be read again wherever it comes.
    fn expect_readable(&self) -> Result<()> {
        match Self::read(&self.text) {
            Ok(_) => Ok(()),
            Err(_) => {
                let message = format!(
                    "expected a chain that can be read again, compiled, found one that is too large: it is longer than {LONGEST} bytes, has too many versions of large schemas or too many steps in one list, or nests too deep; take an \"each\", a \"where\" or a level of the schema out, or put steps into a migration of their own"
                );
                Err(Error::new(ErrorKind::Chain, message))
            }
        }
    }

    /// Registers a function that `custom` steps call by its name.
    pub fn register(&mut self, custom: Arc<dyn Custom>) {
        self.customs.register(custom);
    }

    /// Another chain, in the form of [`Chain::read`], with this one's custom functions; `None` where it is not whole or
    /// needs a newer Exuvia.
    fn sibling(&self, text: &str) -> Option<Self> {
        Self::read(text).ok().map(|chain| Self { customs: self.customs.clone(), ..chain })
    }

    /// The version that the chain leads to.
    #[must_use]
    pub fn tip(&self) -> Version {
        Version(self.stages.len() as u32)
    }

    /// The lock of the chain as it is.
    #[must_use]
    pub fn lock(&self) -> Lock {
        Lock { line: self.stages.iter().map(|stage| stage.link.clone()).collect() }
    }

    /// The links up to a version, the oldest first.
    pub fn line(&self, version: Version) -> impl Iterator<Item = &Link> {
        self.stages.iter().take(version.0 as usize).map(|stage| &stage.link)
    }

    /// The migrations in order, each with the version that it leads to.
    pub fn stages(&self) -> impl Iterator<Item = (Version, &Stage)> {
        self.stages.iter().enumerate().map(|(index, stage)| (Version(index as u32 + 1), stage))
    }

    /// The collections at a version; none at version 0 or beyond the tip.
    #[must_use]
    pub fn collections(&self, version: Version) -> &Collections {
        static NONE: Collections = Collections::new();
        let stage = version.0.checked_sub(1).and_then(|index| self.stages.get(index as usize));
        stage.map_or(&NONE, |stage| &stage.after)
    }

    /// A collection at a version.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] naming the collections that there are.
    pub fn collection(&self, name: &str, version: Version) -> Result<&Collection> {
        let collections = self.collections(version);
        collections.get(name).ok_or_else(|| {
            if version == Version(0) || version > self.tip() {
                let message = format!("expected a version from 1 to {}, found {version}", self.tip());
                return Error::new(ErrorKind::Chain, message);
            }
            let known: Vec<_> = collections.keys().map(String::as_str).collect();
            let (known, name) = (known.join(", "), Quoted(name));
            let message = format!("expected one of the collections of version {version} ({known}), found {name}");
            Error::new(ErrorKind::Chain, message)
        })
    }

    /// Whether any step or layout changes a collection between two versions.
    #[must_use]
    pub fn changes(&self, name: &str, a: Version, b: Version) -> bool {
        let layout = |version| self.collections(version).get(name).map(|collection| &collection.layout);
        let touches = |stage: &Stage| {
            let changes = stage.bodies.get(name).is_some_and(|body| !body.is_empty());
            changes || stage.rehomes.iter().any(|op| op.names(name))
        };
        self.between(a, b).iter().any(touches) || layout(a) != layout(b)
    }

    /// Moves a record between two versions, in place, with its residues. The record is checked by the steps only; see
    /// [`Schema::validate`].
    ///
    /// # Errors
    /// [`ErrorKind::Unfit`] with migration, collection, step and path. The record must then be thrown away.
    pub fn translate<'a>(
        &self,
        name: &str,
        from: Version,
        to: Version,
        context: Context<'_>,
        record: &mut Value<'a>,
        residues: &mut Residues<'a>,
    ) -> Result<()> {
        let (way, low, high) = match from <= to {
            true => (Way::Up, from, to),
            false => (Way::Down, to, from),
        };
        let stages = self.stages.get(low.0 as usize..high.0 as usize).ok_or_else(|| {
            Error::new(ErrorKind::Chain, format!("expected versions up to {}, found {high}", self.tip()))
        })?;
        let scope = Scope::new(context, &self.customs);
        let step = |stage: &Stage, record: &mut Value<'a>, residues: &mut Residues<'a>| {
            let id = &stage.link.id;
            let Some(body) = stage.bodies.get(name) else { return Ok(()) };
            let kept = body.run(way, record, residues.take(id), &scope);
            let kept = kept.map_err(|error| error.in_migration(id).in_collection(name))?;
            residues.put(id, kept);
            Ok(())
        };
        match way {
            Way::Up => stages.iter().try_for_each(|stage| step(stage, record, residues)),
            Way::Down => stages.iter().rev().try_for_each(|stage| step(stage, record, residues)),
        }
    }

    /// What a collection of one version is at another: its name there, and the collection.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] where there is no such collection or version, or its records are no collection there.
    pub fn counterpart(&self, name: &str, from: Version, to: Version) -> Result<(String, &Collection)> {
        self.collection(name, from)?;
        let there = match to <= self.tip() {
            true => self.follow(name, from, to).ok_or_else(|| {
                let message = format!(
                    "expected a collection whose records are records at version {to} too, found {}, whose records are set aside or inside of others there",
                    Quoted(name)
                );
                Error::new(ErrorKind::Chain, message)
            })?,
            false => name.to_owned(),
        };
        let collection = self.collection(&there, to)?;
        Ok((there, collection))
    }

    /// Moves a record that stands for itself, outside of any store, and checks that it fits either version. Its key is
    /// that of the context, except where the layout says that it stands in the record.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] where there is no such collection or version, or the record does not stay one record;
    /// [`ErrorKind::Unfit`] as [`Chain::translate`].
    pub fn translate_alone<'a>(
        &self,
        name: &str,
        from: Version,
        to: Version,
        context: Context<'_>,
        record: &mut Value<'a>,
        residues: &mut Residues<'a>,
    ) -> Result<()> {
        let before = self.collection(name, from)?;
        let (there, after) = self.counterpart(name, from, to)?;
        before.schema.validate(record).map_err(|error| error.in_collection(name))?;
        let key = match &before.layout {
            Layout::Array { id, .. } => id.get(record)?.map(|key| key.text()).transpose()?.flatten(),
            _ => None,
        };
        let alone = Record {
            collection: Cow::Owned(name.to_owned()),
            key: key.unwrap_or_else(|| Cow::Owned(context.key.to_owned())),
            value: std::mem::replace(record, Value::Null),
            residues: std::mem::take(residues),
            is_aside: false,
        };
        let mut has_children = false;
        let moved = self.move_watched(from, to, context.now, vec![alone], &mut |_, op, _, family| {
            has_children |= family.iter().any(|record| op.is_parent(record));
        })?;
        let moved = moved.into_iter().next().filter(|_| !has_children).ok_or_else(|| {
            let message = format!(
                "expected a record that stays one between versions {from} and {to}, found that its children are records of their own at one of them; move the whole store"
            );
            Error::new(ErrorKind::Chain, message).in_collection(name)
        })?;
        (*record, *residues) = (moved.value, moved.residues);
        after.schema.validate(record).map_err(|error| error.in_collection(&there))
    }

    /// How the line that data has run stands to this chain.
    #[must_use]
    pub fn standing(&self, line: &[Link]) -> Standing {
        identity::standing(line, &self.lock().line)
    }

    /// The chain, compiled, as [`Chain::read`] takes it: as it was read, to the byte, so that nothing is lost that only
    /// another Exuvia knows.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text anew, from what was read of it: the same, where nothing in it was foreign.
    #[must_use]
    pub fn written_anew(&self) -> String {
        compiled::write(&self.stages)
    }
}

fn parse(text: &str, levels: usize) -> Result<Value<'_>> {
    Value::parse_inside(text, levels).map_err(|error| error.of_kind(ErrorKind::Chain))
}
