//! One batch: rows are locked, read, interpreted and written back in one transaction.

use std::time::Instant;

use exuvia_core::{Error, ErrorKind};

use super::bound::Bound;
use super::error::Result;
use super::session::Session;
use super::tables::on_side;
use crate::database::{Batch, Carried, Done, Passage, Row, STAMP, Side};

/// Documents of one batch, in bytes as they are stored: enough for any number of small ones, and little beside the
/// process itself.
const BYTES: i64 = 8 << 20;

/// A row that is to be moved.
struct Found {
    key: String,
    document: String,
    residues: Option<String>,
}

pub(super) async fn carry(
    session: &Session,
    batch: &Batch<'_, String>,
    passage: &Passage<'_>,
) -> Result<Option<Done<String>>> {
    let begun = Instant::now();
    let bound = session.bound(batch.table).await?;
    let found = select(session, &bound, batch).await?;
    let Some(last) = found.last().map(|row| row.key.clone()) else { return Ok(None) };
    let mut bytes = 0;
    let mut carried = Vec::with_capacity(found.len());
    for row in &found {
        bytes += row.document.len() as u64;
        carried.push(passage.carry(Row {
            key: &row.key,
            document: &row.document,
            residues: row.residues.as_deref(),
        })?);
    }
    write(session, &bound, batch, &found, &carried).await?;
    remember(session, batch, &found, &carried).await?;
    Ok(Some(Done { last, rows: found.len() as u64, bytes, held: begun.elapsed() }))
}

/// Rows that another writer holds are left for the next time through, unless there is none: writers are shut out then.
async fn select(session: &Session, bound: &Bound, batch: &Batch<'_, String>) -> Result<Vec<Found>> {
    let Bound { name, key, document, key_type, .. } = bound;
    let sql = format!(
        "WITH batch AS MATERIALIZED (
             SELECT {key} AS key, {document} AS document FROM {name}
             WHERE {document} IS NOT NULL AND {} {} ORDER BY {key} LIMIT $3 FOR NO KEY UPDATE {}
         ), sized AS (
             SELECT key, document, sum(pg_column_size(document)) OVER (ORDER BY key) - pg_column_size(document) AS ahead FROM batch
         )
         SELECT sized.key::text, sized.document::text, r.residues::text
         FROM sized LEFT JOIN exuvia.residue AS r ON r.collection = $1 AND r.key = sized.key::text
         WHERE sized.ahead < {BYTES} ORDER BY sized.key",
        on_side(batch.stamp, batch.side),
        match batch.after {
            Some(_) => format!("AND {key} > $2::text::{key_type}"),
            None => "AND $2::text IS NULL".to_owned(),
        },
        if session.is_shut() { "" } else { "SKIP LOCKED" },
    );
    let rows = session.rows(&sql, &[&batch.table.collection, &batch.after, &i64::from(batch.rows)]).await?;
    rows.iter()
        .map(|row| Ok(Found { key: row.try_get(0)?, document: row.try_get(1)?, residues: row.try_get(2)? }))
        .collect()
}

async fn write(
    session: &Session,
    bound: &Bound,
    batch: &Batch<'_, String>,
    found: &[Found],
    carried: &[Carried],
) -> Result<()> {
    let Bound { name, key, document, key_type, document_type } = bound;
    let sql = format!(
        "UPDATE {name} AS exuvia_row SET {document} = coalesce(moved.document::{document_type}, exuvia_row.{document}), {STAMP} = $3
         FROM unnest($1::text[], $2::text[]) AS moved (key, document)
         WHERE exuvia_row.{key} = moved.key::{key_type} AND exuvia_row.{}",
        on_side(batch.stamp, batch.side)
    );
    let keys: Vec<_> = found.iter().map(|row| &*row.key).collect();
    let documents: Vec<_> = carried.iter().map(|row| row.document.as_deref()).collect();
    let stamp = (batch.side == Side::Before).then_some(batch.stamp.0);
    let written = session.change(&sql, &[&keys, &documents, &stamp]).await?;
    if written != found.len() as u64 {
        let message = format!(
            "expected to move {} rows of {name}, found that {written} were: a trigger or rule of the table keeps others from it; let it pass them, or disable it for the run",
            found.len()
        );
        return Err(Error::new(ErrorKind::Unfit, message).in_collection(&batch.table.collection).into());
    }
    Ok(())
}

async fn remember(session: &Session, batch: &Batch<'_, String>, found: &[Found], carried: &[Carried]) -> Result<()> {
    let collection = &batch.table.collection;
    let (mut keys, mut residues, mut forgotten) = (Vec::new(), Vec::new(), Vec::new());
    for (before, after) in found.iter().zip(carried) {
        match (&before.residues, &after.residues) {
            (_, Some(now)) => {
                keys.push(&*before.key);
                residues.push(&**now);
            }
            (Some(_), None) => forgotten.push(&*before.key),
            (None, None) => {}
        }
    }
    if !keys.is_empty() {
        let sql = "INSERT INTO exuvia.residue AS old SELECT $1, moved.key, moved.residues::jsonb
            FROM unnest($2::text[], $3::text[]) AS moved (key, residues)
            ON CONFLICT (collection, key) DO UPDATE SET residues = excluded.residues
            WHERE old.residues <> excluded.residues";
        session.change(sql, &[collection, &keys, &residues]).await?;
    }
    if !forgotten.is_empty() {
        let sql = "DELETE FROM exuvia.residue WHERE collection = $1 AND key = ANY ($2::text[])";
        session.change(sql, &[collection, &forgotten]).await?;
    }
    Ok(())
}
