//! The tables that collections are bound to.

use exuvia_core::Result;
use exuvia_core::document::{Digest, Value};
use rusqlite::{Connection, OptionalExtension};

use super::error::told;
use crate::database::{Measure, STAMP, Side, Stamp, Table};

/// A document as JSON text, whether the column holds text or SQLite's own JSONB.
pub(super) fn as_text(document: &str) -> String {
    format!("CASE typeof({document}) WHEN 'blob' THEN json({document}) ELSE {document} END")
}

pub(super) fn measure(connection: &Connection, table: &Table) -> Result<Measure> {
    let (name, document) = (Table::quoted(&table.name), Table::quoted(&table.document));
    let sql = format!("SELECT count({document}), coalesce(sum(octet_length({document})), 0) FROM {name}");
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Measure { rows: row.get::<_, i64>(0)? as u64, bytes: row.get::<_, i64>(1)? as u64 })
    };
    connection.query_row(&sql, [], read).map_err(told)
}

pub(super) fn has_column(connection: &Connection, table: &str, column: &str) -> Result<bool> {
    let sql = "SELECT 1 FROM pragma_table_xinfo(?) WHERE name = ?";
    connection.query_row(sql, [table, column], |_| Ok(())).optional().map(|found| found.is_some()).map_err(told)
}

/// The stamp's column, and three triggers: a document that another writer changes is not where the run left it; what a
/// record's migrations remember goes where its key goes; and with the record.
pub(super) fn install(connection: &Connection, table: &Table) -> Result<()> {
    let [name, key, document] = [&table.name, &table.key, &table.document].map(|name| Table::quoted(name));
    if !has_column(connection, &table.name, STAMP)? {
        connection.execute_batch(&format!("ALTER TABLE {name} ADD COLUMN {STAMP} INTEGER")).map_err(told)?;
    }
    let [changed, renamed, removed] = triggers(table);
    let collection = literal(&table.collection);
    connection
        .execute_batch(&format!(
            "CREATE TRIGGER IF NOT EXISTS {changed} AFTER UPDATE OF {document} ON {name}
             WHEN NEW.{STAMP} IS OLD.{STAMP} AND NEW.{STAMP} IS NOT NULL AND NEW.{document} IS NOT OLD.{document}
             BEGIN UPDATE {name} SET {STAMP} = NULL WHERE {key} = NEW.{key}; END;
             CREATE TRIGGER IF NOT EXISTS {renamed} AFTER UPDATE OF {key} ON {name}
             WHEN NEW.{key} IS NOT OLD.{key}
             BEGIN UPDATE OR REPLACE exuvia_residue SET key = CAST(NEW.{key} AS TEXT)
             WHERE collection = {collection} AND key = CAST(OLD.{key} AS TEXT); END;
             CREATE TRIGGER IF NOT EXISTS {removed} AFTER DELETE ON {name}
             BEGIN DELETE FROM exuvia_residue
             WHERE collection = {collection} AND key = CAST(OLD.{key} AS TEXT); END;"
        ))
        .map_err(told)
}

/// While no run is on nobody needs to know who changed a document last. The residues stay true.
pub(super) fn uninstall(connection: &Connection, table: &Table) -> Result<()> {
    let [name, key] = [&table.name, &table.key].map(|name| Table::quoted(name));
    let [changed, ..] = triggers(table);
    let collection = literal(&table.collection);
    connection
        .execute_batch(&format!(
            "DROP TRIGGER IF EXISTS {changed};
             DELETE FROM exuvia_residue WHERE collection = {collection}
             AND NOT EXISTS (SELECT 1 FROM {name} WHERE CAST({key} AS TEXT) = exuvia_residue.key);"
        ))
        .map_err(told)
}

fn triggers(table: &Table) -> [String; 3] {
    ["changed", "renamed", "removed"].map(|event| Table::quoted(&format!("exuvia_{}_{event}", table.name)))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The condition for rows on one side of a run.
pub(super) fn on_side(side: Side) -> String {
    match side {
        Side::Before => format!("{STAMP} IS NOT ?1"),
        Side::After => format!("{STAMP} IS ?1"),
    }
}

pub(super) fn remaining(connection: &Connection, table: &Table, stamp: Stamp, side: Side) -> Result<u64> {
    let (name, document, on_side) = (Table::quoted(&table.name), Table::quoted(&table.document), on_side(side));
    let sql = format!("SELECT count(*) FROM {name} WHERE {document} IS NOT NULL AND {on_side}");
    connection.query_row(&sql, [stamp.0], |row| row.get::<_, i64>(0)).map(|count| count as u64).map_err(told)
}

/// Sums a digest of each row, so that the order of rows does not matter.
pub(super) fn meaning(connection: &Connection, table: &Table) -> Result<String> {
    let [name, key, document] = [&table.name, &table.key, &table.document].map(|name| Table::quoted(name));
    let sql = format!("SELECT CAST({key} AS TEXT), {} FROM {name} WHERE {document} IS NOT NULL", as_text(&document));
    let mut select = connection.prepare(&sql).map_err(told)?;
    let mut rows = select.query([]).map_err(told)?;
    let mut sum = 0_u128;
    while let Some(row) = rows.next().map_err(told)? {
        let (key, text): (String, String) = (row.get(0).map_err(told)?, row.get(1).map_err(told)?);
        let placed = |error: exuvia_core::Error| error.in_collection(&table.collection).in_record(&key);
        let digest = Digest::of(&Value::parse(&text).map_err(placed)?).map_err(placed)?;
        sum = sum.wrapping_add(hashed(|hasher| {
            hasher.update(key.as_bytes());
            hasher.update(b"\0");
            hasher.update(digest.to_hex().as_bytes());
        }));
    }
    Ok(format!("{sum:032x}"))
}

/// A digest as a number, to be added to others.
pub(super) fn hashed(feed: impl FnOnce(&mut blake3::Hasher)) -> u128 {
    let mut hasher = blake3::Hasher::new();
    feed(&mut hasher);
    let mut first = [0; 16];
    hasher.finalize_xof().fill(&mut first);
    u128::from_be_bytes(first)
}
