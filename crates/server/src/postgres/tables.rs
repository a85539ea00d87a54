//! The tables that collections are bound to.

use std::time::Duration;

use exuvia_core::chain::Version;

use super::bound::Bound;
use super::error::{Result, Trouble};
use super::session::{PATIENCE, SPELLING, Session};
use crate::database::{Measure, STAMP, Side, Stamp, Table};

pub(super) async fn measure(session: &Session, table: &Table) -> exuvia_core::Result<Measure> {
    let Bound { name, document, .. } = session.bound(table).await?;
    let sql = format!("SELECT count({document}), coalesce(sum(pg_column_size({document})), 0)::bigint FROM {name}");
    let rows = session.ask(&sql, &[]).await?;
    let number = |index| rows.first().map_or(0, |row| row.get::<_, i64>(index) as u64);
    Ok(Measure { rows: number(0), bytes: number(1) })
}

/// Our own trigger is the last before a row is written, whatever others do to it: they fire in the order of their names.
const CHANGED: &str = "\"~exuvia_changed\"";

/// The stamp's column, and triggers: a document that another writer changes is not where the run left it, unless that
/// writer declares the version; what a record's migrations remember goes where its key goes; and with the record.
pub(super) async fn install(session: &Session, table: &Table, stamp: Stamp, target: Version) -> Result<()> {
    let bound = session.bound(table).await?;
    let Bound { name, document, .. } = &bound;
    if !bound.has_stamp(session).await? {
        session.batch(&format!("ALTER TABLE {name} ADD COLUMN {STAMP} bigint")).await?;
    }
    widen(session, table, &bound).await?;
    let stamped = function(table, "stamped");
    // JSON as text has no equality of its own.
    let compared = if bound.document_type == "jsonb" { "" } else { "::text" };
    session
        .batch(&format!(
            "CREATE OR REPLACE FUNCTION {stamped}() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $exuvia$
             BEGIN
               IF TG_OP = 'INSERT' OR NEW.{document}{compared} IS DISTINCT FROM OLD.{document}{compared} THEN
                 NEW.{STAMP} := CASE WHEN current_setting('exuvia.version', true) = '{target}' THEN '{}'::bigint END;
               ELSE
                 NEW.{STAMP} := OLD.{STAMP};
               END IF;
               RETURN NEW;
             END $exuvia$",
            stamp.0
        ))
        .await?;
    if !has_trigger(session, &bound, "~exuvia_changed").await? {
        session
            .batch(&format!(
                "CREATE TRIGGER {CHANGED} BEFORE INSERT OR UPDATE ON {name} FOR EACH ROW
                 WHEN (current_setting('exuvia.run', true) IS DISTINCT FROM 'on') EXECUTE FUNCTION {stamped}();
                 ALTER TABLE {name} ENABLE ALWAYS TRIGGER {CHANGED}"
            ))
            .await?;
    }
    follow(session, table, &bound).await
}

/// Keeps residues with their records, during runs and between them.
async fn follow(session: &Session, table: &Table, bound: &Bound) -> Result<()> {
    if has_trigger(session, bound, "exuvia_cleared").await? {
        return Ok(());
    }
    let Bound { name, key, document, .. } = bound;
    let collection = literal(&table.collection);
    let [renamed, removed, emptied] = ["renamed", "removed", "emptied"].map(|event| function(table, event));
    // Whoever writes a row need not know of residues, nor spell keys as runs do.
    let spelling: String = SPELLING.iter().map(|(name, value)| format!(" SET {name} = '{value}'")).collect();
    let made = |name: &str, body: String| {
        format!(
            "CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
             SET search_path = pg_catalog, pg_temp{spelling} AS $exuvia$ BEGIN {body}; RETURN NULL; END $exuvia$;"
        )
    };
    let functions = [
        made(
            &renamed,
            format!(
                "DELETE FROM exuvia.residue WHERE collection = {collection} AND key = NEW.{key}::text;
                 UPDATE exuvia.residue SET key = NEW.{key}::text WHERE collection = {collection} AND key = OLD.{key}::text"
            ),
        ),
        made(&removed, format!("DELETE FROM exuvia.residue WHERE collection = {collection} AND key = OLD.{key}::text")),
        made(&emptied, format!("DELETE FROM exuvia.residue WHERE collection = {collection}")),
    ];
    session.batch(&functions.concat()).await?;
    session
        .batch(&format!(
            "CREATE OR REPLACE TRIGGER exuvia_renamed AFTER UPDATE OF {key} ON {name} FOR EACH ROW
             WHEN (NEW.{key} IS DISTINCT FROM OLD.{key}) EXECUTE FUNCTION {renamed}();
             CREATE OR REPLACE TRIGGER exuvia_removed AFTER DELETE ON {name} FOR EACH ROW EXECUTE FUNCTION {removed}();
             CREATE OR REPLACE TRIGGER exuvia_emptied AFTER TRUNCATE ON {name} EXECUTE FUNCTION {emptied}();
             CREATE OR REPLACE TRIGGER exuvia_cleared AFTER UPDATE OF {document} ON {name} FOR EACH ROW
             WHEN (NEW.{document} IS NULL) EXECUTE FUNCTION {removed}();
             ALTER TABLE {name} ENABLE ALWAYS TRIGGER exuvia_renamed, ENABLE ALWAYS TRIGGER exuvia_removed,
             ENABLE ALWAYS TRIGGER exuvia_emptied, ENABLE ALWAYS TRIGGER exuvia_cleared"
        ))
        .await
}

/// How long an index waits for older transactions. Nobody waits for it meanwhile.
const BUILD: Duration = Duration::from_secs(10);

/// A table of so many bytes is gone through in a few milliseconds, sooner than an index of it is built.
const SMALL: i64 = 8 << 20;

/// An index of the rows that are left, built beside the writers: the last ones are then found at once while writers wait.
/// Where the server builds none (the table has partitions, a transaction does not end, the schema is another's) they are
/// found by going through the table.
pub(super) async fn narrow(session: &Session, table: &Table, stamp: Stamp, side: Side) -> Result<()> {
    if session.is_shut() {
        return Ok(());
    }
    let bound = session.bound(table).await?;
    let Bound { name, key, document, .. } = &bound;
    let bytes = "SELECT (pg_relation_size(to_regclass($1))
         + (SELECT coalesce(sum(pg_relation_size(relid)), 0) FROM pg_partition_tree(to_regclass($1))))::int8";
    if session.one::<i64>(bytes, &[name]).await? < SMALL {
        return Ok(());
    }
    let sql = format!(
        "CREATE INDEX CONCURRENTLY {} ON {name} ({key}) WHERE {document} IS NOT NULL AND {}",
        left_index(table),
        on_side(stamp, side)
    );
    // Without statistics of the new column the server would take the index for one of all rows.
    let analyze = format!("ANALYZE {name} ({STAMP})");
    session.wait_for_locks(BUILD).await?;
    let built = match session.batch(&sql).await {
        Ok(()) => session.batch(&analyze).await,
        Err(trouble) => Err(trouble),
    };
    session.wait_for_locks(PATIENCE).await?;
    match built {
        // What was begun stays until the run is swept: whoever removes it now waits for the same transactions, and writers
        // would wait behind.
        Err(Trouble::Server(error)) if error.as_db_error().is_some() => Ok(()),
        built => built,
    }
}

/// Removes the index of the rows that are left.
async fn widen(session: &Session, table: &Table, bound: &Bound) -> Result<()> {
    let sql = "SELECT format('DROP INDEX %s', i.indexrelid::regclass) FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
        WHERE i.indrelid = to_regclass($1) AND c.relname = $2";
    for row in session.ask(sql, &[&bound.name, &left_index(table)]).await? {
        session.batch(row.try_get(0)?).await?;
    }
    Ok(())
}

fn left_index(table: &Table) -> String {
    format!("exuvia_left_{}", digest(table))
}

/// While no run is on nobody needs to know who changed a document last. The residues stay true.
pub(super) async fn uninstall(session: &Session, table: &Table) -> Result<()> {
    let bound = session.bound(table).await?;
    let Bound { name, key, .. } = &bound;
    if has_trigger(session, &bound, "~exuvia_changed").await? {
        session
            .batch(&format!(
                "DROP TRIGGER {CHANGED} ON {name}; DROP FUNCTION IF EXISTS {}()",
                function(table, "stamped")
            ))
            .await?;
    }
    widen(session, table, &bound).await?;
    let sql = format!(
        "DELETE FROM exuvia.residue AS r WHERE collection = $1
         AND NOT EXISTS (SELECT FROM {name} AS exuvia_row WHERE exuvia_row.{key}::text = r.key)"
    );
    session.change(&sql, &[&table.collection]).await.map(drop)
}

async fn has_trigger(session: &Session, bound: &Bound, trigger: &str) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = to_regclass($1) AND tgname = $2)";
    session.one(sql, &[&bound.name, trigger]).await
}

/// A trigger's function, by the collection: a name of any length and letters.
fn function(table: &Table, event: &str) -> String {
    format!("exuvia.{event}_{}", digest(table))
}

fn digest(table: &Table) -> String {
    blake3::hash(table.collection.as_bytes()).to_hex()[..16].to_owned()
}

pub(super) fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// The condition for rows on one side of a run.
pub(super) fn on_side(stamp: Stamp, side: Side) -> String {
    match side {
        Side::Before => format!("{STAMP} IS DISTINCT FROM '{}'::bigint", stamp.0),
        Side::After => format!("{STAMP} = '{}'::bigint", stamp.0),
    }
}

pub(super) async fn remaining(session: &Session, table: &Table, stamp: Stamp, side: Side) -> exuvia_core::Result<u64> {
    let Bound { name, document, .. } = session.bound(table).await?;
    let on_side = on_side(stamp, side);
    let sql = format!("SELECT count(*) FROM {name} WHERE {document} IS NOT NULL AND {on_side}");
    Ok(session.one::<i64>(&sql, &[]).await? as u64)
}

/// The statement that keeps writers out of tables, and lets readers in.
pub(super) async fn exclusive(session: &Session, tables: &[&Table]) -> exuvia_core::Result<String> {
    let mut names = Vec::new();
    for table in tables {
        names.push(session.bound(table).await?.name);
    }
    Ok(match names.is_empty() {
        true => String::new(),
        false => format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", names.join(", ")),
    })
}

/// Sums two digests of each row: the server's own of a `jsonb`, to which 1 and 1.0 are one, and one of its text without
/// what such numbers differ in, to which the order of array items matters however far apart they are.
pub(super) async fn meaning(session: &Session, table: &Table) -> exuvia_core::Result<String> {
    let bound = session.bound(table).await?;
    let Bound { name, key, document, .. } = &bound;
    let (json, key) = (bound.as_jsonb(), format!("{key}::text COLLATE \"C\""));
    let sql = format!(
        "SELECT coalesce(sum(hashtextextended({key}, jsonb_hash_extended({json}, 1))::numeric), 0)::text || ' '
             || coalesce(sum(hashtextextended(translate({json}::text, '.0', '') COLLATE \"C\", hashtextextended({key}, 2))::numeric), 0)::text
         FROM {name} WHERE {document} IS NOT NULL"
    );
    Ok(session.one(&sql, &[]).await?)
}
