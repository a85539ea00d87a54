use std::cell::{Cell, RefCell};
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use exuvia_core::chain::{Chain, Lock, Migration};
use exuvia_core::protocol::{Progress, Request, Run, Stage, State, run};
use exuvia_server::database::{Backups, Database, Finding, Listener, Pace, Policy, Stop, Table, Tables};
use serde::Serialize;
use tempfile::TempDir;

/// A table `documents (id, doc)` in a database that is measured.
pub trait Contestant {
    type Database: Database;

    /// Takes the table to where it was, with so many rows.
    fn fill(&self, rows: usize);

    /// Nest and default in one statement.
    fn update(&self);

    /// The same in plain batches, a transaction each.
    fn batches(&self, rows: usize);

    /// As Exuvia opens it.
    async fn open(&self) -> Self::Database;
}

/// One case, in the form of the other benches.
#[derive(Serialize)]
pub struct Case {
    pub case: String,
    pub value: f64,
    pub unit: &'static str,
    pub vs: Vec<String>,
}

pub const DOCUMENT: &str = r#"{"model":"large","mode":"balanced","title":"A conversation of no great length","tags":["a","b","c"],"text":"What somebody wrote, about as long as what people write into the first message of a conversation when they are in a hurry."}"#;

const MIGRATIONS: [&str; 2] = [
    r#"{ "exuvia": 1, "id": "baseline", "collections": { "documents": { "layout": { "prefix": "document:" },
        "schema": { "type": "object", "required": ["model", "mode"], "properties": {
            "model": { "type": "string" }, "mode": { "type": "string" } } } } } }"#,
    r#"{ "exuvia": 1, "id": "settings", "parents": ["baseline"], "change": { "documents": [
        { "nest": ["/model", "/mode"], "under": "/settings" }, { "add": "/settings/auto", "value": false } ] } }"#,
];

/// Rows in each of the plain batches.
pub const BATCH: usize = 1_000;

/// Each case on the same data, in turns; medians of the rounds.
pub fn hold<C: Contestant>(make: &dyn Fn(&Path) -> C, name: &str, rows: usize, rounds: usize) -> Vec<Case> {
    let mut found: [Vec<f64>; 5] = Default::default();
    for round in 0..rounds {
        eprintln!("{name}: round {} of {rounds}", round + 1);
        let folder = TempDir::new().unwrap();
        let table = make(folder.path());
        let timed = |work: &dyn Fn()| {
            table.fill(rows);
            let begun = Instant::now();
            work();
            rows as f64 / begun.elapsed().as_secs_f64()
        };
        found[0].push(timed(&|| table.update()));
        found[1].push(timed(&|| table.batches(rows)));
        table.fill(rows);
        let measured = exuvia(&table, folder.path(), Pace::default());
        found[2].push(rows as f64 / (measured.swept - measured.applied).as_secs_f64());
        found[3].push(rows as f64 / measured.whole.as_secs_f64());
        found[4].push(measured.longest.as_secs_f64() * 1e3);
    }
    let named = |what: &str| format!("{name} {what}");
    let vs = || vec![named("update"), named("batches")];
    let case =
        |what: &str, values: &[f64], unit, vs| Case { case: named(what), value: median(values).round(), unit, vs };
    vec![
        case("update", &found[0], "rows/s", Vec::new()),
        case("batches", &found[1], "rows/s", Vec::new()),
        case("exuvia, what it writes", &found[2], "rows/s", vs()),
        case("exuvia, backup and rehearsal too", &found[3], "rows/s", vs()),
        case("exuvia, longest batch", &found[4], "ms", Vec::new()),
    ]
}

pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// What a run took.
pub struct Measured {
    /// When it began to write.
    pub applied: Instant,
    /// When the version had changed.
    pub swept: Instant,
    pub whole: Duration,
    pub longest: Duration,
}

/// When the stages began, and the longest batch of those that wrote.
struct Clock {
    stage: Cell<Option<Stage>>,
    stages: RefCell<Vec<(Stage, Instant)>>,
    longest: Cell<Duration>,
}

impl Listener for Clock {
    fn progress(&self, _: &Run, progress: Progress) {
        if self.stage.replace(Some(progress.stage)) != Some(progress.stage) {
            self.stages.borrow_mut().push((progress.stage, Instant::now()));
        }
    }

    fn batch(&self, _: &Run, _: &str, _: u64, held: Duration) {
        if self.stage.get() == Some(Stage::Apply) {
            self.longest.set(self.longest.get().max(held));
        }
    }

    fn waits(&self, _: &Run, _: &str) {}

    fn findings(&self, _: &Run, _: &[Finding]) {}
}

pub fn exuvia<C: Contestant>(contestant: &C, folder: &Path, pace: Pace) -> Measured {
    let migrations = MIGRATIONS.iter().map(|text| Migration::parse(text).unwrap()).collect();
    let chain = Chain::arrange(migrations, &Lock::default()).unwrap();
    let tables =
        [Table { collection: "documents".into(), name: "documents".into(), key: "id".into(), document: "doc".into() }];
    let policy = Policy { allowed: Vec::new(), pace, wait: Duration::from_secs(1), who: "a bench".into() };
    let clock = Rc::new(Clock { stage: Cell::new(None), stages: RefCell::default(), longest: Cell::default() });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let begun = Instant::now();
    let status = runtime.block_on(async {
        let database = contestant.open().await;
        let backups = Backups::new(&folder.join("backups"), 1);
        let target = Tables {
            database: &database,
            tables: &tables,
            backups: &backups,
            policy: &policy,
            stop: Stop::default(),
            listener: clock.clone(),
            findings: RefCell::default(),
        };
        run(&target, &chain, Request::Migrate { retry: true }).await.unwrap()
    });
    assert_eq!(status.state, State::Current, "{status:?}");
    let whole = begun.elapsed();
    let stages = clock.stages.borrow();
    let at = |wanted| stages.iter().find(|(stage, _)| *stage == wanted).unwrap().1;
    Measured { applied: at(Stage::Apply), swept: at(Stage::Sweep), whole, longest: clock.longest.get() }
}
