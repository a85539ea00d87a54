//! One batch: rows are read, interpreted and written back in one transaction.

use std::time::Instant;

use exuvia_core::{Error, ErrorKind, Result};
use rusqlite::types::Value as Key;
use rusqlite::{Connection, params};

use super::error::told;
use super::tables::{as_text, form, key_text, on_side};
use crate::database::{Batch, Carried, Done, Passage, Row, STAMP, Side, Table};

/// Documents of one batch, in bytes: enough for any number of small ones, and little beside the process itself.
const BYTES: usize = 16 << 20;

/// A row that is to be moved.
struct Found {
    key: Key,
    key_text: String,
    document: String,
    form: String,
    residues: Option<String>,
}

pub(super) fn carry(
    connection: &Connection,
    batch: &Batch<'_, Key>,
    passage: &Passage<'_>,
) -> Result<Option<Done<Key>>> {
    let begun = Instant::now();
    let found = select(connection, batch)?;
    let Some(last) = found.last().map(|row| row.key.clone()) else { return Ok(None) };
    let mut write = Write::new(connection, batch)?;
    let mut bytes = 0;
    let rows = found.len() as u64;
    for row in found {
        bytes += row.document.len() as u64;
        let before = Row { key: &row.key_text, document: &row.document, residues: row.residues.as_deref() };
        let carried = passage.carry(before)?;
        write.row(&row, &carried)?;
    }
    Ok(Some(Done { last, rows, bytes, held: begun.elapsed() }))
}

fn select(connection: &Connection, batch: &Batch<'_, Key>) -> Result<Vec<Found>> {
    let Table { collection, .. } = batch.table;
    let [name, key, document] = columns(batch.table);
    let text = key_text(&format!("t.{key}"));
    let sql = format!(
        "SELECT t.{key}, {text}, {}, {}, r.residues
         FROM {name} AS t LEFT JOIN exuvia_residue AS r ON r.collection = ?2 AND r.key = {text}
         WHERE t.{document} IS NOT NULL AND t.{} {} ORDER BY t.{key} LIMIT ?4",
        as_text(&format!("t.{document}")),
        form(&format!("t.{document}")),
        on_side(batch.side),
        if batch.after.is_some() { format!("AND t.{key} > ?3") } else { "AND ?3 IS NULL".to_owned() },
    );
    let after = batch.after.clone().unwrap_or(Key::Null);
    let mut select = connection.prepare_cached(&sql).map_err(told)?;
    let mut rows = select.query(params![batch.stamp.0, collection, after, batch.rows]).map_err(told)?;
    let (mut found, mut bytes) = (Vec::new(), 0);
    while bytes < BYTES {
        let Some(row) = rows.next().map_err(told)? else { break };
        let read = || {
            Ok(Found {
                key: row.get(0)?,
                key_text: row.get(1)?,
                document: row.get(2)?,
                form: row.get(3)?,
                residues: row.get(4)?,
            })
        };
        let row: Found = read().map_err(told)?;
        bytes += row.document.len();
        found.push(row);
    }
    Ok(found)
}

fn columns(table: &Table) -> [String; 3] {
    [&table.name, &table.key, &table.document].map(|name| Table::quoted(name))
}

/// The statements that a batch writes with.
struct Write<'w> {
    collection: &'w str,
    stamp: Option<i64>,
    text: rusqlite::CachedStatement<'w>,
    jsonb: rusqlite::CachedStatement<'w>,
    bytes: rusqlite::CachedStatement<'w>,
    stamped: rusqlite::CachedStatement<'w>,
    kept: rusqlite::CachedStatement<'w>,
    forgotten: rusqlite::CachedStatement<'w>,
}

impl<'w> Write<'w> {
    fn new(connection: &'w Connection, batch: &'w Batch<'_, Key>) -> Result<Self> {
        let [name, key, document] = columns(batch.table);
        let prepare = |sql: &str| connection.prepare_cached(sql).map_err(told);
        let update = |set: &str| prepare(&format!("UPDATE {name} SET {set}{STAMP} = ?2 WHERE {key} = ?3"));
        Ok(Self {
            collection: &batch.table.collection,
            stamp: (batch.side == Side::Before).then_some(batch.stamp.0),
            text: update(&format!("{document} = ?1, "))?,
            jsonb: update(&format!("{document} = jsonb(?1), "))?,
            bytes: update(&format!("{document} = CAST(?1 AS BLOB), "))?,
            stamped: prepare(&format!("UPDATE {name} SET {STAMP} = ?1 WHERE {key} = ?2"))?,
            kept: prepare(
                "INSERT INTO exuvia_residue VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET residues = excluded.residues",
            )?,
            forgotten: prepare("DELETE FROM exuvia_residue WHERE collection = ?1 AND key = ?2")?,
        })
    }

    fn row(&mut self, row: &Found, carried: &Carried) -> Result<()> {
        let placed = |error| told(error).in_collection(self.collection).in_record(&row.key_text);
        let written = match (&carried.document, &*row.form) {
            (Some(document), "jsonb") => self.jsonb.execute(params![document, self.stamp, row.key]),
            (Some(document), "bytes") => self.bytes.execute(params![document, self.stamp, row.key]),
            (Some(document), _) => self.text.execute(params![document, self.stamp, row.key]),
            (None, _) => self.stamped.execute(params![self.stamp, row.key]),
        };
        if written.map_err(placed)? != 1 {
            let message = "expected to move one row by its key, found that none or several were: a trigger keeps it from that, or the column takes two keys for equal; mend the one or the other";
            let error = Error::new(ErrorKind::Unfit, message);
            return Err(error.in_collection(self.collection).in_record(&row.key_text));
        }
        match (&carried.residues, &row.residues) {
            (Some(now), Some(before)) if now == before => Ok(0),
            (Some(now), _) => self.kept.execute(params![self.collection, row.key_text, now]),
            (None, Some(_)) => self.forgotten.execute(params![self.collection, row.key_text]),
            (None, None) => Ok(0),
        }
        .map(drop)
        .map_err(placed)
    }
}
