//! Backups: SQLite's own online backup, of one moment.

use std::fs;
use std::path::{Path, PathBuf};

use exuvia_core::{Error, ErrorKind, Result};
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::types::ValueRef;

use super::error::told;
use super::tables::hashed;
use crate::database::{Manifest, SCRATCH, Table, TableFacts};

/// Pages between two looks at how far it is.
const PAGES: i32 = 4_096;

/// Copies everything as of one moment. A transaction keeps that moment, so that writers do not make it start again; in
/// WAL mode they go on meanwhile, elsewhere they wait.
pub(super) fn backup(connection: &Connection, file: &Path, progress: &dyn Fn(u64, u64)) -> Result<Vec<TableFacts>> {
    remove(file)?;
    connection.execute_batch("BEGIN").map_err(told)?;
    let copied = copy(connection, file, progress).and_then(|()| facts(connection));
    connection.execute_batch("COMMIT").map_err(told)?;
    copied
}

fn copy(connection: &Connection, file: &Path, progress: &dyn Fn(u64, u64)) -> Result<()> {
    // The first read is the moment.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(told)?;
    let mut copy = Connection::open(file).map_err(told)?;
    let backup = Backup::new(connection, &mut copy).map_err(told)?;
    loop {
        let step = backup.step(PAGES).map_err(told)?;
        let found = backup.progress();
        progress((found.pagecount - found.remaining) as u64, found.pagecount as u64);
        if step == StepResult::Done {
            break;
        }
    }
    drop(backup);
    // One file, whatever the other one's journal is.
    copy.pragma_update(None, "journal_mode", "DELETE").map_err(told)?;
    copy.close().map_err(|(_, error)| told(error))
}

/// The rows and a digest of every table that is not a runner's own.
pub(super) fn facts(connection: &Connection) -> Result<Vec<TableFacts>> {
    let sql = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' \
               AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> 'exuvia_runner' ORDER BY name";
    let mut select = connection.prepare(sql).map_err(told)?;
    let names = select.query_map([], |row| row.get::<_, String>(0)).map_err(told)?;
    names.map(|name| name.map_err(told).and_then(|name| facts_of(connection, name))).collect()
}

fn facts_of(connection: &Connection, name: String) -> Result<TableFacts> {
    let mut select = connection.prepare(&format!("SELECT * FROM {}", Table::quoted(&name))).map_err(told)?;
    let columns = select.column_count();
    let mut rows = select.query([]).map_err(told)?;
    let (mut count, mut sum, mut bytes) = (0, 0_u128, Vec::new());
    while let Some(row) = rows.next().map_err(told)? {
        let values =
            (0..columns).map(|index| row.get_ref(index)).collect::<rusqlite::Result<Vec<_>>>().map_err(told)?;
        bytes.clear();
        values.iter().for_each(|value| append(&mut bytes, *value));
        sum = sum.wrapping_add(hashed(|hasher| {
            hasher.update(&bytes);
        }));
        count += 1;
    }
    Ok(TableFacts { name, rows: count, digest: format!("{sum:032x}") })
}

fn append(row: &mut Vec<u8>, value: ValueRef<'_>) {
    let (tag, bytes): (u8, &[u8]) = match &value {
        ValueRef::Null => (0, &[]),
        ValueRef::Integer(number) => (1, &number.to_be_bytes()),
        ValueRef::Real(number) => (2, &number.to_be_bytes()),
        ValueRef::Text(text) => (3, text),
        ValueRef::Blob(bytes) => (4, bytes),
    };
    row.push(tag);
    row.extend((bytes.len() as u64).to_be_bytes());
    row.extend(bytes);
}

pub(super) fn schema(connection: &Connection) -> Result<String> {
    let sql =
        "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'exuvia\\_%' ESCAPE '\\' ORDER BY rowid";
    let mut select = connection.prepare(sql).map_err(told)?;
    let texts = select.query_map([], |row| row.get::<_, String>(0)).map_err(told)?;
    let texts: Vec<_> = texts.collect::<rusqlite::Result<_>>().map_err(told)?;
    Ok(texts.join(";\n"))
}

/// A copy of a backup beside it.
pub(super) fn scratch(file: &Path) -> Result<PathBuf> {
    // Others may try the same backup at the same time.
    let path = file.with_file_name(format!("{SCRATCH}-{:016x}", fastrand::u64(..)));
    fs::copy(file, &path).map_err(|error| {
        let message = format!(
            "expected to copy the backup to {}, found: {error}; make room there and run it again",
            path.display()
        );
        Error::new(ErrorKind::Paused, message)
    })?;
    Ok(path)
}

/// Removes a database, with what its journal left.
pub(super) fn remove(path: &Path) -> Result<()> {
    for end in ["", "-journal", "-wal", "-shm", ".exuvia-lock"] {
        let mut name = path.to_owned().into_os_string();
        name.push(end);
        match fs::remove_file(&name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                let message = format!("expected to remove {}, found: {error}", Path::new(&name).display());
                return Err(Error::new(ErrorKind::Paused, message));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Puts the backup's pages in place of the database's, in one transaction of that: a file that is renamed into its place
/// would meet the journal of the old one. From the look at what is there to the end nobody else gets at the file.
pub(super) fn restore(file: &Path, path: &Path, reader: &Connection, present: &Manifest) -> Result<()> {
    let source = Connection::open_with_flags(file, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(told)?;
    let mut target = Connection::open(path).map_err(told)?;
    target.busy_timeout(super::PATIENCE).map_err(told)?;
    let mode: String = target.pragma_query_value(None, "journal_mode", |row| row.get(0)).map_err(told)?;
    let others_read = mode == "wal";
    if !others_read {
        // The lock that a transaction takes stays then.
        target.pragma_update(None, "locking_mode", "EXCLUSIVE").map_err(told)?;
        target.execute_batch("BEGIN EXCLUSIVE; COMMIT").map_err(told)?;
        present.expect_still(&facts(&target)?)?;
    }
    let backup = Backup::new(&source, &mut target).map_err(told)?;
    let step = |pages, wanted| match backup.step(pages).map_err(told)? == wanted {
        true => Ok(()),
        false => Err(Error::new(
            ErrorKind::Paused,
            "expected the database free, found another process in it; stop that one and run it again",
        )),
    };
    if others_read {
        // No pages, but the lock.
        step(0, StepResult::More)?;
        present.expect_still(&facts(reader)?)?;
    }
    step(-1, StepResult::Done)
}
