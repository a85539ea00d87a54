use std::collections::BTreeSet;

use super::{Collection, Collections, Family, Layout, Record, Told, Unnest};
use crate::document::{Object, Path, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::json_variants;
use crate::lens::{Undo, Way};
use crate::schema::{Presence, Schema, Type, Types};
use crate::step::Fields;

/// What happens to a collection as a whole, lowered: which records go where.
#[derive(Clone, Debug, PartialEq)]
pub enum Rehome {
    /// Its records belong to a collection of another name.
    Rename {
        /// The older name.
        from: String,
        /// The newer name.
        to: String,
        /// Whether it is one record, whose key is the collection's name.
        single: bool,
    },
    /// Its records are no part of the data any more.
    Drop {
        /// Its name.
        collection: String,
        /// Whether they are forgotten for good, as secrets should be, or else set aside.
        forgets: bool,
    },
    /// The items of a list in its records become records of another collection, or come back.
    Unnest(Unnest),
}

json_variants!(Rehome {
    "rename": Rename { from: from, to: to, single: single },
    "drop": Drop { collection: collection, forgets: forgets },
    "unnest": Unnest { 0: unnest },
});

impl Rehome {
    /// Whether children come back to their parents on this way.
    pub(super) fn gathers(&self, way: Way) -> bool {
        matches!(self, Rehome::Unnest(unnest) if unnest.apart != way)
    }

    /// Whether a record is lost to it for good.
    pub(super) fn forgets(&self, way: Way, record: &Record<'_>) -> bool {
        matches!(self, Rehome::Drop { collection, forgets: true } if way == Way::Up && record.is_in(collection))
    }

    /// Whether a record's children leave it here, or come back to it.
    pub(super) fn is_parent(&self, record: &Record<'_>) -> bool {
        matches!(self, Rehome::Unnest(unnest) if record.is_in(&unnest.parents))
    }

    /// Whether it speaks of a collection of this name, in the older version or the newer.
    pub(super) fn names(&self, name: &str) -> bool {
        match self {
            Rehome::Rename { from, to, .. } => name == from || name == to,
            Rehome::Drop { collection, .. } => name == collection,
            Rehome::Unnest(unnest) => name == unnest.parents || name == unnest.children,
        }
    }

    /// The name that a collection's records have on the other side; `None` where they are no collection there.
    pub(super) fn follow(&self, way: Way, name: String) -> Option<String> {
        match (self, way) {
            (Rehome::Rename { from, to, .. }, Way::Up) if name == *from => Some(to.clone()),
            (Rehome::Rename { from, to, .. }, Way::Down) if name == *to => Some(from.clone()),
            (Rehome::Drop { collection, .. }, Way::Up) if name == *collection => None,
            (Rehome::Unnest(unnest), _) if way != unnest.apart && name == unnest.children => None,
            _ => Some(name),
        }
    }

    /// Moves the records of a family to where they belong on the other side.
    pub(super) fn run(&self, way: Way, name: &str, family: &mut Family<'_>) -> Result<()> {
        match self {
            Rehome::Unnest(unnest) => unnest.run(way, name, family)?,
            Rehome::Rename { from, to, single } => {
                let (here, there) = way.orient(from, to);
                for record in family.iter_mut().filter(|record| record.is_in(here)) {
                    record.collection = there.clone().into();
                    if *single {
                        record.key = there.clone().into();
                    }
                }
            }
            Rehome::Drop { collection, forgets: true } => {
                family.retain(|record| way == Way::Down || !record.is_in(collection));
            }
            Rehome::Drop { collection, forgets: false } => {
                for record in family.iter_mut().filter(|record| record.collection == *collection) {
                    record.is_aside = way == Way::Up;
                }
            }
        }
        Ok(())
    }
}

/// The collections whose records came out of others, by their names of today.
#[derive(Default)]
pub(super) struct Children(BTreeSet<String>);

impl Children {
    /// Goes on with a migration, and checks that each child keeps a storage key of its own. Under one key with others it
    /// would not be written together with its parent, and a process that dies in between would leave one without the
    /// other.
    pub(super) fn follow(&mut self, rehomes: &[Rehome], collections: &Collections) -> Result<()> {
        for op in rehomes {
            let names = std::mem::take(&mut self.0);
            self.0 = names.into_iter().filter_map(|name| op.follow(Way::Up, name)).collect();
            if let Rehome::Unnest(unnest) = op {
                self.0.insert(unnest.children.clone());
            }
        }
        let has_prefix =
            |name: &str| matches!(collections.get(name), Some(Collection { layout: Layout::Prefix { .. }, .. }) | None);
        match self.0.iter().find(|name| !has_prefix(name)) {
            None => Ok(()),
            Some(name) => {
                let message = "expected a layout {\"prefix\": …} for records that are the children of others, found another; each has a storage key of its own";
                Err(Error::new(ErrorKind::Chain, message).in_collection(name))
            }
        }
    }
}

/// What a migration does to whole collections, as its author wrote it: a list, each item with its verb.
#[derive(Debug, Default)]
pub(super) struct Rehomes(Vec<Written>);

#[derive(Debug)]
enum Written {
    Rename { from: String, to: String },
    Drop { collection: String, forgets: bool },
    Extract { unnest: Unnest, layout: Layout },
}

const VERBS: [&str; 3] = ["rename", "drop", "extract"];

impl Rehomes {
    pub(super) fn read(value: &Value<'_>) -> Result<Self> {
        let Value::Array(items) = value.opened()? else {
            let message = format!("expected in \"rehome\" a list, found {}", value.kind());
            return Err(Error::new(ErrorKind::Chain, message));
        };
        let read = |(index, item): (usize, &Value<'_>)| {
            Written::read(item).map_err(|error| error.under_step(format_args!("rehome {}", index + 1)))
        };
        Ok(Self(items.iter().enumerate().map(read).collect::<Result<_>>()?))
    }

    /// Carries the collections over it. `names` are all that the chain has used so far.
    pub(super) fn lower(&self, collections: &mut Collections, names: &mut BTreeSet<String>) -> Result<Vec<Rehome>> {
        let lower = |(index, written): (usize, &Written)| {
            let place = format!("rehome {} ({})", index + 1, written.verb());
            written.lower(collections, names).map_err(|error| error.in_step(&place))
        };
        self.0.iter().enumerate().map(lower).collect()
    }

    /// What it does, a sentence each.
    pub(super) fn told(&self) -> impl Iterator<Item = Told> {
        self.0.iter().map(|written| {
            let (collection, words) = written.words();
            Told { collection: collection.to_owned(), words, undo: written.undo() }
        })
    }
}

impl Written {
    fn read(value: &Value<'_>) -> Result<Self> {
        let Value::Object(object) = value.opened()? else {
            let message = format!(
                "expected an object such as {{\"rename\": \"notes\", \"to\": \"pages\"}}, found {}",
                value.kind()
            );
            return Err(Error::new(ErrorKind::Chain, message));
        };
        let verb = only_verb(&object)?;
        let mut fields = Fields::new(object);
        let written = match verb {
            "rename" => Written::Rename { from: fields.text("rename")?, to: fields.text("to")? },
            "drop" => Written::Drop { collection: fields.text("drop")?, forgets: fields.flag("forget")? },
            _ => Written::Extract {
                unnest: read_unnest(&mut fields)?,
                layout: Layout::read(&fields.required("layout")?)?,
            },
        };
        fields.finish(verb)?;
        Ok(written)
    }

    fn verb(&self) -> &'static str {
        match self {
            Written::Rename { .. } => "rename",
            Written::Drop { .. } => "drop",
            Written::Extract { .. } => "extract",
        }
    }

    fn lower(&self, collections: &mut Collections, names: &mut BTreeSet<String>) -> Result<Rehome> {
        Ok(match self {
            Written::Rename { from, to } => {
                let collection = take(collections, from)?;
                let single = matches!(collection.layout, Layout::Record { .. });
                claim(to, names)?;
                collections.insert(to.clone(), collection);
                Rehome::Rename { from: from.clone(), to: to.clone(), single }
            }
            Written::Drop { collection, forgets } => {
                take(collections, collection)?;
                Rehome::Drop { collection: collection.clone(), forgets: *forgets }
            }
            Written::Extract { unnest, layout } => {
                let parents = super::migration::existing(collections, &unnest.parents)?;
                let placed = |error: Error| error.in_collection(&unnest.parents);
                let schema = carry_out(unnest, &mut parents.schema).map_err(placed)?;
                claim(&unnest.children, names)?;
                collections.insert(unnest.children.clone(), Collection { schema, layout: layout.clone() });
                Rehome::Unnest(unnest.clone())
            }
        })
    }

    fn undo(&self) -> Undo {
        match self {
            Written::Rename { .. } => Undo::Computed,
            // The order of a list, and what stood beside it.
            Written::Extract { .. } | Written::Drop { forgets: false, .. } => Undo::Kept,
            Written::Drop { forgets: true, .. } => Undo::Never,
        }
    }

    fn words(&self) -> (&str, String) {
        match self {
            Written::Rename { from, to } => (from, format!("the collection is called {to} from now on")),
            Written::Extract { unnest, .. } => (
                &unnest.parents,
                format!(
                    "each item of {} becomes a record of {}, with the key of its {} in /{}",
                    unnest.at, unnest.children, unnest.parents, unnest.parent
                ),
            ),
            Written::Drop { collection, forgets: false } => {
                (collection, "the collection ends; its records are set aside, for the way back".to_owned())
            }
            Written::Drop { collection, forgets: true } => {
                (collection, "the collection ends; its records are forgotten, and there is no way back".to_owned())
            }
        }
    }
}

/// Takes a name for a collection. What was set aside is found again by its collection's name, so no name is ever used
/// for two.
pub(super) fn claim(name: &str, names: &mut BTreeSet<String>) -> Result<()> {
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
        let message =
            "expected the name of a collection to be of letters, digits, \"-\", \"_\" and \".\", found something else";
        return Err(Error::new(ErrorKind::Chain, message).in_collection(name));
    }
    match names.insert(name.to_owned()) {
        true => Ok(()),
        false => {
            let message = "expected a new name, found one that the chain has or had for a collection; use another";
            Err(Error::new(ErrorKind::Chain, message).in_collection(name))
        }
    }
}

fn read_unnest(fields: &mut Fields<'_>) -> Result<Unnest> {
    let member = |name: &'static str, path: Path| match path.split_last() {
        Some((parent, field)) if parent == Path::default() => Ok(field.to_owned()),
        _ => {
            let message =
                format!("expected in {name:?} a field of the child itself, such as \"/parent\", found {path}");
            Err(Error::new(ErrorKind::Chain, message))
        }
    };
    let at = fields.member_path("extract")?;
    let (parents, children) = (fields.text("of")?, fields.text("to")?);
    let by = fields.optional_text("by")?.map(|text| Path::parse(&text)).transpose()?;
    let parent = member("parent", fields.member_path("parent")?)?;
    let order = fields.optional_text("order")?.map(|text| member("order", Path::parse(&text)?)).transpose()?;
    match order.as_ref() == Some(&parent) {
        true => Err(Error::new(ErrorKind::Chain, "expected \"parent\" and \"order\" to be two fields, found one")),
        false => Ok(Unnest { apart: Way::Up, parents, at, children, by, parent, order }),
    }
}

/// Takes the list out of the parents' schema, and answers with the children's.
fn carry_out(unnest: &Unnest, parents: &mut Schema) -> Result<Schema> {
    let Unnest { at, by, parent, order, .. } = unnest;
    let list = parents.require(at)?;
    list.types().expect_within(Types::from(Type::Array).or(Type::Null), at)?;
    for enclosing in at.ancestors() {
        if parents.presence(&enclosing) == Presence::Optional {
            let message =
                "expected enclosing objects that are always there, found one that may be absent; \"add\" it first";
            return Err(Error::new(ErrorKind::Chain, message).under_path(&enclosing));
        }
    }
    let items = list.inner().cloned().unwrap_or_else(Schema::any);
    let plain = Schema::array_of(items.clone());
    if list != Schema::any() && list != plain && list != plain.or_null() {
        let message = "expected a list of any items of one kind and number, found one whose schema says more of it";
        return Err(Error::new(ErrorKind::Chain, message).under_path(at));
    }
    items.types().expect_within(Type::Object.into(), at)?;
    let mut child = if items == Schema::any() { Schema::of_types(Type::Object.into()) } else { items };
    if let Some(by) = by {
        child.require(by)?.types().expect_within(Type::String.into(), by)?;
        if child.presence(by) == Presence::Optional {
            let message = "expected in \"by\" a text that is in every item, found one that may be absent";
            return Err(Error::new(ErrorKind::Chain, message).under_path(by));
        }
    }
    let made = [(Some(parent), Type::String), (order.as_ref(), Type::Number)];
    for (name, ty) in made.into_iter().filter_map(|(name, ty)| Some((name?, ty))) {
        let path = Path::default().join(name);
        child.refuse(&path)?;
        child.declare(&path, Schema::of_types(ty.into()), true);
    }
    parents.undeclare(at);
    Ok(child)
}

fn take(collections: &mut Collections, name: &str) -> Result<Collection> {
    super::migration::existing(collections, name)?;
    let taken = collections.remove(name);
    Ok(taken.unwrap_or_else(|| unreachable!("the collection was found above")))
}

fn only_verb(object: &Object<'_>) -> Result<&'static str> {
    let mut named = VERBS.into_iter().filter(|verb| object.get(verb).is_some());
    match (named.next(), named.next()) {
        (Some(verb), None) => Ok(verb),
        (Some(verb), Some(second)) => {
            let message = format!("expected one verb, found both {verb:?} and {second:?}; write two");
            Err(Error::new(ErrorKind::Chain, message))
        }
        (None, _) => {
            let found: Vec<_> = object.iter().map(|(name, _)| format!("{name:?}")).collect();
            let found = if found.is_empty() { "no member".to_owned() } else { found.join(", ") };
            let message = format!("expected one of the verbs {}, found {found}", VERBS.join(", "));
            Err(Error::new(ErrorKind::Chain, message))
        }
    }
}
