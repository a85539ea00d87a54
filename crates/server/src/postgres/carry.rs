//! One batch, in one transaction: rows are locked, and moved by a function of the server's own where the steps can be
//! compiled. What that function leaves, and all rows where they cannot, are read, interpreted and written back.

use std::time::Instant;

use exuvia_core::{Error, ErrorKind};

use super::bound::Bound;
use super::compile::{LIBRARY, Program, compile};
use super::error::Result;
use super::session::Session;
use super::tables::on_side;
use crate::database::{Batch, Carried, Done, Finding, Level, Passage, Row, STAMP, Side, Table};

/// Documents of one batch, in bytes as they are stored: enough for any number of small ones, and little beside the
/// process itself.
const BYTES: i64 = 8 << 20;

/// A row that is to be moved.
struct Found {
    key: String,
    document: String,
    residues: Option<String>,
}

/// The function for a table's rows, or why the server can have none.
pub(super) async fn program(
    session: &Session,
    table: &Table,
    passage: &Passage<'_>,
) -> exuvia_core::Result<Result<Program, String>> {
    let document_type = session.bound(table).await?.document_type;
    if document_type != "jsonb" {
        return Ok(Err(format!("documents of the type {document_type}, not jsonb")));
    }
    let Some(legs) = passage.route.legs(passage.collection) else {
        return Ok(Err("migrations of whole records".to_owned()));
    };
    let schema = passage.route.after().get(passage.collection).map(|found| &found.schema);
    Ok(compile(&legs, schema.filter(|_| passage.is_checked)).map_err(|unsupported| unsupported.to_string()))
}

/// How the rows of a table go a way, and why.
pub(super) async fn manner(session: &Session, table: &Table, passage: &Passage<'_>) -> exuvia_core::Result<Finding> {
    let collection = passage.collection;
    Ok(match program(session, table, passage).await? {
        Ok(_) => {
            let message = format!("the rows of {collection} are moved inside the server, a statement for each batch");
            Finding::new("set-based", Level::Note, message)
        }
        Err(reason) => {
            let message = format!("the rows of {collection} are moved one by one, by the interpreter: {reason}");
            Finding::new("row-by-row", Level::Note, message)
        }
    })
}

/// Makes a function, and what it calls.
pub(super) async fn prepare(session: &Session, program: &Program) -> Result<()> {
    session.batch(LIBRARY).await?;
    for statement in &program.statements {
        session.batch(statement).await?;
    }
    Ok(())
}

pub(super) async fn carry(
    session: &Session,
    batch: &Batch<'_, String>,
    passage: &Passage<'_>,
    program: Option<&Program>,
) -> Result<Option<Done<String>>> {
    let begun = Instant::now();
    if !session.is_shut() {
        // What a server forgets that dies is a whole batch with its stamps, which is moved again. The head does wait for
        // the disk, and so for all that was committed before it.
        session.batch("SET LOCAL synchronous_commit = off").await?;
    }
    let bound = session.bound(batch.table).await?;
    let Some(program) = program else {
        let found = select(session, &bound, batch).await?;
        let Some(last) = found.last().map(|row| row.key.clone()) else { return Ok(None) };
        let bytes = interpret(session, &bound, batch, passage, &found).await?;
        return Ok(Some(Done { last, rows: found.len() as u64, bytes, held: begun.elapsed() }));
    };
    let Some(moved) = run(session, &bound, batch, passage, program).await? else { return Ok(None) };
    if !moved.left.is_empty() {
        let left = reselect(session, &bound, batch, &moved.left).await?;
        interpret(session, &bound, batch, passage, &left).await?;
    }
    Ok(Some(Done { last: moved.last, rows: moved.rows, bytes: moved.bytes, held: begun.elapsed() }))
}

/// The batch's rows, locked. Those that another writer holds are left for the next time through, unless there is none:
/// writers are shut out then.
fn locked(session: &Session, bound: &Bound, batch: &Batch<'_, String>) -> String {
    let Bound { name, key, document, key_type, .. } = bound;
    format!(
        "WITH found AS MATERIALIZED (
             SELECT {key} AS key, {document} AS document FROM {name}
             WHERE {document} IS NOT NULL AND {} {} ORDER BY {key} LIMIT $3 FOR NO KEY UPDATE {}
         ), sized AS (
             SELECT key, document, pg_column_size(document) AS size, sum(pg_column_size(document)) OVER (ORDER BY key) AS sum FROM found
         ), batch AS (
             SELECT sized.key, sized.document, sized.size, r.residues
             FROM sized LEFT JOIN exuvia.residue AS r ON r.collection = $1 AND r.key = sized.key::text
             WHERE sized.sum - sized.size < {BYTES}
         )",
        on_side(batch.stamp, batch.side),
        match batch.after {
            Some(_) => format!("AND {key} > $2::text::{key_type}"),
            None => "AND $2::text IS NULL".to_owned(),
        },
        if session.is_shut() { "" } else { "SKIP LOCKED" },
    )
}

/// What the server's own function did.
struct Moved {
    last: String,
    rows: u64,
    bytes: u64,
    /// The keys of those that it left.
    left: Vec<String>,
}

/// One statement: documents, stamps and residues.
async fn run(
    session: &Session,
    bound: &Bound,
    batch: &Batch<'_, String>,
    passage: &Passage<'_>,
    program: &Program,
) -> Result<Option<Moved>> {
    let Bound { name, key, document, .. } = bound;
    let sql = format!(
        "{}, moved AS MATERIALIZED (
             SELECT key, size, before, (made).doc, (made).residue, (made).done FROM (
                 SELECT key, size, residues AS before, {}(document, residues, key::text, $4) AS made FROM batch
                 OFFSET 0 -- or it would be called for each of its results
             ) AS called
         ), written AS (
             UPDATE {name} AS exuvia_row SET {document} = moved.doc, {STAMP} = $5
             FROM moved WHERE moved.done AND exuvia_row.{key} = moved.key AND exuvia_row.{} RETURNING 1
         ), kept AS (
             INSERT INTO exuvia.residue SELECT $1, key::text, residue FROM moved
             WHERE done AND residue IS NOT NULL AND residue IS DISTINCT FROM before
             ON CONFLICT (collection, key) DO UPDATE SET residues = excluded.residues
         ), forgotten AS (
             DELETE FROM exuvia.residue AS r USING moved
             WHERE moved.done AND moved.residue IS NULL AND moved.before IS NOT NULL AND r.collection = $1 AND r.key = moved.key::text
         )
         SELECT (SELECT key::text FROM moved AS m ORDER BY m.key DESC LIMIT 1), count(*), coalesce(sum(size), 0)::bigint,
                count(*) FILTER (WHERE done), (SELECT count(*) FROM written),
                coalesce(array_agg(key::text) FILTER (WHERE NOT done), '{{}}')
         FROM moved",
        locked(session, bound, batch),
        program.name,
        on_side(batch.stamp, batch.side),
    );
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
        [&batch.table.collection, &batch.after, &i64::from(batch.rows), &passage.now, &stamp(batch)];
    let rows = session.rows(&sql, &values).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let Some(last) = row.try_get(0)? else { return Ok(None) };
    let count = |index| row.try_get::<_, i64>(index).map(|count| count as u64);
    expect_all(bound, batch, count(3)?, count(4)?)?;
    Ok(Some(Moved { last, rows: count(1)?, bytes: count(2)?, left: row.try_get(5)? }))
}

async fn select(session: &Session, bound: &Bound, batch: &Batch<'_, String>) -> Result<Vec<Found>> {
    let sql = format!(
        "{} SELECT key::text, document::text, residues::text FROM batch ORDER BY batch.key",
        locked(session, bound, batch)
    );
    let rows = session.rows(&sql, &[&batch.table.collection, &batch.after, &i64::from(batch.rows)]).await?;
    rows.iter().map(read).collect()
}

/// Rows of the batch by their keys. They are locked already.
async fn reselect(session: &Session, bound: &Bound, batch: &Batch<'_, String>, keys: &[String]) -> Result<Vec<Found>> {
    let Bound { name, key, document, key_type, .. } = bound;
    let sql = format!(
        "SELECT exuvia_row.{key}::text, exuvia_row.{document}::text, r.residues::text
         FROM unnest($2::text[]) AS left_over (key) JOIN {name} AS exuvia_row ON exuvia_row.{key} = left_over.key::{key_type}
         LEFT JOIN exuvia.residue AS r ON r.collection = $1 AND r.key = left_over.key"
    );
    let rows = session.rows(&sql, &[&batch.table.collection, &keys]).await?;
    rows.iter().map(read).collect()
}

fn read(row: &tokio_postgres::Row) -> Result<Found> {
    Ok(Found { key: row.try_get(0)?, document: row.try_get(1)?, residues: row.try_get(2)? })
}

/// The stamp that rows get.
fn stamp(batch: &Batch<'_, String>) -> Option<i64> {
    (batch.side == Side::Before).then_some(batch.stamp.0)
}

/// Moves rows by interpreting the steps, and answers with the bytes of their documents.
async fn interpret(
    session: &Session,
    bound: &Bound,
    batch: &Batch<'_, String>,
    passage: &Passage<'_>,
    found: &[Found],
) -> Result<u64> {
    let mut bytes = 0;
    let mut carried = Vec::with_capacity(found.len());
    for row in found {
        bytes += row.document.len() as u64;
        let before = Row { key: &row.key, document: &row.document, residues: row.residues.as_deref() };
        carried.push(passage.carry(before)?);
    }
    write(session, bound, batch, found, &carried).await?;
    remember(session, batch, found, &carried).await?;
    Ok(bytes)
}

fn expect_all(bound: &Bound, batch: &Batch<'_, String>, found: u64, written: u64) -> Result<()> {
    if found == written {
        return Ok(());
    }
    let message = format!(
        "expected to move {found} rows of {}, found that {written} were: a trigger or rule of the table keeps others from it; let it pass them, or disable it for the run",
        bound.name
    );
    Err(Error::new(ErrorKind::Unfit, message).in_collection(&batch.table.collection).into())
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
    let written = session.change(&sql, &[&keys, &documents, &stamp(batch)]).await?;
    expect_all(bound, batch, found.len() as u64, written)
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
