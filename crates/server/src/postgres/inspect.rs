//! What can be known of a database before a run.

use std::path::Path;

use exuvia_core::Error;

use super::bound::{Bound, written};
use super::error::Result;
use super::programs::Programs;
use super::session::Session;
use crate::database::{Finding, Level, STAMP, Table};

pub(super) async fn findings(
    session: &Session,
    tables: &[&Table],
    backups: &Path,
) -> exuvia_core::Result<Vec<Finding>> {
    Ok(all(session, tables, backups).await?)
}

async fn all(session: &Session, tables: &[&Table], backups: &Path) -> Result<Vec<Finding>> {
    let mut findings = server(session).await?;
    let mut known = Vec::new();
    for table in tables {
        match Bound::find(session, table).await {
            Ok(bound) => known.push((*table, bound)),
            Err(trouble) => {
                let message = Error::from(trouble).message().to_owned();
                let is_there = session.one("SELECT to_regclass($1) IS NOT NULL", &[&written(&table.name)]).await?;
                let rule = if is_there { "no-column" } else { "no-table" };
                findings.push(Finding::new(rule, Level::Refusal, message));
            }
        }
    }
    for (table, bound) in &known {
        findings.extend(of_table(session, table, bound).await?);
    }
    findings.extend(new_columns(session, &known).await?);
    for (rule, level, sql) in GENERAL {
        findings.extend(found(session, rule, *level, sql, &[]).await?);
    }
    findings.extend(room(session, backups).await?);
    Ok(findings)
}

/// A finding for each row of text.
async fn found(
    session: &Session,
    rule: &'static str,
    level: Level,
    sql: &str,
    values: &[&str],
) -> Result<Vec<Finding>> {
    let rows = session.ask(sql, values).await?;
    Ok(rows.iter().map(|row| Finding::new(rule, level, row.get::<_, String>(0))).collect())
}

async fn server(session: &Session) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let major = session.major().await?;
    if !(15..=18).contains(&major) {
        let message = format!("expected a server of version 15 to 18, found {major}");
        findings.push(Finding::new("server-version", Level::Error, message));
    }
    if let Err(error) = Programs::find(major) {
        findings.push(Finding::new("no-pg-dump", Level::Error, error.message()));
    }
    Ok(findings)
}

/// What is asked of the whole server: each row is a finding.
const GENERAL: &[(&str, Level, &str)] = &[
    (
        "in-recovery",
        Level::Error,
        "SELECT 'expected a server that can be written, found one in recovery, as standbys are; connect to the primary' WHERE pg_is_in_recovery()",
    ),
    (
        "no-createdb",
        Level::Error,
        "SELECT format('expected %I to have CREATEDB, for the scratch database that a run is rehearsed on, found that it has not; ALTER ROLE %I CREATEDB', rolname, rolname)
         FROM pg_roles WHERE rolname = current_user AND NOT rolcreatedb AND NOT rolsuper",
    ),
    (
        "no-create",
        Level::Error,
        "SELECT format('expected %I to have CREATE on the database %I, for the schema exuvia, found that it has not; GRANT CREATE ON DATABASE %I TO %I', current_user, current_database(), current_database(), current_user)
         WHERE to_regnamespace('exuvia') IS NULL AND NOT has_database_privilege(current_database(), 'CREATE')",
    ),
    (
        "encoding",
        Level::Error,
        "SELECT format('expected a database in UTF8, found %s', current_setting('server_encoding')) WHERE current_setting('server_encoding') <> 'UTF8'",
    ),
    (
        "long-transaction",
        Level::Warning,
        "SELECT format('process %s of the server (%s as %s) is in a transaction since %s s: locks wait for it, and what is updated is not cleaned up', pid, coalesce(nullif(application_name, ''), 'a session'), usename, extract(epoch FROM now() - xact_start)::bigint)
         FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND xact_start < now() - interval '1 minute'",
    ),
    (
        "prepared-transaction",
        Level::Warning,
        "SELECT format('a prepared transaction is left since %s: it holds its locks until it is committed or rolled back (pg_prepared_xacts)', prepared::timestamp(0))
         FROM pg_prepared_xacts WHERE database = current_database()",
    ),
    (
        "replication-slot",
        Level::Warning,
        "SELECT format('the replication slot %I is %s and holds %s of WAL: the server keeps what a run writes until it is read', slot_name, CASE WHEN active THEN 'behind' ELSE 'not in use' END, pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)))
         FROM pg_replication_slots WHERE NOT pg_is_in_recovery() AND restart_lsn IS NOT NULL AND (NOT active OR pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) > 1 << 30)",
    ),
];

/// What is asked of a table, which is $1; $2 is its key, $3 the column with its documents.
const OF_TABLE: &[(&str, Level, &str)] = &[
    (
        "not-a-table",
        Level::Error,
        "SELECT format('expected %s to be a table, found something else', oid::regclass) FROM pg_class WHERE oid = to_regclass($1) AND relkind NOT IN ('r', 'p') AND $2 || $3 <> ''",
    ),
    (
        "key-not-unique",
        Level::Refusal,
        "SELECT format('expected the keys in %s.%I unique, found no valid unique index of it alone; add one', $1, $2)
         WHERE $3 <> '' AND NOT EXISTS (
             SELECT FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attname = $2
             WHERE i.indrelid = to_regclass($1) AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum)",
    ),
    (
        "key-nullable",
        Level::Error,
        "SELECT format('expected a key in each row of %s, found that %I may be null; ALTER TABLE %s ALTER COLUMN %I SET NOT NULL', $1, $2, $1, $2)
         FROM pg_attribute WHERE attrelid = to_regclass($1) AND attname = $2 AND NOT attnotnull AND $3 <> ''",
    ),
    (
        "document-type",
        Level::Error,
        "SELECT format('expected documents of the type jsonb, json or text in %s.%I, found %s', $1, $3, format_type(atttypid, atttypmod))
         FROM pg_attribute WHERE attrelid = to_regclass($1) AND attname = $3 AND $2 <> ''
           AND atttypid NOT IN ('jsonb'::regtype, 'json'::regtype, 'text'::regtype, 'varchar'::regtype)",
    ),
    (
        "not-the-owner",
        Level::Error,
        "SELECT format('expected %I to own %s, for its column and triggers, found the owner %I; run it as that one, or make %I a member of it', current_user, $1, pg_get_userbyid(relowner), current_user)
         FROM pg_class WHERE oid = to_regclass($1) AND NOT pg_has_role(relowner, 'USAGE') AND $2 || $3 <> ''",
    ),
    (
        "row-security",
        Level::Error,
        "SELECT format('expected to see all rows of %s, found that its row-level security may hide some from %I; ALTER ROLE %I BYPASSRLS, or NO FORCE ROW LEVEL SECURITY', $1, current_user, current_user)
         WHERE row_security_active(to_regclass($1)) AND $2 || $3 <> ''",
    ),
    (
        "unvalidated",
        Level::Warning,
        "SELECT format('the constraint %I of %s is NOT VALID: rows may break it, and then cannot be moved; VALIDATE CONSTRAINT shows it', conname, conrelid::regclass)
         FROM pg_constraint WHERE to_regclass($1) IN (conrelid, confrelid) AND NOT convalidated AND $2 || $3 <> ''",
    ),
    (
        "invalid-index",
        Level::Warning,
        "SELECT format('the index %s of %s is invalid, as one is whose building was interrupted; REINDEX or drop it', indexrelid::regclass, $1)
         FROM pg_index WHERE indrelid = to_regclass($1) AND NOT indisvalid AND $2 || $3 <> ''",
    ),
    (
        "triggers",
        Level::Warning,
        "SELECT format('triggers of %s fire for each row that is moved: %s', $1, string_agg(quote_ident(tgname), ', ' ORDER BY tgname))
         FROM pg_trigger WHERE tgrelid = to_regclass($1) AND NOT tgisinternal AND tgenabled <> 'D' AND tgname NOT IN ('~exuvia_changed', 'exuvia_renamed', 'exuvia_removed', 'exuvia_emptied', 'exuvia_cleared')
           AND tgtype & 16 <> 0 AND $2 || $3 <> '' HAVING count(*) > 0",
    ),
    (
        "looks-into-documents",
        Level::Warning,
        "SELECT DISTINCT format('%s looks into %s.%I, and finds what the migration makes of it there', pg_describe_object(
                    CASE WHEN d.classid = 'pg_rewrite'::regclass THEN 'pg_class'::regclass ELSE d.classid END,
                    coalesce(r.ev_class, d.objid), 0), $1, $3)
         FROM pg_depend AS d
         JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
         LEFT JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
         WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = to_regclass($1) AND a.attname = $3 AND $2 <> ''
           AND (r.oid IS NOT NULL OR d.classid IN ('pg_class'::regclass, 'pg_constraint'::regclass, 'pg_attrdef'::regclass))
           AND NOT (d.classid = 'pg_class'::regclass AND d.objid = d.refobjid)",
    ),
];

async fn of_table(session: &Session, table: &Table, bound: &Bound) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for (rule, level, sql) in OF_TABLE {
        findings.extend(found(session, rule, *level, sql, &[&bound.name, &table.key, &table.document]).await?);
    }
    findings.extend(damaged(session, bound).await?);
    Ok(findings)
}

/// What amcheck finds in the table's indexes, where it is installed and may be asked.
async fn damaged(session: &Session, bound: &Bound) -> Result<Vec<Finding>> {
    let sql = "SELECT format('SELECT %I.bt_index_check(%L::regclass)', n.nspname, i.indexrelid::regclass::text), i.indexrelid::regclass::text
        FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace, pg_index AS i
        JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_am AS m ON m.oid = c.relam
        WHERE e.extname = 'amcheck' AND i.indrelid = to_regclass($1) AND i.indisvalid AND m.amname = 'btree' AND c.relkind = 'i'
          AND has_function_privilege(format('%I.bt_index_check(regclass)', n.nspname), 'EXECUTE')";
    let mut findings = Vec::new();
    for row in &session.ask(sql, &[&bound.name]).await? {
        let (check, index): (&str, &str) = (row.get(0), row.get(1));
        if session.batch(check).await.is_err() {
            let message = format!(
                "expected the index {index} whole, found that amcheck's bt_index_check complains of it; REINDEX it"
            );
            findings.push(Finding::new("damaged", Level::Error, message));
        }
    }
    Ok(findings)
}

async fn new_columns(session: &Session, tables: &[(&Table, Bound)]) -> Result<Option<Finding>> {
    let mut without = Vec::new();
    for (table, bound) in tables {
        if !bound.has_stamp(session).await? {
            without.push(&*table.name);
        }
    }
    let message = format!(
        "a column {STAMP} is added to {}: `SELECT *` shows it, and a COPY into it that does not name its columns fails afterwards",
        without.join(", ")
    );
    Ok((!without.is_empty()).then(|| Finding::new("new-column", Level::Warning, message)))
}

/// A backup; the scratch database is on the server's own disk, which it does not tell of.
async fn room(session: &Session, backups: &Path) -> Result<Option<Finding>> {
    let needed = session.one::<i64>("SELECT pg_database_size(current_database())", &[]).await? as u64;
    let known = backups.ancestors().find(|folder| folder.exists());
    let Some(free) = known.and_then(|folder| fs4::available_space(folder).ok()) else { return Ok(None) };
    let mib = |bytes: u64| bytes.div_ceil(1 << 20);
    let message =
        format!("expected room for a backup in {}, {} MiB, found {} MiB", backups.display(), mib(needed), mib(free));
    Ok((free < needed).then(|| Finding::new("no-room", Level::Error, message)))
}

/// Who holds what a restore of ours waits for.
pub(super) async fn blockers(session: &Session) -> Result<Option<String>> {
    let sql = "SELECT string_agg(DISTINCT format('process %s (%s as %s)', b.pid, coalesce(nullif(b.application_name, ''), 'a session'), b.usename), ' and ')
        FROM pg_stat_activity AS a, unnest(pg_blocking_pids(a.pid)) AS blocking (pid) JOIN pg_stat_activity AS b USING (pid)
        WHERE a.application_name = 'exuvia' AND a.datname = current_database() AND a.wait_event_type = 'Lock'";
    Ok(session.ask(sql, &[]).await?.first().and_then(|row| row.get(0)))
}
