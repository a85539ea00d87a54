//! A connection, and how it does things in transactions.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use exuvia_core::{Error, ErrorKind};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row, Statement};

use super::bound::Bound;
use super::error::{Result, Trouble};
use super::place::Place;
use crate::database::Table;

/// How long one statement waits for locks that others hold, and so how long others may queue behind it.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);
/// How often it is tried again.
const TRIES: u32 = 8;
/// Between two tries, in the mean; more with each.
const PAUSE: Duration = Duration::from_millis(250);

/// What makes keys the same texts in each session: they are what residues are found by.
pub(super) const SPELLING: &[(&str, &str)] = &[
    ("bytea_output", "hex"),
    ("datestyle", "ISO, YMD"),
    ("extra_float_digits", "1"),
    ("intervalstyle", "postgres"),
    ("timezone", "UTC"),
];

/// One connection.
pub(super) struct Session {
    client: Arc<Client>,
    statements: RefCell<HashMap<String, Statement>>,
    pub(super) bound: RefCell<HashMap<String, Bound>>,
    /// The functions that it has made.
    functions: RefCell<HashSet<String>>,
    /// The name under which this session holds the lease.
    pub(super) token: RefCell<Option<String>>,
    /// Whether the transaction is open that [`Session::shut`] begins.
    is_shut: Cell<bool>,
}

impl Session {
    pub(super) async fn open(place: &Place) -> exuvia_core::Result<Self> {
        let mut config = place.config.clone();
        config.application_name("exuvia");
        let client = match config.connect(place.security.connector()?).await {
            Ok((client, connection)) => {
                // Its end is seen by whoever asks the client next.
                tokio::spawn(connection);
                client
            }
            Err(error) => return Err(unreached(place, error)),
        };
        let session = Self {
            client: Arc::new(client),
            statements: RefCell::default(),
            bound: RefCell::default(),
            functions: RefCell::default(),
            token: RefCell::default(),
            is_shut: Cell::new(false),
        };
        session.prepare_session().await.map_err(|trouble| unreached_by(place, trouble))?;
        Ok(session)
    }

    async fn prepare_session(&self) -> Result<()> {
        let mut settings = format!("SET lock_timeout = {}; SET statement_timeout = 0;", PATIENCE.as_millis());
        settings.push_str("SET idle_in_transaction_session_timeout = 0; SET jit = off;");
        // A plan for any place in a table is a bad one for each.
        settings.push_str("SET plan_cache_mode = force_custom_plan; SET synchronous_commit = on;");
        for (name, value) in SPELLING {
            settings.push_str(&format!("SET {name} = '{value}';"));
        }
        // A role may have the schema's name, and so its functions in the place of the server's own.
        settings.push_str(
            "SELECT set_config('search_path', coalesce((SELECT string_agg(quote_ident(name), ', ')
             FROM unnest(current_schemas(false)) AS name WHERE name <> 'exuvia'), ''), false)",
        );
        Ok(self.client.batch_execute(&settings).await?)
    }

    /// Sets how long a statement waits for locks.
    pub(super) async fn wait_for_locks(&self, patience: Duration) -> Result<()> {
        self.batch(&format!("SET lock_timeout = {}", patience.as_millis())).await
    }

    pub(super) fn client(&self) -> &Arc<Client> {
        &self.client
    }

    pub(super) async fn batch(&self, sql: &str) -> Result<()> {
        Ok(self.client.batch_execute(sql).await?)
    }

    async fn prepared(&self, sql: &str) -> Result<Statement> {
        if let Some(statement) = self.statements.borrow().get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).await?;
        self.statements.borrow_mut().insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Rows of a statement that is asked again and again.
    pub(super) async fn rows(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>> {
        let statement = self.prepared(sql).await?;
        Ok(self.client.query(&statement, values).await?)
    }

    /// How many rows such a statement changes.
    pub(super) async fn change(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<u64> {
        let statement = self.prepared(sql).await?;
        Ok(self.client.execute(&statement, values).await?)
    }

    /// Rows of a statement that is asked once, with texts for its values.
    pub(super) async fn ask(&self, sql: &str, values: &[&str]) -> Result<Vec<Row>> {
        let typed: Vec<(&(dyn ToSql + Sync), Type)> =
            values.iter().map(|value| (value as &(dyn ToSql + Sync), Type::TEXT)).collect();
        Ok(self.client.query_typed(sql, &typed).await?)
    }

    /// The one value of a statement that always has one.
    pub(super) async fn one<T: for<'r> tokio_postgres::types::FromSql<'r>>(
        &self,
        sql: &str,
        values: &[&str],
    ) -> Result<T> {
        let rows = self.ask(sql, values).await?;
        let nothing = || Error::new(ErrorKind::Store, "expected an answer from the server, found none");
        Ok(rows.first().ok_or_else(nothing)?.try_get(0)?)
    }

    pub(super) async fn server_version(&self) -> Result<String> {
        self.one("SELECT current_setting('server_version')", &[]).await
    }

    /// The major version.
    pub(super) async fn major(&self) -> Result<u32> {
        let number: String = self.one("SELECT current_setting('server_version_num')", &[]).await?;
        Ok(number.parse::<u32>().unwrap_or_default() / 10_000)
    }

    pub(super) async fn bound(&self, table: &Table) -> Result<Bound> {
        if let Some(bound) = self.bound.borrow().get(&table.collection) {
            return Ok(bound.clone());
        }
        let bound = Bound::find(self, table).await?;
        self.bound.borrow_mut().insert(table.collection.clone(), bound.clone());
        Ok(bound)
    }

    /// Whether a function was made by this session.
    pub(super) fn has(&self, function: &str) -> bool {
        self.functions.borrow().contains(function)
    }

    /// Notes that it was.
    pub(super) fn keep(&self, function: &str) {
        self.functions.borrow_mut().insert(function.to_owned());
    }

    pub(super) fn is_shut(&self) -> bool {
        self.is_shut.get()
    }

    /// Writes something in one transaction, as long as the lease is this session's: in the transaction that is open, or in
    /// one of its own, which is tried again where others hold the locks.
    pub(super) async fn write<T>(&self, work: impl AsyncFn() -> Result<T>) -> exuvia_core::Result<T> {
        match self.is_shut.get() {
            true => Ok(work().await?),
            false => Ok(self.patiently(async || self.transaction(&work).await).await?),
        }
    }

    /// Does something again where others hold the locks, a few times.
    pub(super) async fn patiently<T>(&self, work: impl AsyncFn() -> Result<T>) -> Result<T> {
        for tries in 1..TRIES {
            match work().await {
                Err(trouble) if trouble.is_passing() => {
                    tokio::time::sleep(PAUSE.mul_f64(f64::from(tries) * (0.5 + fastrand::f64()))).await;
                }
                ended => return ended,
            }
        }
        work().await
    }

    async fn transaction<T>(&self, work: impl AsyncFn() -> Result<T>) -> Result<T> {
        self.begin().await?;
        let ended = async {
            let made = work().await?;
            self.batch("COMMIT").await?;
            Ok(made)
        };
        let ended = ended.await;
        if ended.is_err() {
            // With the connection the transaction is gone too.
            let _ = self.batch("ROLLBACK").await;
        }
        ended
    }

    /// Begins a transaction that no other runner can overtake: its lease is locked until the end.
    async fn begin(&self) -> Result<()> {
        let Some(token) = self.token.borrow().clone() else { return Err(fenced("it does not hold the lock").into()) };
        self.batch("BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL exuvia.run = 'on'").await?;
        let is_ours = self.rows("SELECT FROM exuvia.lease WHERE holder = $1 FOR SHARE", &[&token]).await;
        let trouble = match is_ours {
            Ok(rows) if !rows.is_empty() => return Ok(()),
            Ok(_) => fenced("another one took it").into(),
            Err(trouble) => trouble,
        };
        let _ = self.batch("ROLLBACK").await;
        Err(trouble)
    }

    /// Begins the transaction that keeps writers out.
    pub(super) async fn shut(&self, lock: &str) -> exuvia_core::Result<()> {
        if self.is_shut.get() {
            return Ok(());
        }
        let locked = async || {
            self.begin().await?;
            let locked = self.batch(lock).await;
            if locked.is_err() {
                let _ = self.batch("ROLLBACK").await;
            }
            locked
        };
        self.patiently(locked).await?;
        self.is_shut.set(true);
        Ok(())
    }

    pub(super) async fn commit_shut(&self) -> exuvia_core::Result<()> {
        if self.is_shut.replace(false) {
            self.batch("COMMIT").await?;
        }
        Ok(())
    }

    pub(super) async fn reopen(&self) -> exuvia_core::Result<()> {
        if self.is_shut.replace(false) {
            // What was made in that transaction is gone with it.
            self.functions.borrow_mut().clear();
            self.batch("ROLLBACK").await?;
        }
        Ok(())
    }
}

fn fenced(found: &str) -> Error {
    let message =
        format!("expected the runner to be the only one until it ends, found that {found}; nothing more was written");
    Error::new(ErrorKind::Fenced, message)
}

fn unreached(place: &Place, error: tokio_postgres::Error) -> Error {
    let tls = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<std::io::Error>());
    let tls = tls.and_then(|error| error.get_ref()).and_then(|error| error.downcast_ref::<rustls::Error>());
    if let Some(tls) = tls {
        let message = format!(
            "expected {} to prove who it is, found: {tls}; check sslmode, and name who is trusted with sslrootcert",
            place.hosts()
        );
        return Error::new(ErrorKind::Store, message);
    }
    if error.as_db_error().is_none() && !error.is_closed() {
        let message = format!(
            "expected a PostgreSQL server at {}, found none that answers; run it again when it can be reached",
            place.hosts()
        );
        return Error::new(ErrorKind::Paused, message);
    }
    unreached_by(place, error.into())
}

fn unreached_by(place: &Place, trouble: Trouble) -> Error {
    let error = Error::from(trouble);
    Error::new(error.kind(), format!("{}: {}", place.describe(), error.message()))
}
