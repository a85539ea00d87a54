use std::fmt;
use std::rc::Rc;

use clap::Args;
use exuvia_core::ErrorKind;
use exuvia_core::chain::Version;
use exuvia_core::protocol::{Found, Progress, Stage, Target};
use exuvia_server::database::{Database, Manifest};
use serde::Serialize;

use crate::failure::Failure;
use crate::output::Output;
use crate::site::{Errand, Pressure, Site, Watch, Where};

/// Save everything that is in a database, or list what was saved
#[derive(Args)]
pub(crate) struct Backup {
    #[command(flatten)]
    place: Where,
    /// List the backups instead, newest first
    #[arg(long)]
    list: bool,
}

/// Read a backup to its end, restore it into a scratch database, and compare every table with what was saved
#[derive(Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    place: Where,
    /// Which backup; the newest where it is not given
    backup: Option<String>,
}

struct Save {
    output: Output,
}

struct List {
    output: Output,
}

struct Prove {
    backup: Option<String>,
    output: Output,
}

/// A backup in one line.
#[derive(Serialize)]
pub(crate) struct Saved {
    backup: String,
    file: String,
    database: String,
    version: u32,
    created_at: i64,
    bytes: u64,
    tables: usize,
    rows: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    verified: Option<bool>,
}

impl Backup {
    pub(crate) fn run(self, output: Output) -> Result<(), Failure> {
        match self.list {
            true => self.place.go(&Pressure::none(), List { output }),
            false => self.place.go(&Pressure::none(), Save { output }),
        }
    }
}

impl Verify {
    pub(crate) fn run(self, output: Output) -> Result<(), Failure> {
        self.place.go(&Pressure::none(), Prove { backup: self.backup, output })
    }
}

impl Errand for Save {
    async fn run<D: Database>(self, site: &Site<'_, D>) -> Result<(), Failure> {
        let manifest = site.save(self.output).await?;
        self.output.print(&site.saved(manifest, None))
    }
}

impl Errand for List {
    async fn run<D: Database>(self, site: &Site<'_, D>) -> Result<(), Failure> {
        let found = site.backups.list();
        found.into_iter().try_for_each(|manifest| self.output.print(&site.saved(manifest, None)))
    }
}

impl Errand for Prove {
    async fn run<D: Database>(self, site: &Site<'_, D>) -> Result<(), Failure> {
        let newest = || site.backups.list().into_iter().next().map(|manifest| manifest.id);
        let Some(id) = self.backup.or_else(newest) else {
            return Err(Failure::usage(format!(
                "expected a backup in {}, found none",
                site.backups.place("").display()
            )));
        };
        let manifest = site.verify(&id).await?;
        self.output.print(&site.saved(manifest, Some(true)))
    }
}

impl<D: Database> Site<'_, D> {
    /// Saves everything, while no runner is at work.
    pub(crate) async fn save(&self, output: Output) -> Result<Manifest, Failure> {
        let watch = Rc::new(Watch::of_runs(self.backups.place(""), output.json));
        let target = self.target(watch.clone());
        let _lock = target.acquire().await?;
        let version = match target.find().await {
            Ok(Found::Marked(head)) => head.version,
            Ok(Found::Unmarked) => Version(1),
            Ok(Found::Fresh | Found::Lost) => Version(0),
            Err(error) if error.kind() == ErrorKind::Paused => return Err(error.into()),
            // What nobody can read is saved too, before it is replaced.
            Err(_) => Version(0),
        };
        let tell = |done, of| watch.tell(Progress { stage: Stage::Snapshot, done, of, bytes: 0 });
        let (_, manifest) = self.backups.make(self.database, &target.token(), version.0, target.now(), &tell).await?;
        Ok(manifest)
    }

    /// Proves a backup.
    pub(crate) async fn verify(&self, id: &str) -> Result<Manifest, Failure> {
        let manifest = self.backups.expect_whole(id)?;
        let scratch = self.database.scratch(&self.backups.file(id)).await?;
        let facts = scratch.facts().await;
        scratch.discard().await?;
        manifest.expect(&facts?)?;
        Ok(manifest)
    }

    pub(crate) fn saved(&self, manifest: Manifest, verified: Option<bool>) -> Saved {
        Saved {
            file: self.backups.file(&manifest.id).display().to_string(),
            rows: manifest.tables.iter().map(|table| table.rows).sum(),
            tables: manifest.tables.len(),
            backup: manifest.id,
            database: manifest.database,
            version: manifest.version,
            created_at: manifest.created_at,
            bytes: manifest.bytes,
            verified,
        }
    }
}

impl fmt::Display for Saved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { backup, database, version, bytes, tables, rows, verified, .. } = self;
        let verified =
            if verified.is_some() { ", verified: restored elsewhere, every table as it was saved" } else { "" };
        writeln!(f, "{backup}: {database}, version {version}, {rows} rows in {tables} tables, {bytes} bytes{verified}")
    }
}
