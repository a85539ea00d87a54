use std::collections::{BTreeMap, BTreeSet};

use super::{Migration, Version};
use crate::document::{Json, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::json_object;

/// One migration in a line: its id, the hash of its content, and the head, which is the hash of the whole line up to
/// and with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The migration's id.
    pub id: String,
    /// The digest of its content, in hexadecimal.
    pub hash: String,
    /// The digest of the head before, the id and the content, in hexadecimal.
    pub head: String,
}

json_object!(Link { "id": id, "hash": hash, "head": head });

impl Link {
    pub(super) fn after(before: Option<&Link>, migration: &Migration) -> Self {
        let (id, hash) = (migration.id.clone(), migration.hash.to_hex());
        let head = head_of(before, &id, &hash);
        Self { id, hash, head }
    }

    /// Whether this is what `after` makes of its id and hash.
    pub(super) fn follows(&self, before: Option<&Link>) -> bool {
        self.head == head_of(before, &self.id, &self.hash)
    }
}

fn head_of(before: Option<&Link>, id: &str, hash: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in [before.map_or("", |link| &link.head), id, hash] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

struct File {
    exuvia: u32,
    line: Vec<Link>,
}

json_object!(File { "exuvia": exuvia, "line": line });

/// The frozen order of a chain, kept beside it and checked in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// The links, the oldest first.
    pub line: Vec<Link>,
}

impl Lock {
    /// Reads a lock file.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] where it is not what [`Lock::text`] writes.
    pub fn read(value: &Value<'_>) -> Result<Self> {
        match File::from_value(value) {
            Some(File { exuvia: 1, line }) => Ok(Self { line }),
            _ => Err(Error::new(
                ErrorKind::Chain,
                "expected a lock file as `exuvia lock` writes it, found something else; run `exuvia lock`",
            )),
        }
    }

    /// This line, then what only another has: how two branches become one. Each head is computed anew.
    ///
    /// # Errors
    /// [`ErrorKind::Edited`] where both have a migration of one name that is not the same.
    pub fn join(mut self, other: &Lock) -> Result<Self> {
        for Link { id, hash, .. } in &other.line {
            match self.line.iter().find(|link| link.id == *id) {
                None => {
                    let head = head_of(self.line.last(), id, hash);
                    self.line.push(Link { id: id.clone(), hash: hash.clone(), head });
                }
                Some(known) if known.hash == *hash => {}
                Some(_) => {
                    let message = "expected both branches to have locked the same migration, found two of one name; give one of them another";
                    return Err(Error::new(ErrorKind::Edited, message).in_migration(id));
                }
            }
        }
        Ok(self)
    }

    /// The head that the line leads to; empty where there is none.
    #[must_use]
    pub fn head(&self) -> &str {
        self.line.last().map_or("", |link| &link.head)
    }

    /// The lock file's content, as JSON.
    #[must_use]
    pub fn text(&self) -> String {
        File { exuvia: 1, line: self.line.clone() }.to_json()
    }

    /// Checks that what this lock froze is still what the chain starts with.
    pub(super) fn check(&self, actual: &Lock) -> Result<()> {
        for (locked, actual) in self.line.iter().zip(&actual.line) {
            if locked != actual {
                let message = "expected the migration as it was locked, found it edited; undo the edit and write a new migration, since users may have run this one";
                return Err(Error::new(ErrorKind::Edited, message).in_migration(&locked.id));
            }
        }
        Ok(())
    }
}

/// Migrations in exactly the order of the lock.
pub(super) fn in_order(migrations: Vec<Migration>, lock: &Lock) -> Result<Vec<Migration>> {
    let mut by_id = by_id(migrations)?;
    let ordered = take_frozen(&mut by_id, lock)?;
    match by_id.into_keys().next() {
        None => Ok(ordered),
        Some(id) => {
            let message = "expected every migration in the lock, found this one missing; run `exuvia lock`";
            Err(Error::new(ErrorKind::Chain, message).in_migration(&id))
        }
    }
}

/// The frozen ones first, then each as soon as its parents are there, ties by id.
pub(super) fn arrange(migrations: Vec<Migration>, frozen: &Lock) -> Result<Vec<Migration>> {
    let mut waiting = by_id(migrations)?;
    let mut ordered = take_frozen(&mut waiting, frozen)?;
    let mut done: BTreeSet<String> = ordered.iter().map(|migration| migration.id.clone()).collect();
    while !waiting.is_empty() {
        let ready = waiting.values().find(|migration| migration.parents.iter().all(|parent| done.contains(parent)));
        let Some(id) = ready.map(|migration| migration.id.clone()) else { return Err(unready(&waiting, &done)) };
        ordered.extend(waiting.remove(&id));
        done.insert(id);
    }
    check_parents(&ordered)?;
    Ok(ordered)
}

fn by_id(migrations: Vec<Migration>) -> Result<BTreeMap<String, Migration>> {
    let mut by_id = BTreeMap::new();
    for migration in migrations {
        if let Some(twin) = by_id.insert(migration.id.clone(), migration) {
            let message = "expected ids that differ, found two migrations with this one";
            return Err(Error::new(ErrorKind::Chain, message).in_migration(&twin.id));
        }
    }
    Ok(by_id)
}

fn take_frozen(by_id: &mut BTreeMap<String, Migration>, lock: &Lock) -> Result<Vec<Migration>> {
    let take = |link: &Link| {
        by_id.remove(&link.id).ok_or_else(|| {
            let message =
                "expected every migration of the lock, found this one missing; chains are never pruned, bring it back";
            Error::new(ErrorKind::Chain, message).in_migration(&link.id)
        })
    };
    let ordered = lock.line.iter().map(take).collect::<Result<Vec<_>>>()?;
    check_parents(&ordered)?;
    Ok(ordered)
}

fn check_parents(ordered: &[Migration]) -> Result<()> {
    let mut done = BTreeSet::new();
    for (index, migration) in ordered.iter().enumerate() {
        if let Some(stranger) = migration.parents.iter().find(|parent| !done.contains(parent.as_str())) {
            let message = format!("expected the parent {stranger:?} before it, found none");
            return Err(Error::new(ErrorKind::Chain, message).in_migration(&migration.id));
        }
        if index > 0 && migration.parents.is_empty() {
            let message = "expected \"parents\", since only the first migration has none";
            return Err(Error::new(ErrorKind::Chain, message).in_migration(&migration.id));
        }
        done.insert(&*migration.id);
    }
    Ok(())
}

fn unready(waiting: &BTreeMap<String, Migration>, done: &BTreeSet<String>) -> Error {
    let known = |id: &String| done.contains(id) || waiting.contains_key(id);
    let missing = waiting
        .values()
        .find_map(|migration| Some((migration, migration.parents.iter().find(|parent| !known(parent))?)));
    match missing {
        Some((migration, parent)) => {
            let message = format!("expected the parent {parent:?} in the chain, found no such migration");
            Error::new(ErrorKind::Chain, message).in_migration(&migration.id)
        }
        None => {
            let ids: Vec<_> = waiting.keys().map(String::as_str).collect();
            Error::new(
                ErrorKind::Chain,
                format!("expected parents that lead back to the baseline, found a circle among {}", ids.join(", ")),
            )
        }
    }
}

/// How the line that data has run stands to a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The data is at this version of the chain; the tip, or behind it.
    At(Version),
    /// The data has run the whole chain and more.
    Newer {
        /// The first migration that the chain lacks.
        migration: String,
    },
    /// The same migration, by its id, was something else when the data ran it.
    Edited {
        /// Its id.
        migration: String,
    },
    /// The data went another way after this many migrations.
    Fork {
        /// The version that both have.
        common: Version,
        /// The first migration of the data that the chain does not have there.
        migration: String,
    },
}

pub(super) fn standing(line: &[Link], chain: &[Link]) -> Standing {
    let common = line.iter().zip(chain).take_while(|(ran, known)| ran == known).count();
    match (line.get(common), chain.get(common)) {
        (None, _) => Standing::At(Version(common as u32)),
        (Some(ran), None) => Standing::Newer { migration: ran.id.clone() },
        (Some(ran), Some(known)) if ran.id == known.id => Standing::Edited { migration: ran.id.clone() },
        (Some(ran), Some(_)) => Standing::Fork { common: Version(common as u32), migration: ran.id.clone() },
    }
}
