//! A place where a chain is at work: the project, one of its environments, and that one's database.

mod environment;
mod project;
mod prompt;
mod report;
mod timeline;
mod watch;

pub(crate) use environment::{Environment as Where, Pressure};
pub(crate) use project::{Address, Project};
pub(crate) use prompt::confirm;
pub(crate) use report::Report;
pub(crate) use timeline::{Moment, Timeline};
pub(crate) use watch::{Watch, tell};

use std::cell::RefCell;
use std::rc::Rc;

use exuvia_core::chain::{Chain, Route, Standing, Version};
use exuvia_core::protocol::{Cause, Found, Run, Source, Status, Target, status};
use exuvia_core::{Error, ErrorKind};
use exuvia_server::database::{Backups, Database, Event, Finding, Level, Policy, Stop, Tables};
use exuvia_server::postgres::Postgres;
use exuvia_server::sqlite::Sqlite;

use crate::chain_folder::ChainFolder;
use crate::failure::Failure;

/// What a command does at a place, whichever database is there.
pub(crate) trait Errand {
    /// Does it.
    async fn run<D: Database>(self, site: &Site<'_, D>) -> Result<(), Failure>;
}

/// A project, an environment and its database.
pub(crate) struct Site<'s, D> {
    /// The environment's name.
    pub(crate) name: &'s str,
    pub(crate) project: &'s Project,
    pub(crate) chain: &'s Chain,
    pub(crate) database: &'s D,
    pub(crate) backups: &'s Backups,
    pub(crate) policy: &'s Policy,
    pub(crate) stop: Stop,
    /// Whether a human must say yes.
    pub(crate) asks: bool,
    findings: Vec<Finding>,
}

/// A way that the data is to go.
pub(crate) struct Way<'c> {
    pub(crate) from: Version,
    pub(crate) route: Route<'c>,
    pub(crate) run: Run,
}

impl Where {
    /// Opens the place and does the errand there.
    pub(crate) fn go(&self, pressure: &Pressure, errand: impl Errand) -> Result<(), Failure> {
        let project = Project::read(&self.config)?;
        let chain = ChainFolder::new(&project.chain).load()?;
        let (name, environment) = project.environment(self.environment.as_deref())?;
        let backups = Backups::new(&project.backups.join(name), project.keep);
        let policy = pressure.policy(environment);
        let stop = Stop::default();
        let asks = environment.confirm && !pressure.yes;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::stdout)?;
        runtime.block_on(async {
            stop_on_signals(&stop);
            let findings = match &environment.after {
                Some(before) => ran_before(&project, before, &chain).await?.into_iter().collect(),
                None => Vec::new(),
            };
            let (address, project, chain, backups, policy) =
                (project.address(name)?, &project, &chain, &backups, &policy);
            let site = Site { name, project, chain, database: &(), backups, policy, stop, asks, findings };
            match address {
                Address::Sqlite(file) => errand.run(&site.on(&Sqlite::open(&file)?)).await,
                Address::Postgres(url) => errand.run(&site.on(&Postgres::connect(&url).await?)).await,
            }
        })
    }
}

/// The first signal lets the batch end; whoever sends a second one wants it at once.
fn stop_on_signals(stop: &Stop) {
    let stop = stop.clone();
    tokio::spawn(async move {
        wait_for_signal().await;
        stop.ask();
        wait_for_signal().await;
        std::process::exit(130);
    });
}

async fn wait_for_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminated) = signal(SignalKind::terminate()) else { return std::future::pending().await };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminated.recv() => {}
        }
    }
    #[cfg(not(unix))]
    let _ = tokio::signal::ctrl_c().await;
}

/// Whether another environment has run this very chain, by its fingerprint.
async fn ran_before(project: &Project, before: &str, chain: &Chain) -> Result<Option<Finding>, Failure> {
    let log = match project.address(before)? {
        Address::Sqlite(file) => Sqlite::open(&file)?.log().await?,
        Address::Postgres(url) => Postgres::connect(&url).await?.log().await?,
    };
    let head = chain.lock().line.last().map(|link| link.head.clone()).unwrap_or_default();
    let ran = log.iter().any(|entry| entry.event == Event::Finished && entry.fingerprint == head);
    let message = format!(
        "expected the environment {before:?} to have run this chain up to its version {}, found that it has not; run it there first",
        chain.tip()
    );
    Ok((!ran).then(|| Finding::new("not-run-before", Level::Error, message)))
}

impl<'s> Site<'s, ()> {
    /// The same with its database.
    fn on<D>(self, database: &'s D) -> Site<'s, D> {
        let Self { name, project, chain, backups, policy, stop, asks, findings, .. } = self;
        Site { name, project, chain, database, backups, policy, stop, asks, findings }
    }
}

impl<D: Database> Site<'_, D> {
    /// The protocol's target here, told to a watcher.
    pub(crate) fn target(&self, watch: Rc<Watch>) -> Tables<'_, D> {
        Tables {
            database: self.database,
            tables: &self.project.tables,
            backups: self.backups,
            policy: self.policy,
            stop: self.stop.clone(),
            listener: watch,
            findings: RefCell::new(self.findings.clone()),
        }
    }

    /// The state of the data.
    pub(crate) async fn status(&self) -> Result<Status, Failure> {
        Ok(status(&self.target(Rc::new(Watch::silent())), self.chain).await?)
    }

    /// The way from where the data is to a version; `None` where it is there.
    pub(crate) async fn way(&self, target: &Tables<'_, D>, to: Version) -> Result<Option<Way<'_>>, Failure> {
        let from = match target.find().await? {
            Found::Fresh => return Ok(None),
            Found::Unmarked => Version(1),
            Found::Lost => return Err(self.status().await.map(Failure::state)?),
            Found::Marked(head) if head.run.is_some() => return Err(under_way()),
            Found::Marked(head) => match self.chain.standing(&head.line) {
                Standing::At(version) => version,
                _ => return Err(Failure::state(self.status().await?)),
            },
        };
        if to > self.chain.tip() || to < Version(1) {
            let message = format!("expected a version from 1 to {}, found {to}", self.chain.tip());
            return Err(Failure::usage(message));
        }
        let cause = if to == self.chain.tip() { Cause::Migrate } else { Cause::Revert };
        let line = self.chain.line(to).cloned().collect();
        let run = Run::new(target.token(), target.now(), cause, from, line, Source::Chain);
        let route = Route::between((self.chain, from), (self.chain, to));
        Ok((from != to).then_some(Way { from, route, run }))
    }
}

/// A run was interrupted, and comes first.
pub(crate) fn under_way() -> Failure {
    let message = "expected data at rest, found a run that was interrupted; `exuvia up` finishes it first";
    Failure::from(Error::new(ErrorKind::Paused, message))
}
