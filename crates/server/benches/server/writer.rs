//! How long somebody waits who writes single rows, alone and beside a run.

use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ::postgres::{Client, NoTls};
use exuvia_server::database::Pace;
use tempfile::TempDir;

use crate::contest::{Case, Contestant, DOCUMENT, exuvia, median};
use crate::postgres::Table;
use crate::server::Server;

/// Between two writes.
const PAUSE: Duration = Duration::from_millis(1);

/// How long it writes alone.
const ALONE: Duration = Duration::from_secs(3);

/// The share of the time that a run works which holds itself back.
const SHARE: f64 = 0.25;

/// The 95th percentiles, in milliseconds; medians of the rounds.
pub fn hold(server: &Rc<Server>, name: &str, rows: usize, rounds: usize) -> Vec<Case> {
    let mut found: [Vec<f64>; 3] = Default::default();
    for round in 0..rounds {
        eprintln!("a writer, {name}: round {} of {rounds}", round + 1);
        let table = Table::on(server);
        table.fill(rows);
        let end = Instant::now() + ALONE;
        found[0].push(percentile(&write(&server.url(), rows, &|| Instant::now() < end)));
        for (index, share) in [(1, 1.0), (2, SHARE)] {
            found[index].push(beside(&table, &server.url(), rows, Pace { share, ..Pace::default() }));
        }
    }
    let alone = format!("{name} writer, alone, p95");
    let case = |case: String, values: &[f64], vs| Case {
        case,
        value: (median(values) * 100.0).round() / 100.0,
        unit: "ms",
        vs,
    };
    vec![
        case(alone.clone(), &found[0], Vec::new()),
        case(format!("{name} writer, beside exuvia, p95"), &found[1], vec![alone.clone()]),
        case(format!("{name} writer, beside exuvia --share 25, p95"), &found[2], vec![alone]),
    ]
}

/// Writes while a run moves the table, and looks at what it waited from the run's first write to the new version.
fn beside(table: &Table, url: &str, rows: usize, pace: Pace) -> f64 {
    table.fill(rows);
    let folder = TempDir::new().unwrap();
    let goes_on = AtomicBool::new(true);
    thread::scope(|scope| {
        let writer = scope.spawn(|| write(url, rows, &|| goes_on.load(Ordering::Relaxed)));
        let end = End(&goes_on);
        let measured = exuvia(table, folder.path(), pace);
        drop(end);
        let mut waited = writer.join().unwrap();
        waited.retain(|(at, _)| (measured.applied..measured.swept).contains(at));
        percentile(&waited)
    })
}

/// Ends the writing, also where a run fails.
struct End<'e>(&'e AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// Writes whole rows of the old form by random keys, as who knows nothing of the new one does. Answers with when each was
/// written and how long that took.
fn write(url: &str, rows: usize, goes_on: &dyn Fn() -> bool) -> Vec<(Instant, Duration)> {
    let mut client = Client::connect(url, NoTls).unwrap();
    let sql = format!("UPDATE documents SET doc = '{DOCUMENT}' WHERE id = $1");
    let update = client.prepare(&sql).unwrap();
    let mut waited = Vec::new();
    while goes_on() {
        let begun = Instant::now();
        client.execute(&update, &[&fastrand::i64(0..rows as i64)]).unwrap();
        waited.push((begun, begun.elapsed()));
        thread::sleep(PAUSE);
    }
    waited
}

fn percentile(waited: &[(Instant, Duration)]) -> f64 {
    let mut sorted: Vec<_> = waited.iter().map(|(_, took)| took.as_secs_f64() * 1e3).collect();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() * 95 / 100]
}
