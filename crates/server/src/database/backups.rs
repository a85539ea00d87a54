use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use exuvia_core::protocol::{Phase, Run, Seal};
use exuvia_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::Database;

/// A folder of backups: a folder each, by the name of the run that made it.
#[derive(Clone, Debug)]
pub struct Backups {
    folder: PathBuf,
    keep: usize,
}

/// What a backup is of. It is written when the backup is whole, so a folder without one is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// The format of this file: 1.
    pub exuvia: u32,
    /// The run that made it.
    pub id: String,
    /// Which database.
    pub database: String,
    /// The server's own version.
    pub server: String,
    /// The version of the data.
    pub version: u32,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// The size of the backup, in bytes.
    pub bytes: u64,
    /// The BLAKE3 digest of the backup, in hexadecimal.
    pub digest: String,
    /// What is in it.
    pub tables: Vec<TableFacts>,
    /// Its schema, as people read it.
    pub schema: String,
}

/// What is in a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableFacts {
    /// Its name.
    pub name: String,
    /// How many rows it has.
    pub rows: u64,
    /// A digest of them, whatever their order.
    pub digest: String,
}

const MANIFEST: &str = "manifest.json";
const BACKUP: &str = "backup";

/// What the names of files begin with that lie beside a backup while it is tried.
pub(crate) const SCRATCH: &str = "scratch";

impl Backups {
    /// Backups in this folder, so many of which are kept.
    #[must_use]
    pub fn new(folder: &Path, keep: usize) -> Self {
        Self { folder: folder.to_owned(), keep: keep.max(1) }
    }

    /// The folder of a backup.
    #[must_use]
    pub fn place(&self, id: &str) -> PathBuf {
        self.folder.join(id)
    }

    /// The backup itself.
    #[must_use]
    pub fn file(&self, id: &str) -> PathBuf {
        self.place(id).join(BACKUP)
    }

    /// Saves everything, and answers when it is on the disk.
    ///
    /// # Errors
    /// [`ErrorKind::Paused`] where it cannot be written.
    pub async fn make<D: Database>(
        &self,
        database: &D,
        id: &str,
        version: u32,
        now: i64,
        progress: &dyn Fn(u64, u64),
    ) -> Result<(Seal, Manifest)> {
        let place = self.place(id);
        fs::create_dir_all(&place).map_err(|error| unwritten(&place, &error))?;
        let file = self.file(id);
        // A manifest is of the backup beside it, or of none.
        remove(&place.join(MANIFEST)).map_err(|error| unwritten(&place, &error))?;
        let tables = database.backup(&file, progress).await?;
        let (bytes, digest) = sealed(&file).map_err(|error| unwritten(&file, &error))?;
        let manifest = Manifest {
            exuvia: 1,
            id: id.to_owned(),
            database: database.describe(),
            server: database.server_version().await?,
            version,
            created_at: now,
            bytes,
            digest,
            tables,
            schema: database.schema().await?,
        };
        let text = serde_json::to_string_pretty(&manifest).unwrap_or_default();
        write_whole(&place, &text).map_err(|error| unwritten(&place, &error))?;
        Ok((Seal { id: id.to_owned(), digest: blake3::hash(text.as_bytes()).to_hex().to_string() }, manifest))
    }

    /// What a backup is of.
    ///
    /// # Errors
    /// [`ErrorKind::Snapshot`] where there is none of this name, or it was not finished.
    pub fn manifest(&self, id: &str) -> Result<Manifest> {
        let text = self.text(id)?;
        serde_json::from_str(&text).map_err(|_| damaged(id, "a manifest that is none"))
    }

    /// The seal of a backup.
    ///
    /// # Errors
    /// As [`Backups::manifest`].
    pub fn seal(&self, id: &str) -> Result<Seal> {
        let digest = blake3::hash(self.text(id)?.as_bytes()).to_hex().to_string();
        Ok(Seal { id: id.to_owned(), digest })
    }

    /// Whether a backup is there, with the manifest that the seal knows and of the size that it says.
    #[must_use]
    pub fn is_there(&self, seal: &Seal) -> bool {
        let size = || fs::metadata(self.file(&seal.id)).map(|found| found.len()).ok();
        self.seal(&seal.id).is_ok_and(|found| found == *seal)
            && self.manifest(&seal.id).is_ok_and(|manifest| size() == Some(manifest.bytes))
    }

    /// Reads a backup to its end.
    ///
    /// # Errors
    /// [`ErrorKind::Snapshot`] where it is not the one that was written.
    pub fn expect_whole(&self, id: &str) -> Result<Manifest> {
        let manifest = self.manifest(id)?;
        match sealed(&self.file(id)) {
            Ok(found) if found == (manifest.bytes, manifest.digest.clone()) => Ok(manifest),
            Ok(_) => Err(damaged(id, "other bytes")),
            Err(error) => Err(damaged(id, &error.to_string())),
        }
    }

    /// The backups that are whole, newest first.
    #[must_use]
    pub fn list(&self) -> Vec<Manifest> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let mut found: Vec<_> = names.filter_map(|id| self.manifest(&id).ok()).collect();
        found.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
        found
    }

    /// Lets go of the oldest, and of what was never finished. Never of the run's own, unless it wrote nothing: then what it
    /// saved is what is there, and may push nothing out.
    pub(super) fn retain(&self, run: &Run) {
        let has_written = run.phase != Phase::Capture;
        let is_own = |id: &str| id == run.id || run.seal.as_ref().is_some_and(|seal| seal.id == id);
        let others = self.list().into_iter().map(|manifest| manifest.id).filter(|id| !is_own(id));
        let kept: Vec<_> = others.take(self.keep - usize::from(has_written)).collect();
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        for place in entries.map(|entry| entry.path()) {
            let name = place.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if !(has_written && is_own(name) || kept.iter().any(|id| id == name)) {
                // What the run is remembered by stays. What cannot be removed now is the next run's.
                let _ = remove(&place.join(MANIFEST)).and_then(|()| remove(&place.join(BACKUP)));
            }
            leave_no_scratch(&place);
        }
    }

    fn text(&self, id: &str) -> Result<String> {
        let is_name = !id.is_empty() && !id.contains(['/', '\\']) && id != "..";
        let text = is_name.then(|| fs::read_to_string(self.place(id).join(MANIFEST)));
        match text {
            Some(Ok(text)) => Ok(text),
            _ => Err(damaged(id, "none that is whole")),
        }
    }
}

impl Manifest {
    /// Expects that nobody has written since this was saved, a moment ago.
    ///
    /// # Errors
    /// [`ErrorKind::Paused`] with the first table that somebody wrote to.
    pub fn expect_still(&self, found: &[TableFacts]) -> Result<()> {
        match self.tables.iter().find(|table| !found.contains(table)) {
            None => Ok(()),
            Some(other) => Err(Error::new(
                ErrorKind::Paused,
                format!(
                    "expected nobody to write between the backup {} and the restore, found the table {:?} changed; stop who writes and run it again",
                    self.id, other.name
                ),
            )),
        }
    }

    /// Holds what is in a database against what was saved.
    ///
    /// # Errors
    /// [`ErrorKind::Snapshot`] with the first table that differs.
    pub fn expect(&self, found: &[TableFacts]) -> Result<()> {
        match self.tables.iter().find(|table| !found.contains(table)) {
            None => Ok(()),
            Some(other) => {
                let message =
                    format!("expected the table {:?} as it was saved in {}, found it changed", other.name, self.id);
                Err(Error::new(ErrorKind::Snapshot, message))
            }
        }
    }
}

/// Removes what a rehearsal left that died.
fn leave_no_scratch(place: &Path) {
    let entries = fs::read_dir(place).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().as_encoded_bytes().starts_with(SCRATCH.as_bytes())) {
        let _ = fs::remove_file(entry.path());
    }
}

fn remove(path: &Path) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The size and digest of a file that is on the disk, and not only in its cache.
fn sealed(path: &Path) -> std::io::Result<(u64, String)> {
    let file = File::open(path)?;
    file.sync_all()?;
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(&file)?;
    Ok((hasher.count(), hasher.finalize().to_hex().to_string()))
}

fn write_whole(place: &Path, text: &str) -> std::io::Result<()> {
    let mut file = NamedTempFile::new_in(place)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(place.join(MANIFEST)).map_err(|error| error.error)?;
    File::open(place)?.sync_all()
}

fn unwritten(path: &Path, error: &std::io::Error) -> Error {
    let message =
        format!("expected to write the backup to {}, found: {error}; make room there and run it again", path.display());
    Error::new(ErrorKind::Paused, message)
}

fn damaged(id: &str, found: &str) -> Error {
    let message =
        format!("expected the backup {id:?} whole, found {found}; `exuvia backup --list` names those that are");
    Error::new(ErrorKind::Snapshot, message)
}
