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
    /// It begins. Records that it has by then are set aside on the way back.
    Begin {
        /// Its name.
        collection: String,
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
    "begin": Begin { collection: collection },
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
            Rehome::Begin { collection } | Rehome::Drop { collection, .. } => name == collection,
            Rehome::Unnest(unnest) => name == unnest.parents || name == unnest.children,
        }
    }

    /// The name that a collection's records have on the other side; `None` where they are no collection there.
    pub(super) fn follow(&self, way: Way, name: String) -> Option<String> {
        match (self, way) {
            (Rehome::Rename { from, to, .. }, Way::Up) if name == *from => Some(to.clone()),
            (Rehome::Rename { from, to, .. }, Way::Down) if name == *to => Some(from.clone()),
            (Rehome::Begin { collection }, Way::Down) | (Rehome::Drop { collection, .. }, Way::Up)
                if name == *collection =>
            {
                None
            }
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
            Rehome::Begin { collection } => set_aside(way == Way::Down, collection, family),
            Rehome::Drop { collection, forgets: false } => set_aside(way == Way::Up, collection, family),
        }
        Ok(())
    }
}

fn set_aside(is_aside: bool, collection: &str, family: &mut Family<'_>) {
    for record in family.iter_mut().filter(|record| record.collection == collection) {
        record.is_aside = is_aside;
    }
}

/// What is known of collections by their names of today: whose records came out of others, and whose have ever shared a
/// storage key.
#[derive(Default)]
pub(super) struct Children {
    apart: BTreeSet<String>,
    shared: BTreeSet<String>,
}

impl Children {
    /// Goes on with a migration, and checks that children keep a storage key each, now and in every version that data may
    /// go down to. Under one key with others they would not be written together with their parent, and a process that
    /// dies in between would leave one without the other.
    pub(super) fn follow(&mut self, rehomes: &[Rehome], collections: &Collections) -> Result<()> {
        for op in rehomes {
            let follow = |names: &mut BTreeSet<String>| {
                *names = std::mem::take(names).into_iter().filter_map(|name| op.follow(Way::Up, name)).collect();
            };
            match op {
                Rehome::Unnest(unnest) if unnest.apart == Way::Up => drop(self.apart.insert(unnest.children.clone())),
                Rehome::Unnest(unnest) if self.shared.contains(&unnest.children) => {
                    return Err(shared(&unnest.children));
                }
                _ => {}
            }
            follow(&mut self.apart);
            follow(&mut self.shared);
        }
        let alone = |collection: &Collection| matches!(collection.layout, Layout::Prefix { .. });
        let sharing = collections.iter().filter(|(_, collection)| !alone(collection));
        self.shared.extend(sharing.map(|(name, _)| name.clone()));
        self.apart.intersection(&self.shared).next().map_or(Ok(()), |name| Err(shared(name)))
    }
}

fn shared(name: &str) -> Error {
    let message = "expected a layout {\"prefix\": …} in every version for records that are the children of others, found another; each has a storage key of its own";
    Error::new(ErrorKind::Chain, message).in_collection(name)
}

/// What a migration does to whole collections, as its author wrote it: a list, each item with its verb.
#[derive(Debug, Default)]
pub(super) struct Rehomes(Vec<Written>);

#[derive(Debug)]
enum Written {
    Rename { from: String, to: String },
    Drop { collection: String, forgets: bool },
    Extract { unnest: Unnest, layout: Layout },
    Inline { unnest: Unnest },
}

const VERBS: [&str; 4] = ["rename", "drop", "extract", "inline"];

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
            "extract" => {
                let (at, of, to) = (fields.member_path("extract")?, fields.text("of")?, fields.text("to")?);
                let unnest = read_unnest(&mut fields, Way::Up, at, of, to)?;
                Written::Extract { unnest, layout: Layout::read(&fields.required("layout")?)? }
            }
            _ => {
                let (from, into, at) = (fields.text("inline")?, fields.text("into")?, fields.member_path("at")?);
                Written::Inline { unnest: read_unnest(&mut fields, Way::Down, at, into, from)? }
            }
        };
        fields.finish(verb)?;
        Ok(written)
    }

    fn verb(&self) -> &'static str {
        match self {
            Written::Rename { .. } => "rename",
            Written::Drop { .. } => "drop",
            Written::Extract { .. } => "extract",
            Written::Inline { .. } => "inline",
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
            Written::Inline { unnest } => {
                let children = take(collections, &unnest.children)?;
                let parents = super::migration::existing(collections, &unnest.parents)?;
                let item = carry_in(unnest, children.schema).map_err(|error| error.in_collection(&unnest.children))?;
                let taken = take_in(unnest, item, &mut parents.schema);
                taken.map_err(|error| error.in_collection(&unnest.parents))?;
                Rehome::Unnest(unnest.clone())
            }
        })
    }

    fn undo(&self) -> Undo {
        match self {
            Written::Rename { .. } => Undo::Computed,
            // The order of a list, and what stood beside it.
            Written::Extract { .. } | Written::Inline { .. } | Written::Drop { forgets: false, .. } => Undo::Kept,
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
            Written::Inline { unnest } => (
                &unnest.children,
                format!(
                    "each record becomes an item of {} in that of {} whose key is in /{}",
                    unnest.at, unnest.parents, unnest.parent
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

fn read_unnest(fields: &mut Fields<'_>, apart: Way, at: Path, parents: String, children: String) -> Result<Unnest> {
    let member = |name: &'static str, path: Path| match path.split_last() {
        Some((parent, field)) if parent == Path::default() => Ok(field.to_owned()),
        _ => {
            let message =
                format!("expected in {name:?} a field of the child itself, such as \"/parent\", found {path}");
            Err(Error::new(ErrorKind::Chain, message))
        }
    };
    let by = fields.optional_text("by")?.map(|text| Path::parse(&text)).transpose()?;
    let parent = member("parent", fields.member_path("parent")?)?;
    let order = fields.optional_text("order")?.map(|text| member("order", Path::parse(&text)?)).transpose()?;
    match order.as_ref() == Some(&parent) {
        true => Err(Error::new(ErrorKind::Chain, "expected \"parent\" and \"order\" to be two fields, found one")),
        false => Ok(Unnest { apart, parents, at, children, by, parent, order }),
    }
}

/// Takes the list out of the parents' schema, and answers with the children's.
fn carry_out(unnest: &Unnest, parents: &mut Schema) -> Result<Schema> {
    let Unnest { at, by, parent, order, .. } = unnest;
    let list = parents.require(at)?;
    list.types().expect_within(Types::from(Type::Array).or(Type::Null), at)?;
    expect_enclosed(at, parents)?;
    let items = list.inner().unwrap_or_default();
    let plain = Schema::array_of(items.clone());
    if list != plain && list != plain.or_null() {
        let message = "expected a list of any items of one kind and number, found one whose schema says more of it";
        return Err(Error::new(ErrorKind::Chain, message).under_path(at));
    }
    items.types().expect_within(Type::Object.into(), at)?;
    let mut child = items;
    expect_key(by.as_ref(), &child)?;
    let made = [(Some(parent), Type::String), (order.as_ref(), Type::Number)];
    for (name, ty) in made.into_iter().filter_map(|(name, ty)| Some((name?, ty))) {
        let path = Path::default().join(name);
        child.refuse(&path)?;
        child.declare(&path, Schema::of_types(ty.into()), true);
    }
    parents.undeclare(at);
    Ok(child)
}

/// Takes out of the children's schema what an item does not have.
fn carry_in(unnest: &Unnest, mut child: Schema) -> Result<Schema> {
    let Unnest { by, parent, order, .. } = unnest;
    child.types().expect_within(Type::Object.into(), &Path::default())?;
    expect_key(by.as_ref(), &child)?;
    let numbers = [Type::Number, Type::Integer].map(|ty| Schema::of_types(ty.into()));
    let made = [
        (Some(parent), "a text", vec![Schema::of_types(Type::String.into())]),
        (order.as_ref(), "a number", numbers.to_vec()),
    ];
    for (name, what, allowed) in made.into_iter().filter_map(|(name, what, allowed)| Some((name?, what, allowed))) {
        let path = Path::default().join(name);
        let said = child.require(&path)?;
        if !allowed.contains(&said) {
            let message = format!(
                "expected {what} of any value, found a field whose schema says something else; on the way back it gets what the list says"
            );
            return Err(Error::new(ErrorKind::Chain, message).under_path(&path));
        }
        child.undeclare(&path);
    }
    Ok(child)
}

/// Declares the list in the parents' schema.
fn take_in(unnest: &Unnest, item: Schema, parents: &mut Schema) -> Result<()> {
    parents.types().expect_within(Type::Object.into(), &Path::default())?;
    parents.refuse(&unnest.at)?;
    expect_enclosed(&unnest.at, parents)?;
    parents.declare(&unnest.at, Schema::array_of(item), true);
    Ok(())
}

fn expect_enclosed(at: &Path, parents: &Schema) -> Result<()> {
    match at.ancestors().find(|enclosing| parents.presence(enclosing) != Presence::Required) {
        None => Ok(()),
        Some(enclosing) => {
            let message =
                "expected enclosing objects that are always there, found one that may be absent; \"add\" it first";
            Err(Error::new(ErrorKind::Chain, message).under_path(&enclosing))
        }
    }
}

fn expect_key(by: Option<&Path>, child: &Schema) -> Result<()> {
    let Some(by) = by else { return Ok(()) };
    child.require(by)?.types().expect_within(Type::String.into(), by)?;
    match child.presence(by) {
        Presence::Optional => {
            let message = "expected in \"by\" a text that is in every item, found one that may be absent; \"add\" it before, inside an \"each\" of the list, or leave \"by\" out";
            Err(Error::new(ErrorKind::Chain, message).under_path(by))
        }
        _ => Ok(()),
    }
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
