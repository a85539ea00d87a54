use std::rc::Rc;

use clap::Args;
use exuvia_core::chain::Version;
use exuvia_core::protocol::{Request, State, Status, run};
use exuvia_server::database::Database;

use crate::failure::Failure;
use crate::output::Output;
use crate::site::{Errand, Pressure, Site, Watch, Where, confirm};

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
        let has_nothing_to_do = before.version == wanted && before.state != State::Moving;
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
        let request = match self.to {
            None => Request::Migrate { retry: true },
            Some(to) => Request::Revert { to },
        };
        let done = run(&target, site.chain, request).await;
        drop(target);
        let status = done?;
        site.write_report(status.last_run.as_ref().map(|run| &*run.run)).await;
        self.output.print(&site.report(status.clone()))?;
        expect(&status, wanted)
    }
}

/// Whether the data is where it was to go.
fn expect(status: &Status, wanted: Version) -> Result<(), Failure> {
    let arrived = status.version == wanted && matches!(status.state, State::Current | State::Held | State::Behind);
    if arrived { Ok(()) } else { Err(Failure::Found) }
}
