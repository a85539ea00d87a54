//! Backups: the server's own `pg_dump`, of the moment that the facts are of.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use exuvia_core::{Error, ErrorKind, Result};

use super::error;
use super::inspect::blockers;
use super::lock;
use super::place::Place;
use super::programs::Programs;
use super::session::Session;
use crate::database::TableFacts;

/// How long a restore waits for those who hold its tables.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

/// Writes everything as of one moment, which the server keeps for `pg_dump` too. Others go on meanwhile.
pub(super) async fn backup(
    place: &Place,
    session: &Session,
    file: &Path,
    progress: &dyn Fn(u64, u64),
) -> Result<Vec<TableFacts>> {
    let programs = Programs::find(session.major().await?)?;
    session.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let written = dump(&programs, place, session, file, progress).await;
    session.batch("COMMIT").await?;
    written
}

async fn dump(
    programs: &Programs,
    place: &Place,
    session: &Session,
    file: &Path,
    progress: &dyn Fn(u64, u64),
) -> Result<Vec<TableFacts>> {
    let snapshot: String = session.one("SELECT pg_export_snapshot()", &[]).await?;
    let size = session.one::<i64>("SELECT pg_database_size(current_database())", &[]).await? as u64;
    let arguments = [
        "--format=custom".to_owned(),
        "--compress=1".to_owned(),
        "--no-password".to_owned(),
        "--lock-wait-timeout=20s".to_owned(),
        "--exclude-table=exuvia.lease".to_owned(),
        format!("--snapshot={snapshot}"),
        format!("--file={}", file.display()),
    ];
    let program = programs.start("pg_dump", place, arguments, None)?;
    let written = program.end(async || {
        let done = fs::metadata(file).map_or(0, |found| found.len());
        progress(done.min(size), size);
        Ok(())
    });
    let (written, facts) = tokio::join!(written, facts(session));
    written?;
    facts
}

/// The rows and a digest of every table that is backed up.
pub(super) async fn facts(session: &Session) -> Result<Vec<TableFacts>> {
    let sql = "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
          AND (n.nspname, c.relname) <> ('exuvia', 'lease')
          AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
        ORDER BY 1";
    let rows: error::Result<_> = session.ask(sql, &[]).await;
    let mut facts = Vec::new();
    for row in &rows? {
        facts.push(facts_of(session, row.get(0)).await?);
    }
    Ok(facts)
}

async fn facts_of(session: &Session, name: String) -> Result<TableFacts> {
    let digest =
        |seed: u8| format!("coalesce(sum(hashtextextended(exuvia_row::text COLLATE \"C\", {seed})::numeric), 0)::text");
    let sql = format!("SELECT count(*), {} || ' ' || {} FROM {name} AS exuvia_row", digest(1), digest(2));
    let rows: error::Result<_> = session.ask(&sql, &[]).await;
    let rows = rows?;
    let row = rows.first().ok_or_else(|| Error::new(ErrorKind::Store, "expected a count of rows, found none"))?;
    Ok(TableFacts { name, rows: row.get::<_, i64>(0) as u64, digest: row.get(1) })
}

pub(super) async fn schema(place: &Place, session: &Session) -> Result<String> {
    let programs = Programs::find(session.major().await?)?;
    let arguments = ["--schema-only", "--no-password", "--lock-wait-timeout=20s", "--exclude-schema=exuvia"];
    let text = output(&programs, "pg_dump", place, &arguments).await?;
    // Newer versions of pg_dump draw a key for each text.
    let is_drawn = |line: &&str| line.starts_with("\\restrict ") || line.starts_with("\\unrestrict ");
    Ok(text.lines().filter(|line| !is_drawn(line)).map(|line| format!("{line}\n")).collect())
}

async fn output(programs: &Programs, name: &'static str, place: &Place, arguments: &[&str]) -> Result<String> {
    let unread = |error: std::io::Error| {
        Error::new(ErrorKind::Paused, format!("expected a place for what {name} says, found: {error}"))
    };
    let mut file = tempfile::NamedTempFile::new().map_err(unread)?;
    let output = file.as_file().try_clone().map_err(unread)?;
    programs.start(name, place, arguments, Some(output))?.end(async || Ok(())).await?;
    file.as_file_mut().sync_all().map_err(unread)?;
    fs::read_to_string(file.path()).map_err(unread)
}

/// What the names of scratch databases begin with.
async fn prefix(session: &Session) -> error::Result<String> {
    session.one("SELECT 'exuvia_scratch_' || oid || '_' FROM pg_database WHERE datname = current_database()", &[]).await
}

/// Makes a database of its own, with this one's encoding and collation.
pub(super) async fn scratch(place: &Place, session: &Session) -> Result<Place> {
    let prefix = prefix(session).await?;
    sweep(session, &prefix).await?;
    let name = format!("{prefix}{:08x}", fastrand::u32(..));
    let locale: String = session
        .one(
            "SELECT format('ENCODING %L LC_COLLATE %L LC_CTYPE %L', pg_encoding_to_char(encoding), datcollate, datctype)
                 || CASE datlocprovider
                    WHEN 'i' THEN format(' LOCALE_PROVIDER icu ICU_LOCALE %L', coalesce(to_jsonb(d)->>'datlocale', to_jsonb(d)->>'daticulocale'))
                    WHEN 'b' THEN format(' LOCALE_PROVIDER builtin BUILTIN_LOCALE %L', to_jsonb(d)->>'datlocale')
                    ELSE ' LOCALE_PROVIDER libc' END
             FROM pg_database AS d WHERE datname = current_database()",
            &[],
        )
        .await?;
    session.batch(&format!("CREATE DATABASE {name} TEMPLATE template0 {locale}")).await?;
    session.batch(&format!("ALTER DATABASE {name} SET synchronous_commit = off")).await?;
    Ok(place.scratch(&name))
}

/// Removes what runs that died have left. Those that somebody is in stay: the server does not drop them.
async fn sweep(session: &Session, prefix: &str) -> Result<()> {
    let left: error::Result<_> =
        session.ask("SELECT datname::text FROM pg_database WHERE starts_with(datname::text, $1)", &[prefix]).await;
    for row in &left? {
        let _ = session.batch(&format!("DROP DATABASE IF EXISTS {}", row.get::<_, &str>(0))).await;
    }
    Ok(())
}

/// Fills a scratch database from a backup. It belongs to whoever runs it, and tells nobody of its changes.
pub(super) async fn fill(place: &Place, session: &Session, file: &Path) -> Result<()> {
    let programs = Programs::find(session.major().await?)?;
    let jobs = std::thread::available_parallelism().map_or(1, usize::from).min(4);
    let arguments = [
        "--no-owner".to_owned(),
        "--no-privileges".to_owned(),
        "--no-publications".to_owned(),
        "--no-subscriptions".to_owned(),
        "--no-password".to_owned(),
        "--exit-on-error".to_owned(),
        format!("--jobs={jobs}"),
        format!("--dbname={}", conninfo(place.database())),
        file.display().to_string(),
    ];
    let restored = programs.start("pg_restore", place, arguments, None)?.end(async || Ok(())).await;
    restored.map_err(|error| error.of_kind(ErrorKind::Snapshot))?;
    session.batch("SET synchronous_commit = off").await?;
    match lock::take(session).await? {
        Some(lock) => {
            // The scratch database goes, and the lock with it.
            std::mem::forget(lock);
            Ok(())
        }
        None => Err(Error::new(ErrorKind::Busy, "expected a scratch database of its own, found another runner in it")),
    }
}

pub(super) async fn discard(place: &Place) -> Result<()> {
    let Some(origin) = &place.origin else {
        let message = format!("expected a scratch database to discard, found {}", place.describe());
        return Err(Error::new(ErrorKind::Store, message));
    };
    let session = Session::open(origin).await?;
    Ok(session.batch(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", place.database())).await?)
}

/// Puts everything that a backup holds in place of what is there, in one transaction. The log stays: it tells what happened
/// since.
pub(super) async fn restore(place: &Place, session: &Session, file: &Path) -> Result<()> {
    let programs = Programs::find(session.major().await?)?;
    let path = file.display().to_string();
    let contents = output(&programs, "pg_restore", place, &["--list", &path]).await?;
    let extensions: error::Result<_> = session.ask("SELECT extname::text FROM pg_extension", &[]).await;
    let extensions: Vec<String> = extensions?.iter().map(|row| row.get(0)).collect();
    let unwritten = |error: std::io::Error| {
        Error::new(ErrorKind::Paused, format!("expected a place for a list of what is restored, found: {error}"))
    };
    let mut list = tempfile::NamedTempFile::new().map_err(unwritten)?;
    for line in contents.lines().filter(|line| is_restored(line, &extensions)) {
        writeln!(list, "{line}").map_err(unwritten)?;
    }
    let arguments = [
        "--clean".to_owned(),
        "--if-exists".to_owned(),
        "--single-transaction".to_owned(),
        "--no-password".to_owned(),
        format!("--use-list={}", list.path().display()),
        format!("--dbname={}", conninfo(place.database())),
        path,
    ];
    let program = programs.start("pg_restore", place, arguments, None::<File>)?;
    let mut blocked = None;
    program
        .end(async || {
            let Some(who) = blockers(session).await? else {
                blocked = None;
                return Ok(());
            };
            match *blocked.get_or_insert_with(Instant::now) {
                since if since.elapsed() < PATIENCE => Ok(()),
                _ => Err(Error::new(
                    ErrorKind::Paused,
                    format!("expected to have the tables to itself within {} s, found {who} in them; nothing was restored: end that session and run it again", PATIENCE.as_secs()),
                )),
            }
        })
        .await
}

/// Whether an entry of a backup's list of contents is restored: the log is not, nor what it stands in, nor extensions that
/// are there.
fn is_restored(line: &str, extensions: &[String]) -> bool {
    // A number, two of the catalogue's, what it is, its schema or -, its name and its owner.
    let words: Vec<_> = line.split_whitespace().skip(3).collect();
    let is_log = words.windows(2).any(|pair| pair[0] == "exuvia" && (pair[1] == "log" || pair[1].starts_with("log_")));
    let is_extension = |at: usize| words.get(at).is_some_and(|name| extensions.iter().any(|known| known == name));
    match words.as_slice() {
        ["SCHEMA", "-", "exuvia", ..] => false,
        ["EXTENSION", "-", ..] => !is_extension(2),
        ["COMMENT", "-", "EXTENSION", ..] => !is_extension(3),
        _ => !is_log,
    }
}

/// A database's name, as programs take it: some names would be read as more than that.
fn conninfo(database: &str) -> String {
    format!("dbname='{}'", database.replace('\\', "\\\\").replace('\'', "\\'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restore_leaves_the_log_and_what_it_stands_in() {
        let list = "6; 2615 16385 SCHEMA - exuvia app
220; 1259 16400 TABLE exuvia log app
219; 1259 16399 SEQUENCE exuvia log_entry_seq app
3400; 0 16400 TABLE DATA exuvia log app
3250; 2606 16408 CONSTRAINT exuvia log log_pkey app
3260; 2620 16410 TRIGGER exuvia log log_stays app
230; 1255 16409 FUNCTION exuvia log_stays() app
3405; 0 0 SEQUENCE SET exuvia log_entry_seq app
2; 3079 16386 EXTENSION - vector
3406; 0 0 COMMENT - EXTENSION vector";
        assert!(list.lines().all(|line| !is_restored(line, &["vector".to_owned()])));
        let list = ";
; Archive created at 2026-11-25
221; 1259 16401 TABLE exuvia head app
3401; 0 16401 TABLE DATA public log app
2; 3079 16386 EXTENSION - vector";
        assert!(list.lines().all(|line| is_restored(line, &[])));
    }
}
