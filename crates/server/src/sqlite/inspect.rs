//! What can be known of a database before a run.

use std::path::Path;

use exuvia_core::{Error, ErrorKind, Result};
use rusqlite::{Connection, OptionalExtension};

use super::control::has_table;
use super::error::told;
use super::tables::{has_column, key_text};
use crate::database::{Finding, Level, STAMP, Table};

pub(super) fn findings(
    connection: &Connection,
    path: &Path,
    tables: &[&Table],
    backups: &Path,
) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for table in tables {
        findings.extend(of_table(connection, table)?);
    }
    findings.extend(new_columns(connection, tables)?);
    if let Err(error) = whole(connection) {
        findings.push(Finding::new("damaged", Level::Error, error.message()));
    }
    if let Err(error) = references(connection) {
        findings.push(Finding::new("broken-references", Level::Error, error.message()));
    }
    findings.extend(room(path, backups));
    Ok(findings)
}

fn of_table(connection: &Connection, table: &Table) -> Result<Vec<Finding>> {
    let Table { collection, name, key, document } = table;
    let error = |rule, message| Ok(vec![Finding::new(rule, Level::Refusal, message)]);
    if !has_table(connection, name)? {
        return error("no-table", format!("expected a table {name:?} for the collection {collection}, found none"));
    }
    for column in [key, document] {
        if !has_column(connection, name, column)? {
            return error("no-column", format!("expected a column {column:?} in the table {name:?}, found none"));
        }
    }
    if !is_unique(connection, name, key)? {
        return error(
            "key-not-unique",
            format!(
                "expected the keys in {name}.{key} unique, found no primary key or unique index of it alone; add one"
            ),
        );
    }
    let [quoted, column, document] = [name, key, document].map(|name| Table::quoted(name));
    let sql = format!("SELECT EXISTS (SELECT 1 FROM {quoted} WHERE {column} IS NULL AND {document} IS NOT NULL)");
    if connection.query_row(&sql, [], |row| row.get(0)).map_err(told)? {
        return error(
            "no-key",
            format!("expected a key in {name}.{key} for each document, found rows without a key; give them one"),
        );
    }
    let text = key_text(&column);
    let sql = format!(
        "SELECT EXISTS (SELECT 1 FROM {quoted} WHERE {document} IS NOT NULL GROUP BY {text} HAVING count(*) > 1)"
    );
    match connection.query_row(&sql, [], |row| row.get(0)).map_err(told)? {
        false => Ok(Vec::new()),
        true => error(
            "key-not-unique",
            format!(
                "expected the keys in {name}.{key} unique as text too, found some that differ only in their type; make them alike"
            ),
        ),
    }
}

fn new_columns(connection: &Connection, tables: &[&Table]) -> Result<Option<Finding>> {
    let mut without = Vec::new();
    for table in tables {
        if has_table(connection, &table.name)? && !has_column(connection, &table.name, STAMP)? {
            without.push(&*table.name);
        }
    }
    let message = format!(
        "a column {STAMP} is added to {}: an INSERT that does not name its columns fails afterwards",
        without.join(", ")
    );
    Ok((!without.is_empty()).then(|| Finding::new("new-column", Level::Warning, message)))
}

fn is_unique(connection: &Connection, table: &str, key: &str) -> Result<bool> {
    let sql = "SELECT 1 WHERE (SELECT group_concat(name) FROM pragma_table_info(?1) WHERE pk > 0) = ?2
               OR EXISTS (SELECT 1 FROM pragma_index_list(?1) AS i WHERE i.\"unique\" AND NOT i.partial
                          AND (SELECT group_concat(name) FROM pragma_index_info(i.name)) = ?2)";
    connection.query_row(sql, [table, key], |_| Ok(())).optional().map(|found| found.is_some()).map_err(told)
}

/// Whether SQLite finds the file whole.
pub(super) fn whole(connection: &Connection) -> Result<()> {
    let found: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(told)?;
    match &*found {
        "ok" => Ok(()),
        // What it says may name values of an index.
        _ => Err(Error::new(
            ErrorKind::Store,
            "expected a database that is whole, found damage (`PRAGMA integrity_check` shows it); restore a backup, or recover it with sqlite3's .recover",
        )),
    }
}

/// Whether each reference finds its row.
pub(super) fn references(connection: &Connection) -> Result<()> {
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, String>(2)?));
    let broken = connection.query_row("PRAGMA foreign_key_check", [], read).optional().map_err(told)?;
    match broken {
        None => Ok(()),
        Some((table, parent)) => {
            let message = format!(
                "expected each row of {table} to find what it refers to in {parent}, found one that does not (`PRAGMA foreign_key_check` lists them)"
            );
            Err(Error::new(ErrorKind::Validation, message))
        }
    }
}

/// A backup, a copy to rehearse on, and what the database itself grows by.
fn room(path: &Path, backups: &Path) -> Option<Finding> {
    let size = std::fs::metadata(path).ok()?.len();
    let backups = std::path::absolute(backups).ok()?;
    let known = backups.ancestors().find(|folder| folder.exists())?;
    let free = fs4::available_space(known).ok()?;
    let needed = 3 * size;
    let mib = |bytes: u64| bytes.div_ceil(1 << 20);
    let message = format!(
        "expected room for a backup and a copy to rehearse on in {}, {} MiB, found {} MiB",
        backups.display(),
        mib(needed),
        mib(free)
    );
    (free < needed).then(|| Finding::new("no-room", Level::Error, message))
}
