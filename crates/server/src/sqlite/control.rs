//! Exuvia's own tables: the head, the chains, the log and the residues.

use exuvia_core::{Error, ErrorKind, Result};
use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::{Batch, Connection, OptionalExtension, params};

use super::error::told;
use crate::database::{Direction, Entry, Event, Known, Script};

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS exuvia_head (one INTEGER PRIMARY KEY CHECK (one = 1), head TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS exuvia_chain (name TEXT PRIMARY KEY, chain TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS exuvia_residue (
        collection TEXT NOT NULL, key TEXT NOT NULL, residues TEXT NOT NULL, PRIMARY KEY (collection, key)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS exuvia_log (
        entry INTEGER PRIMARY KEY, at INTEGER NOT NULL, run TEXT NOT NULL, event TEXT NOT NULL, cause TEXT NOT NULL,
        \"from\" INTEGER NOT NULL, \"to\" INTEGER NOT NULL, migration TEXT NOT NULL, fingerprint TEXT NOT NULL,
        who TEXT NOT NULL, records TEXT NOT NULL, note TEXT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS exuvia_script (name TEXT PRIMARY KEY, digest TEXT NOT NULL);
    CREATE TRIGGER IF NOT EXISTS exuvia_log_stays BEFORE UPDATE ON exuvia_log
        BEGIN SELECT RAISE(ABORT, 'exuvia_log is append-only'); END;
    CREATE TRIGGER IF NOT EXISTS exuvia_log_is_kept BEFORE DELETE ON exuvia_log
        BEGIN SELECT RAISE(ABORT, 'exuvia_log is append-only'); END;
";

/// It is of no backup: who runs now has nothing to do with who ran then.
const RUNNER: &str =
    "CREATE TABLE IF NOT EXISTS exuvia_runner (one INTEGER PRIMARY KEY CHECK (one = 1), token INTEGER NOT NULL)";

pub(super) fn create(connection: &Connection) -> Result<()> {
    connection.execute_batch(TABLES).map_err(told)
}

/// From here on only the runner with this token may write.
pub(super) fn claim(connection: &Connection, token: i64) -> Result<()> {
    connection.execute_batch(RUNNER).map_err(told)?;
    connection.execute("INSERT OR REPLACE INTO exuvia_runner VALUES (1, ?)", [token]).map(drop).map_err(told)
}

/// Whether a runner is still the one.
pub(super) fn expect_runner(connection: &Connection, token: i64) -> Result<()> {
    let mut select = connection.prepare_cached("SELECT token FROM exuvia_runner").map_err(told)?;
    let found = select.query_row([], |row| row.get(0)).optional().map_err(told)?;
    match found == Some(token) {
        true => Ok(()),
        false => Err(Error::new(
            ErrorKind::Fenced,
            "expected to be the only runner, found that another one took over although this one held the lock: was the lock's file removed?",
        )),
    }
}

/// Whether there is a table of this name.
pub(super) fn has_table(connection: &Connection, name: &str) -> Result<bool> {
    let sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?";
    connection.query_row(sql, [name], |_| Ok(())).optional().map(|found| found.is_some()).map_err(told)
}

pub(super) fn head(connection: &Connection) -> Result<Option<String>> {
    if !has_table(connection, "exuvia_head")? {
        return Ok(None);
    }
    connection.query_row("SELECT head FROM exuvia_head", [], |row| row.get(0)).optional().map_err(told)
}

pub(super) fn write_head(connection: &Connection, head: &str, entries: &[Entry]) -> Result<()> {
    let sql = "INSERT INTO exuvia_head VALUES (1, ?) ON CONFLICT DO UPDATE SET head = excluded.head";
    connection.execute(sql, [head]).map_err(told)?;
    append(connection, entries)
}

pub(super) fn append(connection: &Connection, entries: &[Entry]) -> Result<()> {
    let sql = "INSERT INTO exuvia_log VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let mut insert = connection.prepare_cached(sql).map_err(told)?;
    for entry in entries {
        let Entry { at, run, event, cause, from, to, migration, fingerprint, who, records, note } = entry;
        let values = params![at, run, event.name(), cause, from, to, migration, fingerprint, who, records, note];
        insert.execute(values).map_err(told)?;
    }
    Ok(())
}

pub(super) fn log(connection: &Connection) -> Result<Vec<Entry>> {
    if !has_table(connection, "exuvia_log")? {
        return Ok(Vec::new());
    }
    let sql = "SELECT at, run, event, cause, \"from\", \"to\", migration, fingerprint, who, records, note \
               FROM exuvia_log ORDER BY entry";
    let mut select = connection.prepare(sql).map_err(told)?;
    let mut rows = select.query([]).map_err(told)?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next().map_err(told)? {
        entries.push(entry(row)?);
    }
    Ok(entries)
}

fn entry(row: &rusqlite::Row<'_>) -> Result<Entry> {
    let word: String = row.get(2).map_err(told)?;
    let event = Event::named(&word).ok_or_else(|| {
        let message = "expected events that this Exuvia knows in the log, found another; update Exuvia";
        Error::new(ErrorKind::Newer, message)
    })?;
    let read = || {
        Ok(Entry {
            at: row.get(0)?,
            run: row.get(1)?,
            event,
            cause: row.get(3)?,
            from: row.get(4)?,
            to: row.get(5)?,
            migration: row.get(6)?,
            fingerprint: row.get(7)?,
            who: row.get(8)?,
            records: row.get(9)?,
            note: row.get(10)?,
        })
    };
    read().map_err(told)
}

pub(super) fn chains(connection: &Connection) -> Result<Vec<String>> {
    if !has_table(connection, "exuvia_chain")? {
        return Ok(Vec::new());
    }
    let mut select = connection.prepare("SELECT chain FROM exuvia_chain ORDER BY name").map_err(told)?;
    let chains = select.query_map([], |row| row.get(0)).map_err(told)?;
    chains.collect::<rusqlite::Result<_>>().map_err(told)
}

pub(super) fn keep_chain(connection: &Connection, name: &str, text: &str) -> Result<()> {
    let sql = "INSERT INTO exuvia_chain VALUES (?, ?) ON CONFLICT DO NOTHING";
    connection.execute(sql, [name, text]).map(drop).map_err(told)
}

pub(super) fn keep_only(connection: &Connection, name: &str) -> Result<()> {
    connection.execute("DELETE FROM exuvia_chain WHERE name <> ?", [name]).map(drop).map_err(told)
}

pub(super) fn scripts(connection: &Connection) -> Result<Vec<Known>> {
    if !has_table(connection, "exuvia_script")? {
        return Ok(Vec::new());
    }
    let mut select = connection.prepare("SELECT name, digest FROM exuvia_script ORDER BY name").map_err(told)?;
    let known = |row: &rusqlite::Row<'_>| Ok(Known { name: row.get(0)?, digest: row.get(1)?, is_done: true });
    select.query_map([], known).map_err(told)?.collect::<rusqlite::Result<_>>().map_err(told)
}

/// SQLite has no statement that a transaction cannot hold, but some that it ignores there.
pub(super) fn run_script(
    connection: &Connection,
    script: &Script,
    direction: Direction,
    entry: Option<&Entry>,
) -> Result<()> {
    match direction {
        Direction::Up => {
            execute(connection, &script.up)?;
            verify(connection, script)?;
            let sql = "INSERT INTO exuvia_script VALUES (?, ?) ON CONFLICT DO UPDATE SET digest = excluded.digest";
            connection.execute(sql, [&script.name, &script.digest]).map_err(told)?;
        }
        Direction::Down => {
            execute(connection, script.down.as_deref().unwrap_or_default())?;
            connection.execute("DELETE FROM exuvia_script WHERE name = ?", [&script.name]).map_err(told)?;
        }
    }
    match entry {
        Some(entry) => append(connection, std::slice::from_ref(entry)),
        None => Ok(()),
    }
}

fn execute(connection: &Connection, statements: &str) -> Result<()> {
    connection.execute_batch(statements).map_err(told)?;
    match connection.is_autocommit() {
        false => Ok(()),
        true => Err(Error::new(
            ErrorKind::Chain,
            "expected statements that leave their transaction open, found one that ended it; take COMMIT and ROLLBACK out",
        )),
    }
}

fn verify(connection: &Connection, script: &Script) -> Result<()> {
    let mut questions = Batch::new(connection, &script.verify);
    while let Some(mut question) = questions.next().map_err(told)? {
        let answers = question.query_map([], |row| row.get::<_, rusqlite::types::Value>(0)).map_err(told)?;
        let answers: Vec<_> = answers.collect::<rusqlite::Result<_>>().map_err(told)?;
        if answers != [rusqlite::types::Value::Integer(1)] {
            let message = format!(
                "expected each question of `-- verify` answered by one true value, found {} other answers; nothing of the script stays",
                answers.len()
            );
            return Err(Error::new(ErrorKind::Validation, message));
        }
    }
    Ok(())
}
