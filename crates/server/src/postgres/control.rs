//! Exuvia's own tables, in a schema of their own: the head, the chains, the log, the residues and the lease.

use exuvia_core::{Error, ErrorKind};

use super::error::Result;
use super::session::Session;
use crate::database::{Entry, Event};

const TABLES: &str = "
    CREATE SCHEMA IF NOT EXISTS exuvia;
    CREATE TABLE IF NOT EXISTS exuvia.head (one boolean PRIMARY KEY DEFAULT true CHECK (one), head text NOT NULL);
    CREATE TABLE IF NOT EXISTS exuvia.chain (name text PRIMARY KEY, chain text NOT NULL);
    CREATE TABLE IF NOT EXISTS exuvia.residue (
        collection text NOT NULL, key text COLLATE \"C\" NOT NULL, residues jsonb NOT NULL, PRIMARY KEY (collection, key)
    );
    CREATE TABLE IF NOT EXISTS exuvia.log (
        entry bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at bigint NOT NULL, run text NOT NULL, event text NOT NULL,
        cause text NOT NULL, \"from\" bigint NOT NULL, \"to\" bigint NOT NULL, migration text NOT NULL,
        fingerprint text NOT NULL, who text NOT NULL, records text NOT NULL, note text NOT NULL
    );
    CREATE TABLE IF NOT EXISTS exuvia.script (name text PRIMARY KEY, digest text NOT NULL, is_done boolean NOT NULL);
    CREATE OR REPLACE FUNCTION exuvia.log_stays() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'exuvia.log is append-only'; END $$;
    CREATE OR REPLACE TRIGGER log_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON exuvia.log
        EXECUTE FUNCTION exuvia.log_stays();
";

/// It is in no backup: who runs now has nothing to do with who ran then.
const LEASE: &str = "
    CREATE TABLE IF NOT EXISTS exuvia.lease (
        one boolean PRIMARY KEY DEFAULT true CHECK (one), holder text NOT NULL, host text NOT NULL, pid integer NOT NULL,
        since timestamptz NOT NULL
    );
";

/// Makes what is missing. Only whoever holds the lock does, so nobody else does at the same time.
pub(super) async fn create(session: &Session) -> Result<()> {
    // The trigger is the last that is made, and all of it or nothing.
    let is_made =
        "SELECT EXISTS (SELECT FROM pg_trigger WHERE tgname = 'log_stays' AND tgrelid = to_regclass('exuvia.log'))";
    let is_made = session.one(is_made, &[]).await? && has(session, "exuvia.lease").await?;
    match is_made {
        true => Ok(()),
        // Texts of several statements are one transaction.
        false => session.batch(&format!("{TABLES} {LEASE}")).await,
    }
}

/// Takes the lease over, from whoever had it.
pub(super) async fn lease(session: &Session, token: &str) -> Result<()> {
    let sql = "INSERT INTO exuvia.lease (holder, host, pid, since) VALUES ($1, $2, $3::integer, now())
        ON CONFLICT (one) DO UPDATE SET (holder, host, pid, since) = (excluded.holder, excluded.host, excluded.pid, excluded.since)";
    let host = gethostname::gethostname().to_string_lossy().into_owned();
    session.change(sql, &[&token, &host, &(std::process::id() as i32)]).await.map(drop)
}

pub(super) async fn has(session: &Session, table: &str) -> Result<bool> {
    session.one("SELECT to_regclass($1) IS NOT NULL", &[table]).await
}

async fn texts(session: &Session, table: &str, sql: &str) -> Result<Vec<String>> {
    if !has(session, table).await? {
        return Ok(Vec::new());
    }
    session.ask(sql, &[]).await?.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

pub(super) async fn head(session: &Session) -> exuvia_core::Result<Option<String>> {
    Ok(texts(session, "exuvia.head", "SELECT head FROM exuvia.head").await?.pop())
}

pub(super) async fn write_head(session: &Session, head: &str, entries: &[Entry]) -> Result<()> {
    let sql = "INSERT INTO exuvia.head (head) VALUES ($1) ON CONFLICT (one) DO UPDATE SET head = excluded.head";
    session.change(sql, &[&head]).await?;
    for entry in entries {
        append(session, entry).await?;
    }
    Ok(())
}

pub(super) async fn append(session: &Session, entry: &Entry) -> Result<()> {
    let sql =
        "INSERT INTO exuvia.log (at, run, event, cause, \"from\", \"to\", migration, fingerprint, who, records, note)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    let Entry { at, run, event, cause, from, to, migration, fingerprint, who, records, note } = entry;
    let (event, from, to) = (event.name(), i64::from(*from), i64::from(*to));
    session
        .change(sql, &[at, run, &event, cause, &from, &to, migration, fingerprint, who, records, note])
        .await
        .map(drop)
}

pub(super) async fn log(session: &Session) -> exuvia_core::Result<Vec<Entry>> {
    Ok(entries(session).await?)
}

async fn entries(session: &Session) -> Result<Vec<Entry>> {
    if !has(session, "exuvia.log").await? {
        return Ok(Vec::new());
    }
    let sql = "SELECT at, run, event, cause, \"from\", \"to\", migration, fingerprint, who, records, note
        FROM exuvia.log ORDER BY entry";
    session.ask(sql, &[]).await?.iter().map(entry).collect()
}

fn entry(row: &tokio_postgres::Row) -> Result<Entry> {
    let event = Event::named(row.try_get(2)?).ok_or_else(|| {
        let message = "expected events that this Exuvia knows in the log, found another; update Exuvia";
        Error::new(ErrorKind::Newer, message)
    })?;
    Ok(Entry {
        at: row.try_get(0)?,
        run: row.try_get(1)?,
        event,
        cause: row.try_get(3)?,
        from: row.try_get::<_, i64>(4)? as u32,
        to: row.try_get::<_, i64>(5)? as u32,
        migration: row.try_get(6)?,
        fingerprint: row.try_get(7)?,
        who: row.try_get(8)?,
        records: row.try_get(9)?,
        note: row.try_get(10)?,
    })
}

pub(super) async fn chains(session: &Session) -> exuvia_core::Result<Vec<String>> {
    Ok(texts(session, "exuvia.chain", "SELECT chain FROM exuvia.chain ORDER BY name").await?)
}

pub(super) async fn keep_chain(session: &Session, name: &str, text: &str) -> Result<()> {
    let sql = "INSERT INTO exuvia.chain VALUES ($1, $2) ON CONFLICT DO NOTHING";
    session.change(sql, &[&name, &text]).await.map(drop)
}

pub(super) async fn keep_only(session: &Session, name: &str) -> Result<()> {
    session.change("DELETE FROM exuvia.chain WHERE name <> $1", &[&name]).await.map(drop)
}
