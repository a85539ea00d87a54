//! The tables that collections are bound to.

use exuvia_core::Result;
use exuvia_core::document::{Digest, Value};
use rusqlite::{Connection, OptionalExtension};

use super::error::told;
use crate::database::{Measure, STAMP, Side, Stamp, Table};

/// A document as JSON text, whether the column holds text, its bytes, or SQLite's own JSONB.
pub(super) fn as_text(document: &str) -> String {
    format!(
        "CASE {} WHEN 'jsonb' THEN json({document}) WHEN 'bytes' THEN CAST({document} AS TEXT) ELSE {document} END",
        form(document)
    )
}

/// How a document lies in its column.
pub(super) fn form(document: &str) -> String {
    format!(
        "CASE WHEN typeof({document}) <> 'blob' THEN 'text' WHEN json_valid({document}, 8) THEN 'jsonb' ELSE 'bytes' END"
    )
}

/// A key as text, such that no two of one type have the same.
pub(super) fn key_text(key: &str) -> String {
    format!("CASE typeof({key}) WHEN 'blob' THEN hex({key}) WHEN 'real' THEN quote({key}) ELSE CAST({key} AS TEXT) END")
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

/// The stamp's column, and four triggers: a document that another writer changes is not where the run left it; what a
/// record's migrations remember goes where its key goes; and with the record, or its document. They compare what is
/// there, whatever the columns' collations take for equal.
pub(super) fn install(connection: &Connection, table: &Table) -> Result<()> {
    let [name, key, document] = [&table.name, &table.key, &table.document].map(|name| Table::quoted(name));
    if !has_column(connection, &table.name, STAMP)? {
        connection.execute_batch(&format!("ALTER TABLE {name} ADD COLUMN {STAMP} INTEGER")).map_err(told)?;
    }
    let [changed, renamed, removed, cleared] = triggers(table);
    let [old, new] = ["OLD", "NEW"].map(|row| key_text(&format!("{row}.{key}")));
    let forget = format!("DELETE FROM exuvia_residue WHERE collection = {} AND key", literal(&table.collection));
    let collection = literal(&table.collection);
    let make = |trigger: &str, when: String, what: String| {
        format!("DROP TRIGGER IF EXISTS {trigger}; CREATE TRIGGER {trigger} AFTER {when} BEGIN {what}; END;")
    };
    let made = [
        make(
            &changed,
            format!(
                "UPDATE OF {document} ON {name} WHEN NEW.{STAMP} IS OLD.{STAMP} AND NEW.{STAMP} IS NOT NULL
                 AND NEW.{document} IS NOT OLD.{document} COLLATE BINARY"
            ),
            format!("UPDATE {name} SET {STAMP} = NULL WHERE {key} = NEW.{key}"),
        ),
        make(
            &renamed,
            // The key of a row may also be changed by what SQLite calls it.
            format!("UPDATE OF {key}, rowid, oid, _rowid_ ON {name} WHEN {new} IS NOT {old}"),
            format!(
                "{forget} = {new};
                 UPDATE exuvia_residue SET key = {new} WHERE collection = {collection} AND key = {old}"
            ),
        ),
        make(&removed, format!("DELETE ON {name}"), format!("{forget} = {old}")),
        make(
            &cleared,
            format!("UPDATE OF {document} ON {name} WHEN NEW.{document} IS NULL"),
            format!("{forget} = {new}"),
        ),
    ];
    connection.execute_batch(&made.concat()).map_err(told)
}

/// While no run is on nobody needs to know who changed a document last. The residues stay true.
pub(super) fn uninstall(connection: &Connection, table: &Table) -> Result<()> {
    let [name, key, document] = [&table.name, &table.key, &table.document].map(|name| Table::quoted(name));
    let [changed, ..] = triggers(table);
    let collection = literal(&table.collection);
    connection
        .execute_batch(&format!(
            "DROP TRIGGER IF EXISTS {changed};
             DELETE FROM exuvia_residue WHERE collection = {collection}
             AND key NOT IN (SELECT {} FROM {name} WHERE {key} IS NOT NULL AND {document} IS NOT NULL);",
            key_text(&key)
        ))
        .map_err(told)
}

fn triggers(table: &Table) -> [String; 4] {
    ["changed", "renamed", "removed", "cleared"].map(|event| Table::quoted(&format!("exuvia_{}_{event}", table.name)))
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
    let sql = format!("SELECT {}, {} FROM {name} WHERE {document} IS NOT NULL", key_text(&key), as_text(&document));
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
