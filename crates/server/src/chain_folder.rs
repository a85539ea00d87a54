//! A chain as a folder: a JSON file a migration, and the lock file.

use std::path::{Path, PathBuf};

use exuvia_core::chain::{Chain, Lock, Migration};
use exuvia_core::document::Value;

use crate::failure::Failure;

const LOCK: &str = "chain.lock.json";

/// A folder that holds a chain.
pub(crate) struct ChainFolder {
    path: PathBuf,
}

impl ChainFolder {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Where the lock file is, or will be.
    pub(crate) fn lock_path(&self) -> PathBuf {
        self.path.join(LOCK)
    }

    /// The chain as its lock froze it.
    pub(crate) fn load(&self) -> Result<Chain, Failure> {
        Ok(Chain::load(self.migrations()?, &self.lock()?.unwrap_or_default())?)
    }

    /// The chain with what is not frozen yet put into order behind what is.
    pub(crate) fn arrange(&self) -> Result<Chain, Failure> {
        Ok(Chain::arrange(self.migrations()?, &self.lock()?.unwrap_or_default())?)
    }

    /// The lock file's content, where there is one.
    pub(crate) fn lock(&self) -> Result<Option<Lock>, Failure> {
        let path = self.lock_path();
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let lock = Value::parse(&text).and_then(|value| Lock::read(&value));
                lock.map(Some).map_err(in_file(&path))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::file(&path)(error)),
        }
    }

    fn migrations(&self) -> Result<Vec<Migration>, Failure> {
        let entries = std::fs::read_dir(&self.path).map_err(Failure::file(&self.path))?;
        let mut files = Vec::new();
        for entry in entries {
            let path = entry.map_err(Failure::file(&self.path))?.path();
            let is_migration = path.extension().is_some_and(|extension| extension == "json") && !path.ends_with(LOCK);
            files.extend(is_migration.then_some(path));
        }
        files.sort();
        files.iter().map(|path| read_migration(path)).collect()
    }
}

fn read_migration(path: &Path) -> Result<Migration, Failure> {
    let text = std::fs::read_to_string(path).map_err(Failure::file(path))?;
    Migration::parse(&text).map_err(in_file(path))
}

fn in_file(path: &Path) -> impl FnOnce(exuvia_core::Error) -> Failure {
    let place = format!("{}: ", path.display());
    move |error| Failure::Exuvia { place, error }
}
