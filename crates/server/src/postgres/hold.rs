//! Whom a script holds up: the locks that its transaction has at its end, and the tables that it wrote anew.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use exuvia_core::document::Quoted;

use super::error::Result;
use super::session::Session;
use crate::database::{Finding, Level};

/// Others may wait so long for a script. Whoever serves people has noticed by then.
const BEARABLE: Duration = Duration::from_secs(1);

/// The tables that others may be using, before a script runs.
pub(super) struct Holds {
    since: Instant,
    files: HashMap<u32, Table>,
}

struct Table {
    name: String,
    /// Where its rows lie: another file holds them once it was written anew.
    file: u32,
    bytes: i64,
}

const TABLES: &str = "SELECT c.oid, c.oid::regclass::text, c.relfilenode, pg_total_relation_size(c.oid)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'exuvia')";

/// The tables that others cannot write, and whether they can read them.
const LOCKS: &str = "SELECT l.relation, bool_or(l.mode = 'AccessExclusiveLock'),
        (SELECT c.relfilenode FROM pg_class c WHERE c.oid = l.relation)
    FROM pg_locks l
    WHERE l.pid = pg_backend_pid() AND l.granted AND l.locktype = 'relation'
      AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
    GROUP BY l.relation";

impl Holds {
    pub(super) async fn begin(session: &Session) -> Result<Self> {
        let rows = session.ask(TABLES, &[]).await?;
        let table = |row: &tokio_postgres::Row| {
            Ok((row.try_get(0)?, Table { name: row.try_get(1)?, file: row.try_get(2)?, bytes: row.try_get(3)? }))
        };
        let files = rows.iter().map(table).collect::<Result<_>>()?;
        Ok(Self { since: Instant::now(), files })
    }

    /// What the transaction holds, before it ends. Since when it does nobody knows: at most since it began.
    pub(super) async fn end(self, session: &Session) -> Result<Vec<Finding>> {
        let held = self.since.elapsed();
        let mut findings = Vec::new();
        for row in session.ask(LOCKS, &[]).await? {
            let (oid, from_all, file) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            let Some(table) = self.files.get(&oid) else { continue };
            findings.push(table.finding(held, from_all, file));
        }
        findings.sort_by(|one, other| one.message.cmp(&other.message));
        Ok(findings)
    }
}

impl Table {
    fn finding(&self, held: Duration, from_all: bool, file: Option<u32>) -> Finding {
        let Self { name, bytes, .. } = self;
        let whom = if from_all { "readers and writers" } else { "writers" };
        let rewritten = match file {
            Some(file) if file != self.file => ", and its rows were written anew",
            _ => "",
        };
        let held = held.as_millis();
        let bearable = BEARABLE.as_millis();
        let name = Quoted(name);
        let (level, message) = match held > bearable {
            true => (
                Level::Error,
                format!(
                    "expected others to wait {bearable} ms at most, found the table {name} ({bytes} bytes) kept from {whom} for up to {held} ms{rewritten}; take it in smaller parts, or outside a transaction"
                ),
            ),
            false => (
                Level::Warning,
                format!(
                    "the table {name} ({bytes} bytes) is kept from {whom} for up to {held} ms{rewritten}; where others use it, they wait"
                ),
            ),
        };
        Finding::new("holds-up", level, message)
    }
}
