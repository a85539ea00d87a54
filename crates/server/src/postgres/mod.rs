//! PostgreSQL, versions 15 to 18.
//!
//! One session does it all: it holds the advisory lock that keeps other runners off, and it writes. Whoever loses the one
//! has lost the other. Behind a pooler a session is not what it seems, so each transaction that writes also holds the
//! lease's row, which names its runner.

mod bound;
mod carry;
pub mod compile;
mod control;
mod copy;
mod error;
mod hold;
mod inspect;
mod lint;
mod load;
mod lock;
mod place;
mod programs;
mod scripts;
mod session;
mod tables;
mod tls;

use std::path::Path;

use exuvia_core::Result;
use exuvia_core::chain::Version;

use crate::database::{
    Batch, Database, Direction, Done, Entry, Finding, Known, Load, Manifest, Measure, Passage, Script, Side, Stamp,
    Table, TableFacts,
};
pub use lock::Lock;
use place::Place;
use session::Session;

/// A database on a server.
pub struct Postgres {
    place: Place,
    session: Session,
}

impl Postgres {
    /// Connects by a URL (`postgresql://user:password@host/database`) or by `host=… user=… dbname=…`.
    ///
    /// # Errors
    /// [`exuvia_core::ErrorKind::Store`] where the server lets nobody in by this URL,
    /// [`exuvia_core::ErrorKind::Paused`] where it does not answer. Neither message has the password.
    pub async fn connect(url: &str) -> Result<Self> {
        Self::at(Place::parse(url)?).await
    }

    async fn at(place: Place) -> Result<Self> {
        let session = Session::open(&place).await?;
        Ok(Self { place, session })
    }
}

impl Database for Postgres {
    /// A key as text, which its column's type reads.
    type Key = String;
    type Lock = Lock;

    fn describe(&self) -> String {
        self.place.describe()
    }

    async fn server_version(&self) -> Result<String> {
        Ok(format!("PostgreSQL {}", self.session.server_version().await?))
    }

    async fn try_lock(&self) -> Result<Option<Lock>> {
        lock::take(&self.session).await
    }

    async fn holder(&self) -> Result<Option<String>> {
        lock::holder(&self.session).await
    }

    async fn head(&self) -> Result<Option<String>> {
        control::head(&self.session).await
    }

    async fn write_head(&self, head: &str, entries: &[Entry]) -> Result<()> {
        self.session.write(async || control::write_head(&self.session, head, entries).await).await?;
        self.session.commit_shut().await
    }

    async fn log(&self) -> Result<Vec<Entry>> {
        control::log(&self.session).await
    }

    async fn chains(&self) -> Result<Vec<String>> {
        control::chains(&self.session).await
    }

    async fn keep_chain(&self, name: &str, text: &str) -> Result<()> {
        self.session.write(async || control::keep_chain(&self.session, name, text).await).await
    }

    async fn keep_only(&self, name: &str) -> Result<()> {
        self.session.write(async || control::keep_only(&self.session, name).await).await
    }

    async fn scripts(&self) -> Result<Vec<Known>> {
        scripts::known(&self.session).await
    }

    async fn review(&self, script: &Script) -> Result<Vec<Finding>> {
        Ok(lint::findings(script, self.session.major().await?))
    }

    async fn run_script(&self, script: &Script, direction: Direction, entry: Option<&Entry>) -> Result<Vec<Finding>> {
        scripts::run(&self.session, script, direction, entry).await
    }

    async fn inspect(&self, tables: &[&Table], backups: &Path) -> Result<Vec<Finding>> {
        inspect::findings(&self.session, tables, backups).await
    }

    async fn manner(&self, table: &Table, passage: &Passage<'_>) -> Result<Finding> {
        carry::manner(&self.session, table, passage).await
    }

    async fn load(&self) -> Result<Load> {
        Ok(load::look(&self.session).await?)
    }

    async fn measure(&self, table: &Table) -> Result<Measure> {
        tables::measure(&self.session, table).await
    }

    async fn install(&self, table: &Table, stamp: Stamp, target: Version) -> Result<()> {
        self.session.write(async || tables::install(&self.session, table, stamp, target).await).await
    }

    async fn narrow(&self, table: &Table, stamp: Stamp, side: Side) -> Result<()> {
        Ok(tables::narrow(&self.session, table, stamp, side).await?)
    }

    async fn uninstall(&self, table: &Table) -> Result<()> {
        self.session.write(async || tables::uninstall(&self.session, table).await).await
    }

    async fn carry(&self, batch: &Batch<'_, String>, passage: &Passage<'_>) -> Result<Option<Done<String>>> {
        let session = &self.session;
        let program = carry::program(session, batch.table, passage).await?.ok();
        if let Some(program) = program.as_ref().filter(|program| !session.has(&program.name)) {
            session.write(async || carry::prepare(session, program).await).await?;
            session.keep(&program.name);
        }
        session.write(async || carry::carry(session, batch, passage, program.as_ref()).await).await
    }

    async fn remaining(&self, table: &Table, stamp: Stamp, side: Side) -> Result<u64> {
        tables::remaining(&self.session, table, stamp, side).await
    }

    async fn shut(&self, tables: &[&Table]) -> Result<()> {
        let lock = tables::exclusive(&self.session, tables).await?;
        self.session.shut(&lock).await
    }

    async fn reopen(&self) -> Result<()> {
        self.session.reopen().await
    }

    /// The server holds them itself. Those that it was told not to are found before the run.
    async fn check_references(&self) -> Result<()> {
        Ok(())
    }

    async fn meaning(&self, table: &Table) -> Result<String> {
        tables::meaning(&self.session, table).await
    }

    async fn backup(&self, file: &Path, progress: &dyn Fn(u64, u64)) -> Result<Vec<TableFacts>> {
        copy::backup(&self.place, &self.session, file, progress).await
    }

    async fn schema(&self) -> Result<String> {
        copy::schema(&self.place, &self.session).await
    }

    async fn scratch(&self, file: &Path) -> Result<Self> {
        let place = copy::scratch(&self.place, &self.session).await?;
        let scratch = Self::at(place).await?;
        let filled = copy::fill(&scratch.place, &scratch.session, file).await;
        match filled {
            Ok(()) => Ok(scratch),
            Err(error) => {
                scratch.discard().await?;
                Err(error)
            }
        }
    }

    async fn discard(self) -> Result<()> {
        let Self { place, session } = self;
        drop(session);
        copy::discard(&place).await
    }

    async fn facts(&self) -> Result<Vec<TableFacts>> {
        copy::facts(&self.session).await
    }

    async fn restore(&self, file: &Path, present: &Manifest) -> Result<()> {
        present.expect_still(&self.facts().await?)?;
        copy::restore(&self.place, &self.session, file).await
    }
}
