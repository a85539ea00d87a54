use std::rc::Rc;

use clap::Args;
use exuvia_core::chain::Version;
use exuvia_core::protocol::Target;
use exuvia_server::database::{Database, Finding};

use crate::failure::Failure;
use crate::output::Output;
use crate::site::{Errand, Pressure, Site, Watch, Where};

/// Try a run on a copy: back up, restore the backup elsewhere, move everything there up and down again, and compare
///
/// The database itself is only read. The backup stays. Where the data has nothing to do, migrations in SQL that wait are tried.
#[derive(Args)]
pub(crate) struct Rehearse {
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    pressure: Pressure,
    /// The version to go to; the newest where it is not given
    #[arg(long, value_name = "V")]
    to: Option<u32>,
}

struct Try {
    to: Option<u32>,
    output: Output,
}

impl Rehearse {
    pub(crate) fn run(self, output: Output) -> Result<(), Failure> {
        self.place.go(&self.pressure, Try { to: self.to, output })
    }
}

impl Errand for Try {
    async fn run<D: Database>(self, site: &Site<'_, D>) -> Result<(), Failure> {
        let target = site.target(Rc::new(Watch::of_runs(site.backups.place(""), self.output.json)));
        let _lock = target.acquire().await?;
        let to = self.to.map_or(site.chain.tip(), Version);
        let Some(mut way) = site.way(&target, to).await? else {
            let pending = target.scripts_up(&site.project.scripts, site.chain, to).await?;
            if pending.scripts.is_empty() {
                return self.output.print(&site.report(site.status().await?));
            }
            let (backup, findings) = target.rehearse_scripts(&pending, to).await?;
            let scripts = pending.scripts.into_iter().map(|script| script.name).collect();
            return self.output.print(&Tried { backup, scripts, findings });
        };
        target.inspect(&mut way.run, &way.route).await?;
        way.route.check()?;
        target.capture(&mut way.run, &way.route).await?;
        drop(target);
        let rows: u64 = way.run.records.values().sum();
        self.output.print(&Rehearsed { backup: way.run.id, from: way.from.0, to: to.0, rows, notes: way.run.notes })
    }
}

/// Which migrations in SQL were tried, where the data has nothing to do.
#[derive(serde::Serialize)]
struct Tried {
    backup: String,
    scripts: Vec<String>,
    findings: Vec<Finding>,
}

impl std::fmt::Display for Tried {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { backup, scripts, findings } = self;
        writeln!(f, "rehearsed: {}, done and undone on a copy of backup {backup}", scripts.join(", "))?;
        findings.iter().try_for_each(|finding| writeln!(f, "  {finding}"))
    }
}

/// What was tried.
#[derive(serde::Serialize)]
struct Rehearsed {
    backup: String,
    from: u32,
    to: u32,
    rows: u64,
    notes: Vec<String>,
}

impl std::fmt::Display for Rehearsed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { backup, from, to, rows, notes } = self;
        writeln!(
            f,
            "rehearsed: {rows} rows, version {from} -> {to} and back as they were, on a copy of backup {backup}"
        )?;
        notes.iter().try_for_each(|note| writeln!(f, "  {note}"))
    }
}
