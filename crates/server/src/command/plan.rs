use std::fmt;
use std::rc::Rc;

use clap::Args;
use exuvia_core::chain::Version;
use exuvia_core::lens::Way as Direction;
use exuvia_server::database::{Database, Finding};
use serde::Serialize;

use crate::failure::Failure;
use crate::output::Output;
use crate::site::{Errand, Moment, Pressure, Site, Timeline, Watch, Where};

/// Say what a run would do to a database, and what stands in its way; changes nothing
///
/// Exits with 1 where a finding forbids the run.
#[derive(Args)]
pub(crate) struct Plan {
    #[command(flatten)]
    place: Where,
    /// The version to go to; the newest where it is not given
    #[arg(long, value_name = "V")]
    to: Option<u32>,
}

#[derive(Serialize)]
struct Report {
    database: String,
    from: u32,
    to: u32,
    collections: Vec<Change>,
    /// Migrations in SQL that run afterwards.
    scripts: Vec<String>,
    /// How the way back is had: `computed`, `kept` (from residue) or `never`.
    way_back: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    estimate: Option<Estimate>,
    findings: Vec<Finding>,
}

/// How long it will take, from the last rehearsal of these tables.
#[derive(Serialize)]
struct Estimate {
    seconds: f64,
    /// How long a writer may wait, in milliseconds.
    longest_wait: f64,
}

/// Migrations in SQL that wait.
#[derive(Serialize)]
struct Waiting {
    scripts: Vec<String>,
    findings: Vec<Finding>,
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.scripts.iter().try_for_each(|name| writeln!(f, "sql {name}: not done yet"))?;
        self.findings.iter().try_for_each(|finding| writeln!(f, "{finding}"))
    }
}

/// What happens to a collection's rows.
#[derive(Serialize)]
struct Change {
    collection: String,
    table: String,
    rows: u64,
    bytes: u64,
    steps: Vec<Told>,
}

#[derive(Serialize)]
struct Told {
    words: String,
    undo: &'static str,
    is_undone: bool,
}

struct Look {
    to: Option<u32>,
    output: Output,
}

impl Plan {
    pub(crate) fn run(self, output: Output) -> Result<(), Failure> {
        self.place.go(&Pressure::none(), Look { to: self.to, output })
    }
}

impl Errand for Look {
    async fn run<D: Database>(self, site: &Site<'_, D>) -> Result<(), Failure> {
        let target = site.target(Rc::new(Watch::silent()));
        let to = self.to.map_or(site.chain.tip(), Version);
        let pending = target.scripts_up(&site.project.scripts, site.chain, to).await?;
        let reviewed = target.review(&pending).await?;
        let scripts: Vec<_> = pending.scripts.into_iter().map(|script| script.name).collect();
        let Some(way) = site.way(&target, to).await? else {
            if !scripts.is_empty() {
                self.output.print(&Waiting { scripts, findings: reviewed })?;
            }
            return self.output.print(&site.report(site.status().await?));
        };
        let mut collections = Vec::new();
        for table in site.project.tables.iter().filter(|table| way.route.changes(&table.collection)) {
            let measure = site.database.measure(table).await?;
            let told = way.route.told().filter(|(_, _, told)| told.collection == table.collection);
            let steps = told.map(|(direction, _, told)| Told {
                words: told.words.clone(),
                undo: told.undo.word(),
                is_undone: direction == Direction::Down,
            });
            collections.push(Change {
                collection: table.collection.clone(),
                table: table.name.clone(),
                rows: measure.rows,
                bytes: measure.bytes,
                steps: steps.collect(),
            });
        }
        let mut findings = target.assess(&way.route).await?;
        findings.extend(reviewed);
        let is_forbidden = findings.iter().any(|finding| site.policy.forbids(finding));
        let undo = way.route.told().map(|(_, _, told)| told.undo).max().unwrap_or_default();
        let report = Report {
            database: site.database.describe(),
            from: way.from.0,
            to: to.0,
            way_back: undo.word(),
            estimate: Estimate::of(&collections, &site.last_story()),
            collections,
            scripts,
            findings,
        };
        self.output.print(&report)?;
        if is_forbidden { Err(Failure::Found) } else { Ok(()) }
    }
}

impl Estimate {
    /// `None` where a collection was never rehearsed.
    fn of(collections: &[Change], story: &[Moment]) -> Option<Self> {
        let mut whole = Self { seconds: 0.0, longest_wait: 0.0 };
        for change in collections.iter().filter(|change| change.rows > 0) {
            let (mut rehearsed, mut milliseconds) = (0, 0.0);
            for moment in story {
                if let Moment::Batch { stage, collection, rows, held, .. } = moment
                    && stage == "rehearse"
                    && *collection == change.collection
                {
                    rehearsed += rows;
                    milliseconds += held;
                    whole.longest_wait = held.max(whole.longest_wait);
                }
            }
            if rehearsed == 0 {
                return None;
            }
            whole.seconds += change.rows as f64 * milliseconds / 1e3 / rehearsed as f64;
        }
        Some(whole)
    }
}

impl<D: Database> Site<'_, D> {
    /// The story of the newest backup's run.
    fn last_story(&self) -> Vec<Moment> {
        let newest = self.backups.list().into_iter().next();
        newest.map_or_else(Vec::new, |manifest| Timeline::read(&self.backups.place(&manifest.id)))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: version {} -> {}", self.database, self.from, self.to)?;
        for Change { collection, table, rows, bytes, steps } in &self.collections {
            writeln!(f, "  {collection}, table {table}: {rows} rows, {bytes} bytes")?;
            for Told { words, undo, is_undone } in steps {
                let mark = if *is_undone { "undo: " } else { "" };
                let risk = match *undo {
                    "computed" => "",
                    "kept" => " [undone from residue]",
                    _ => " [CANNOT BE UNDONE]",
                };
                writeln!(f, "    - {mark}{words}{risk}")?;
            }
        }
        self.scripts.iter().try_for_each(|name| writeln!(f, "  sql {name}"))?;
        match &self.estimate {
            Some(Estimate { seconds, longest_wait }) => writeln!(
                f,
                "about {seconds:.1} s to write, and a writer waits {longest_wait:.0} ms at most, as last rehearsed"
            )?,
            None => writeln!(f, "not rehearsed yet: `exuvia rehearse` says how long it takes")?,
        }
        let way_back = match self.way_back {
            "computed" => "computed from the new form",
            "kept" => "what the new form does not say is kept as residue",
            _ => "only by restoring the backup",
        };
        writeln!(f, "the way back: {way_back}")?;
        self.findings.iter().try_for_each(|finding| writeln!(f, "{finding}"))
    }
}
