//! A chain with its steps lowered and its schemas carried through: what extensions ship, and what is stored beside the
//! data and in exports.
//!
//! Surface steps are not in it. Whoever reads it needs the primitives only, so a build can go down along a chain that was
//! written with steps it has never heard of; and the module that users download need not know how to read, check and
//! lower steps.

use litemap::LiteMap;

use super::{Chain, Collection, Link, Rehome, Stage, Told};
use crate::document::{Json, Object, Value};
use crate::json_object;
use crate::lens::{Body, Customs};

/// The format of compiled chains.
const FORMAT: u32 = 1;

struct File {
    exuvia: u32,
    line: Vec<Link>,
    stages: Vec<Change>,
}

json_object!(File { "exuvia": exuvia, "line": line, "stages": stages });

/// What one migration changes.
#[derive(Default)]
struct Change {
    parents: Vec<String>,
    told: Vec<Told>,
    bodies: LiteMap<String, Body>,
    /// What happens to whole records.
    rehomes: Vec<Rehome>,
    /// The collections that are another afterwards; absent where one is gone.
    collections: LiteMap<String, Option<Collection>>,
}

impl Json for Change {
    fn to_value(&self) -> Value<'static> {
        let mut object = Object::new();
        object.insert("parents", self.parents.to_value());
        object.insert("told", self.told.to_value());
        object.insert("bodies", self.bodies.to_value());
        object.extend_with("rehomes", (!self.rehomes.is_empty()).then(|| self.rehomes.to_value()));
        object.insert("collections", self.collections.to_value());
        Value::Object(object)
    }

    fn from_value(value: &Value<'_>) -> Option<Self> {
        let mut object = value.members()?;
        let mut collections = LiteMap::new();
        for (name, value) in object.remove("collections")?.members()? {
            let gone = value == Value::Null;
            collections.insert(name.into_owned(), if gone { None } else { Some(Collection::from_value(&value)?) });
        }
        Some(Self {
            parents: Json::from_member(object.remove("parents"))?,
            told: Json::from_member(object.remove("told"))?,
            bodies: Json::from_member(object.remove("bodies"))?,
            rehomes: object.remove("rehomes").map_or_else(|| Some(Vec::new()), |list| Json::from_value(&list))?,
            collections,
        })
    }
}

pub(super) fn write(chain: &Chain) -> Value<'static> {
    let mut before = &LiteMap::new();
    let mut stages = Vec::new();
    for stage in &chain.stages {
        let mut collections = LiteMap::new();
        for name in before.keys().chain(stage.after.keys()) {
            let after = stage.after.get(name);
            if after != before.get(name) {
                collections.insert(name.clone(), after.cloned());
            }
        }
        before = &stage.after;
        stages.push(Change {
            parents: stage.parents.clone(),
            told: stage.told.clone(),
            bodies: stage.bodies.clone(),
            rehomes: stage.rehomes.clone(),
            collections,
        });
    }
    File { exuvia: FORMAT, line: chain.lock().line, stages }.to_value()
}

pub(super) fn read(value: &Value<'_>) -> Option<Chain> {
    let file = File::from_value(value)?;
    if file.exuvia != FORMAT || file.line.len() != file.stages.len() || file.line.is_empty() {
        return None;
    }
    let mut stages: Vec<Stage> = Vec::with_capacity(file.line.len());
    for (link, change) in file.line.into_iter().zip(file.stages) {
        let before = stages.last();
        if !link.follows(before.map(|stage| &stage.link)) {
            return None;
        }
        let mut after = before.map(|stage| stage.after.clone()).unwrap_or_default();
        for (name, collection) in change.collections {
            match collection {
                Some(collection) => drop(after.insert(name, collection)),
                None => drop(after.remove(&name)),
            }
        }
        stages.push(Stage {
            link,
            parents: change.parents,
            told: change.told,
            bodies: change.bodies,
            rehomes: change.rehomes,
            after,
        });
    }
    Some(Chain { stages, customs: Customs::new() })
}
