//! A chain as a folder: a JSON file a migration, the lock file, and the compiled chain that extensions ship.

use std::path::{Path, PathBuf};

use exuvia_core::chain::{Chain, Lock, Migration};

use crate::chain_place;
use crate::failure::{Failure, Place};
use crate::lock_file::LockFile;
use crate::stand_in::stand_ins;

const LOCK: &str = "chain.lock.json";
const COMPILED: &str = "chain.json";

/// A folder that holds a chain.
pub(crate) struct ChainFolder {
    path: PathBuf,
}

/// A migration file.
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

impl ChainFolder {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Where the lock file is, or will be.
    pub(crate) fn lock_path(&self) -> PathBuf {
        self.path.join(LOCK)
    }

    /// Where the compiled chain is, or will be.
    pub(crate) fn compiled_path(&self) -> PathBuf {
        self.path.join(COMPILED)
    }

    /// The chain as its lock froze it.
    pub(crate) fn load(&self) -> Result<Chain, Failure> {
        self.build(Chain::load)
    }

    /// The chain with what is not frozen yet put into order behind what is.
    pub(crate) fn arrange(&self) -> Result<Chain, Failure> {
        self.build(Chain::arrange)
    }

    /// The lock file, where there is one.
    pub(crate) fn lock(&self) -> Result<Option<LockFile>, Failure> {
        let path = self.lock_path();
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let found = LockFile::read(&text);
                found.map(Some).map_err(|error| Failure::Exuvia { place: Place::File(path), error })
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::file(&path)(error)),
        }
    }

    /// The migration files, by their names.
    pub(crate) fn sources(&self) -> Result<Vec<Source>, Failure> {
        let entries = std::fs::read_dir(&self.path).map_err(Failure::file(&self.path))?;
        let mut files = Vec::new();
        for entry in entries {
            let path = entry.map_err(Failure::file(&self.path))?.path();
            let is_migration = path.extension().is_some_and(|extension| extension == "json")
                && !path.ends_with(LOCK)
                && !path.ends_with(COMPILED);
            files.extend(is_migration.then_some(path));
        }
        files.sort();
        files.into_iter().map(Source::read).collect()
    }

    fn build(&self, order: fn(Vec<Migration>, &Lock) -> exuvia_core::Result<Chain>) -> Result<Chain, Failure> {
        let sources = self.sources()?;
        let migrations = sources.iter().map(Source::parse).collect::<Result<Vec<_>, _>>()?;
        let ids: Vec<_> = migrations.iter().map(|migration| Some(migration.id.clone())).collect();
        let stand_ins = stand_ins(migrations.iter().flat_map(Migration::examples));
        let lock = self.lock()?.map(|file| file.lock).unwrap_or_default();
        let ordered = order(migrations, &lock);
        let mut chain = ordered.map_err(|error| match ids.iter().position(|id| *id == error.context().migration) {
            Some(index) => sources[index].at_fault(error),
            None => Failure::Exuvia { place: Place::File(self.path.clone()), error },
        })?;
        stand_ins.into_iter().for_each(|stand_in| chain.register(stand_in));
        Ok(chain)
    }
}

impl Source {
    fn read(path: PathBuf) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(&path).map_err(Failure::file(&path))?;
        Ok(Self { path, text })
    }

    pub(crate) fn parse(&self) -> Result<Migration, Failure> {
        Migration::parse(&self.text).map_err(|error| self.at_fault(error))
    }

    fn at_fault(&self, error: exuvia_core::Error) -> Failure {
        let file = self.path.clone();
        let place = match chain_place::find(&self.text, error.context()) {
            Some(span) => Place::Span { file, text: self.text.clone(), span },
            None => Place::File(file),
        };
        Failure::Exuvia { place, error }
    }
}
