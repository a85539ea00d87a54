//! A chain with its steps lowered and its schemas carried through: what extensions ship, and what is stored beside the
//! data and in exports.
//!
//! Surface steps are not in it. Whoever reads it needs the primitives only, so a build can go down along a chain that was
//! written with steps it has never heard of; and the module that users download need not know how to read, check and
//! lower steps.

use litemap::LiteMap;

use super::{Collection, Link, Rehome, Stage, Told};
use crate::document::{Json, Kind, Reading, Value};
use crate::json_object;
use crate::lens::Body;

/// The format of compiled chains.
const FORMAT: u32 = 1;

/// How many bytes of collections, as they are written, the versions of a chain may have between them: each version has all
/// of its own. Chains of hundreds of migrations have a tenth of it; one that comes with a hostile file may ask for more
/// than a machine has.
const MOST_CARRIED: usize = 16 << 20;

struct File {
    exuvia: u32,
    line: Vec<Link>,
    stages: Vec<Change>,
}

json_object!(File { "exuvia": exuvia, "line": line, "stages": stages });

/// What one migration changes.
struct Change {
    parents: Vec<String>,
    told: Vec<Told>,
    bodies: LiteMap<String, Body>,
    /// What happens to whole records.
    rehomes: Vec<Rehome>,
    /// The collections that are another afterwards.
    collections: LiteMap<String, After>,
}

json_object!(Change { "parents": parents, "told": told, "bodies": bodies, "collections": collections; "rehomes": rehomes });

/// What a collection is after a migration: `null` where it is gone.
struct After {
    collection: Option<Collection>,
    /// How long its text was.
    length: usize,
}

impl Json for After {
    fn write(&self, out: &mut String) {
        self.collection.write(out);
    }

    fn read(value: &Value<'_>, reading: &mut Reading) -> Self {
        let length = if let Value::Raw(text) = value { text.len() } else { 0 };
        Self { collection: (value.kind() != Kind::Null).then(|| Collection::read(value, reading)), length }
    }
}

/// The stages of a chain as text.
pub(super) fn write(stages: &[Stage]) -> String {
    let mut before = &LiteMap::new();
    let mut changes = Vec::new();
    for stage in stages {
        let mut collections = LiteMap::new();
        for name in before.keys().chain(stage.after.keys()) {
            let after = stage.after.get(name);
            if after != before.get(name) {
                collections.insert(name.clone(), After { collection: after.cloned(), length: 0 });
            }
        }
        before = &stage.after;
        changes.push(Change {
            parents: stage.parents.clone(),
            told: stage.told.clone(),
            bodies: stage.bodies.clone(),
            rehomes: stage.rehomes.clone(),
            collections,
        });
    }
    let line = stages.iter().map(|stage| stage.link.clone()).collect();
    File { exuvia: FORMAT, line, stages: changes }.to_json()
}

pub(super) fn read(value: &Value<'_>) -> Option<Vec<Stage>> {
    let file = File::from_value(value)?;
    if file.exuvia != FORMAT || file.line.len() != file.stages.len() || file.line.is_empty() {
        return None;
    }
    let mut stages: Vec<Stage> = Vec::with_capacity(file.line.len());
    let (mut lengths, mut carried) = (LiteMap::<String, usize>::new(), 0);
    for (link, change) in file.line.into_iter().zip(file.stages) {
        let before = stages.last();
        if !link.follows(before.map(|stage| &stage.link)) {
            return None;
        }
        let mut after = before.map(|stage| stage.after.clone()).unwrap_or_default();
        for (name, After { collection, length }) in change.collections {
            lengths.insert(name.clone(), name.len() + length);
            match collection {
                Some(collection) => drop(after.insert(name, collection)),
                None => drop(after.remove(&name)),
            }
        }
        carried += lengths.values().sum::<usize>();
        if carried > MOST_CARRIED {
            return None;
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
    Some(stages)
}
