use std::rc::Rc;

use clap::Args;
use exuvia_core::chain::Version;
use exuvia_core::protocol::{Found, Request, State, Status, Target, run};
use exuvia_server::database::{Database, Pending, Tables};

use crate::failure::Failure;
use crate::output::Output;
use crate::site::{Errand, Pressure, Site, Watch, Where, confirm, tell, under_way};

/// Bring a database to the chain's newest version
///
/// Everything is backed up first, and the run is rehearsed on a copy of it. A run that was interrupted is finished. Ctrl-C
/// stops between two batches; the next `exuvia up` goes on.
#[derive(Args)]
pub(crate) struct Up {
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    pressure: Pressure,
}

/// Take a database back to an older version, with everything that was written since
#[derive(Args)]
pub(crate) struct Down {
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    pressure: Pressure,
    /// The version to go to
    #[arg(long, value_name = "V")]
    to: u32,
}

struct Move {
    to: Option<Version>,
    output: Output,
}

impl Up {
    pub(crate) fn run(self, output: Output) -> Result<(), Failure> {
        self.place.go(&self.pressure, Move { to: None, output })
    }
}

impl Down {
    pub(crate) fn run(self, output: Output) -> Result<(), Failure> {
        self.place.go(&self.pressure, Move { to: Some(Version(self.to)), output })
    }
}

impl Errand for Move {
    async fn run<D: Database>(self, site: &Site<'_, D>) -> Result<(), Failure> {
        let before = site.status().await?;
        let wanted = self.to.unwrap_or(site.chain.tip());
        let is_there = before.version == wanted && before.state != State::Moving;
        let has_nothing_to_do = is_there && self.scripts(site, wanted).await?.scripts.is_empty();
        if site.asks && !has_nothing_to_do {
            let question = format!(
                "{} ({}) goes from version {} to {wanted}",
                site.name,
                site.database.describe(),
                before.version
            );
            confirm(&question, site.name)?;
        }
        let watch = Rc::new(Watch::of_runs(site.backups.place(""), self.output.json));
        let target = site.target(watch);
        if self.to.is_some() {
            site.undo_scripts(&target, before.version, wanted).await?;
        }
        let request = match self.to {
            None => Request::Migrate { retry: true },
            Some(to) => Request::Revert { to },
        };
        let status = run(&target, site.chain, request).await?;
        if self.to.is_none() && status.version == wanted {
            site.do_scripts(&target, wanted).await?;
        }
        drop(target);
        site.write_report(status.last_run.as_ref().map(|run| &*run.run)).await;
        self.output.print(&site.report(status.clone()))?;
        expect(&status, wanted)
    }
}

impl Move {
    async fn scripts<D: Database>(&self, site: &Site<'_, D>, version: Version) -> Result<Pending, Failure> {
        let target = site.target(Rc::new(Watch::silent()));
        let scripts = &site.project.scripts;
        Ok(match self.to {
            None => target.scripts_up(scripts, site.chain, version).await?,
            Some(to) => target.scripts_down(scripts, site.chain, to).await?,
        })
    }
}

impl<D: Database> Site<'_, D> {
    /// Does the migrations in SQL that wait for the version that the data is at.
    async fn do_scripts(&self, target: &Tables<'_, D>, version: Version) -> Result<(), Failure> {
        let _lock = target.acquire().await?;
        let pending = target.scripts_up(&self.project.scripts, self.chain, version).await?;
        tell(&target.run_scripts(&pending, version).await?);
        Ok(())
    }

    /// Undoes those that an older version knows nothing of.
    async fn undo_scripts(&self, target: &Tables<'_, D>, from: Version, to: Version) -> Result<(), Failure> {
        let _lock = target.acquire().await?;
        let pending = target.scripts_down(&self.project.scripts, self.chain, to).await?;
        let found = target.find().await?;
        // Which form the data has is known when it is at rest.
        if !pending.scripts.is_empty() && matches!(&found, Found::Marked(head) if head.run.is_some()) {
            return Err(under_way());
        }
        tell(&target.run_scripts(&pending, from).await?);
        Ok(())
    }
}

/// Whether the data is where it was to go.
fn expect(status: &Status, wanted: Version) -> Result<(), Failure> {
    let arrived = status.version == wanted && matches!(status.state, State::Current | State::Held | State::Behind);
    if arrived { Ok(()) } else { Err(Failure::Found) }
}
