//! SQLite: a file, and no server.
//!
//! The interpreter runs in this process and the database too, so moving a row is a read and a write with nothing between
//! them. Other processes may have the file open: writers wait for one batch at most.

mod carry;
mod control;
mod copy;
mod error;
mod inspect;
mod tables;

use std::cell::Cell;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use exuvia_core::chain::Version;
use exuvia_core::{Error, ErrorKind, Result};
use rusqlite::{Connection, OpenFlags};

use crate::database::{
    Batch, Database, Direction, Done, Entry, Finding, Known, Level, Load, Manifest, Measure, Passage, Script, Side,
    Stamp, Table, TableFacts,
};
use error::told;

/// Pages that are kept in memory, in KiB: those of a batch and what they stand under, so that none is written before the
/// batch is done, or read twice.
const CACHE: i64 = 32 << 10;

/// How long a statement waits for other processes.
const PATIENCE: Duration = Duration::from_secs(5);

/// A database file.
#[derive(Debug)]
pub struct Sqlite {
    path: PathBuf,
    connection: Connection,
    /// Whether the transaction is open that [`Database::shut`] begins.
    is_shut: Cell<bool>,
    /// What the runner that holds the lock is known by. Whoever never held it writes as nobody's runner.
    token: Cell<Option<i64>>,
}

impl Sqlite {
    /// Opens a file that is there.
    ///
    /// # Errors
    /// [`ErrorKind::Store`] where there is none, or it is no database.
    pub fn open(path: &Path) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let unopened = |error: rusqlite::Error| {
            let message = format!("expected a SQLite database at {}, found: {error}", path.display());
            Error::new(ErrorKind::Store, message)
        };
        let connection = Connection::open_with_flags(path, flags).map_err(unopened)?;
        connection.busy_timeout(PATIENCE).map_err(unopened)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(unopened)?;
        connection.pragma_update(None, "cache_size", -CACHE).map_err(unopened)?;
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(unopened)?;
        // Other names of the file are for the same lock.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        Ok(Self { path, connection, is_shut: Cell::new(false), token: Cell::new(None) })
    }

    /// Begins as a writer, so that no other one gets in between; a runner only while it is the one.
    fn begin(&self) -> Result<()> {
        self.connection.execute_batch("BEGIN IMMEDIATE").map_err(told)?;
        let checked = self.token.get().map_or(Ok(()), |token| control::expect_runner(&self.connection, token));
        if checked.is_err() {
            self.roll_back();
        }
        checked
    }

    /// Keeps the file of the rollback journal from one batch to the next, where there is one: to remove it is another wait
    /// for the disk each time. Others that remove theirs remove this one.
    fn keep_journal(&self) -> Result<()> {
        let mode: String = self.connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).map_err(told)?;
        match &*mode {
            "delete" => self.connection.pragma_update(None, "journal_mode", "TRUNCATE").map_err(told),
            _ => Ok(()),
        }
    }

    /// The transaction may be gone already.
    fn roll_back(&self) {
        let _ = self.connection.execute_batch("ROLLBACK");
    }

    /// Does something in one transaction: the one that is open, or one of its own that begins as a writer.
    fn within<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        if self.is_shut.get() {
            return work(&self.connection);
        }
        self.begin()?;
        match work(&self.connection)
            .and_then(|found| self.connection.execute_batch("COMMIT").map_err(told).map(|()| found))
        {
            Ok(found) => Ok(found),
            Err(error) => {
                self.roll_back();
                Err(error)
            }
        }
    }
}

impl Database for Sqlite {
    type Key = rusqlite::types::Value;
    type Lock = File;

    fn describe(&self) -> String {
        format!("sqlite:{}", self.path.display())
    }

    async fn server_version(&self) -> Result<String> {
        Ok(format!("SQLite {}", rusqlite::version()))
    }

    /// The operating system's lock on a file beside the database: it ends with the process, however that ends.
    async fn try_lock(&self) -> Result<Option<File>> {
        let mut name = self.path.clone().into_os_string();
        name.push(".exuvia-lock");
        let unlocked = |error: &std::io::Error| {
            let message = format!("expected to lock {}, found: {error}", Path::new(&name).display());
            Error::new(ErrorKind::Paused, message)
        };
        let file =
            File::options().create(true).truncate(false).write(true).open(&name).map_err(|error| unlocked(&error))?;
        match file.try_lock() {
            Ok(()) => {
                let token = fastrand::i64(..);
                self.keep_journal()?;
                self.token.set(None);
                self.within(|connection| control::create(connection).and_then(|()| control::claim(connection, token)))?;
                self.token.set(Some(token));
                Ok(Some(file))
            }
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(unlocked(&error)),
        }
    }

    /// The operating system does not tell.
    async fn holder(&self) -> Result<Option<String>> {
        Ok(None)
    }

    async fn head(&self) -> Result<Option<String>> {
        control::head(&self.connection)
    }

    async fn write_head(&self, head: &str, entries: &[Entry]) -> Result<()> {
        let written = self.within(|connection| control::write_head(connection, head, entries));
        if !self.is_shut.replace(false) {
            return written;
        }
        let written = written.and_then(|()| self.connection.execute_batch("COMMIT").map_err(told));
        if written.is_err() {
            self.roll_back();
        }
        written
    }

    async fn log(&self) -> Result<Vec<Entry>> {
        control::log(&self.connection)
    }

    async fn chains(&self) -> Result<Vec<String>> {
        control::chains(&self.connection)
    }

    async fn keep_chain(&self, name: &str, text: &str) -> Result<()> {
        self.within(|connection| control::keep_chain(connection, name, text))
    }

    async fn keep_only(&self, name: &str) -> Result<()> {
        self.within(|connection| control::keep_only(connection, name))
    }

    async fn scripts(&self) -> Result<Vec<Known>> {
        control::scripts(&self.connection)
    }

    async fn review(&self, _: &Script) -> Result<Vec<Finding>> {
        Ok(Vec::new())
    }

    async fn run_script(&self, script: &Script, direction: Direction, entry: Option<&Entry>) -> Result<Vec<Finding>> {
        self.within(|connection| control::run_script(connection, script, direction, entry))?;
        Ok(Vec::new())
    }

    async fn inspect(&self, tables: &[&Table], backups: &Path) -> Result<Vec<Finding>> {
        inspect::findings(&self.connection, &self.path, tables, backups)
    }

    async fn manner(&self, _: &Table, passage: &Passage<'_>) -> Result<Finding> {
        let message = format!(
            "the rows of {} are moved one by one, by the interpreter: it runs in the process that the database runs in",
            passage.collection
        );
        Ok(Finding::new("row-by-row", Level::Note, message))
    }

    async fn load(&self) -> Result<Load> {
        Ok(Load { is_seen: true, ..Load::default() })
    }

    async fn measure(&self, table: &Table) -> Result<Measure> {
        tables::measure(&self.connection, table)
    }

    async fn install(&self, table: &Table, _: Stamp, _: Version) -> Result<()> {
        self.within(|connection| tables::install(connection, table))
    }

    async fn narrow(&self, _: &Table, _: Stamp, _: Side) -> Result<()> {
        Ok(())
    }

    async fn uninstall(&self, table: &Table) -> Result<()> {
        self.within(|connection| tables::uninstall(connection, table))
    }

    async fn carry(&self, batch: &Batch<'_, Self::Key>, passage: &Passage<'_>) -> Result<Option<Done<Self::Key>>> {
        self.within(|connection| carry::carry(connection, batch, passage))
    }

    async fn remaining(&self, table: &Table, stamp: Stamp, side: Side) -> Result<u64> {
        tables::remaining(&self.connection, table, stamp, side)
    }

    async fn shut(&self, _: &[&Table]) -> Result<()> {
        if !self.is_shut.get() {
            self.begin()?;
            self.is_shut.set(true);
        }
        Ok(())
    }

    async fn reopen(&self) -> Result<()> {
        if self.is_shut.replace(false) {
            self.connection.execute_batch("ROLLBACK").map_err(told)?;
        }
        Ok(())
    }

    async fn check_references(&self) -> Result<()> {
        inspect::references(&self.connection)
    }

    async fn meaning(&self, table: &Table) -> Result<String> {
        tables::meaning(&self.connection, table)
    }

    async fn backup(&self, file: &Path, progress: &dyn Fn(u64, u64)) -> Result<Vec<TableFacts>> {
        copy::backup(&self.connection, file, progress)
    }

    async fn schema(&self) -> Result<String> {
        copy::schema(&self.connection)
    }

    async fn scratch(&self, file: &Path) -> Result<Self> {
        let scratch = Self::open(&copy::scratch(file)?).map_err(|error| error.of_kind(ErrorKind::Snapshot))?;
        // Nobody needs it after a power failure.
        scratch.connection.pragma_update(None, "synchronous", "OFF").map_err(told)?;
        scratch.connection.pragma_update(None, "journal_mode", "MEMORY").map_err(told)?;
        Ok(scratch)
    }

    async fn discard(self) -> Result<()> {
        let Self { path, connection, .. } = self;
        connection.close().map_err(|(_, error)| told(error))?;
        copy::remove(&path)
    }

    async fn facts(&self) -> Result<Vec<TableFacts>> {
        inspect::whole(&self.connection).map_err(|error| error.of_kind(ErrorKind::Snapshot))?;
        copy::facts(&self.connection)
    }

    async fn restore(&self, file: &Path, present: &Manifest) -> Result<()> {
        copy::restore(file, &self.path, &self.connection, present)?;
        // The runner that the backup knew is long gone.
        let Some(token) = self.token.take() else { return Ok(()) };
        self.within(|connection| control::claim(connection, token))?;
        self.token.set(Some(token));
        Ok(())
    }
}
