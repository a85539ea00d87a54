//! The report of a run: one HTML file that needs nothing else, and the same as JSON.

use std::collections::BTreeMap;

use exuvia_core::chain::{Chain, Version};
use exuvia_server::database::{Entry, Event, Manifest, Table};
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde::Serialize;

use super::timeline::Moment;
use crate::failure::Failure;
use crate::schema_fields;

/// Everything that is known of a run.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    run: String,
    database: String,
    from: u32,
    to: u32,
    log: Vec<Entry>,
    stages: Vec<Span>,
    findings: Vec<Found>,
    /// When it waited because the database was busy.
    waits: Vec<Wait>,
    schemas: BTreeMap<String, Vec<schema_fields::Difference>>,
    batches: Vec<Batches>,
    backup: Option<Backup>,
    way_back: Vec<WayBack>,
    #[serde(skip)]
    points: Vec<Point>,
}

/// A stage and how long it took.
#[derive(Serialize)]
struct Span {
    stage: String,
    at: i64,
    milliseconds: i64,
}

#[derive(Serialize)]
struct Found {
    rule: String,
    level: String,
    message: String,
}

#[derive(Serialize)]
struct Wait {
    at: i64,
    cause: String,
}

/// The batches of one stage.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Batches {
    stage: String,
    collection: String,
    count: usize,
    rows: u64,
    rows_per_second: u64,
    /// How long other writers may have waited for one, in milliseconds.
    median_held: f64,
    p95_held: f64,
    longest_held: f64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Backup {
    file: String,
    bytes: u64,
    digest: String,
    tables: usize,
    rows: u64,
}

/// A command, and what it does.
#[derive(Serialize)]
struct WayBack {
    command: String,
    does: String,
}

struct Point {
    stage: String,
    at: i64,
    rows: u64,
    held: f64,
}

impl Report {
    pub(crate) fn new(
        run: &str,
        database: String,
        chain: &Chain,
        tables: &[Table],
        log: Vec<Entry>,
        story: Vec<Moment>,
        backup: Option<(Manifest, String)>,
    ) -> Result<Self, Failure> {
        let log: Vec<_> = log.into_iter().filter(|entry| entry.run == run).collect();
        let (from, to) = log.first().map_or((0, 0), |entry| (entry.from, entry.to));
        // What was done to it later is no part of it.
        let end = log.iter().rev().find(|entry| entry.event != Event::BroughtBack).map_or(0, |entry| entry.at);
        let mut points = Vec::new();
        let mut findings = Vec::new();
        let mut begun = Vec::new();
        let mut waits = Vec::new();
        for moment in story {
            match moment {
                Moment::Stage { at, stage } => begun.push((at, stage)),
                Moment::Batch { at, stage, rows, held, collection } => {
                    points.push((collection, Point { stage, at, rows, held }));
                }
                Moment::Finding { rule, level, message, .. } => findings.push(Found { rule, level, message }),
                Moment::Wait { at, cause } => waits.push(Wait { at, cause }),
            }
        }
        let ends: Vec<_> = begun.iter().skip(1).map(|(at, _)| *at).chain([end]).collect();
        let spans = begun.into_iter().zip(ends);
        let stages =
            spans.map(|((at, stage), end)| Span { stage, at, milliseconds: (end - at).max(0) }).collect::<Vec<_>>();
        let batches = Batches::of(&points);
        Ok(Self {
            run: run.to_owned(),
            database,
            from,
            to,
            stages,
            findings,
            waits,
            schemas: schemas(chain, tables, Version(from), Version(to))?,
            batches,
            way_back: way_back(run, from, to, backup.is_some()),
            backup: backup.map(|(manifest, file)| Backup {
                file,
                bytes: manifest.bytes,
                digest: manifest.digest,
                tables: manifest.tables.len(),
                rows: manifest.tables.iter().map(|table| table.rows).sum(),
            }),
            log,
            points: points.into_iter().map(|(_, point)| point).collect(),
        })
    }

    /// The report as a page.
    pub(crate) fn page(&self) -> String {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { "Exuvia run " (self.run) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    (self.heading())
                    (self.phases())
                    (self.found())
                    (self.schema_differences())
                    (self.pace())
                    (self.back())
                    (self.story())
                }
            }
        }
        .into_string()
    }

    fn heading(&self) -> Markup {
        let outcome = self.log.last().map_or("unknown", |entry| entry.event.name());
        html! {
            header {
                h1 { "Version " (self.from) " → " (self.to) " " span class={ "outcome " (outcome) } { (outcome) } }
                p { code { (self.run) } " on " code { (self.database) }
                    @if let Some(first) = self.log.first() { ", by " (first.who) ", " (time(first.at)) } }
            }
        }
    }

    fn phases(&self) -> Markup {
        let whole = self.stages.iter().map(|span| span.milliseconds).sum::<i64>().max(1) as f64;
        html! {
            h2 { "Phases" }
            @if self.stages.is_empty() { p { "Nothing is known of its phases: its timeline is not in the backups' folder." } }
            table {
                @for span in &self.stages {
                    tr {
                        td { (span.stage) }
                        td class="number" { (duration(span.milliseconds)) }
                        td class="wide" {
                            div class="bar" style={ "width:" (format!("{:.2}", 100.0 * span.milliseconds as f64 / whole)) "%" } {}
                        }
                    }
                }
            }
        }
    }

    fn found(&self) -> Markup {
        html! {
            h2 { "Findings" }
            @if self.findings.is_empty() { p { "None." } }
            ul {
                @for found in &self.findings {
                    li { span class={ "level " (found.level) } { (found.level) } " " code { (found.rule) } " " (found.message) }
                }
            }
        }
    }

    fn schema_differences(&self) -> Markup {
        html! {
            h2 { "What the documents permit" }
            @for (collection, differences) in &self.schemas {
                h3 { (collection) }
                table {
                    tr { th { "path" } th { "version " (self.from) } th { "version " (self.to) } }
                    @for difference in differences {
                        tr {
                            td { code { (if difference.path.is_empty() { "(the record)" } else { &difference.path }) } }
                            td { (difference.before.as_deref().unwrap_or("undeclared")) }
                            td { (difference.after.as_deref().unwrap_or("undeclared")) }
                        }
                    }
                }
            }
        }
    }

    fn pace(&self) -> Markup {
        html! {
            h2 { "Batches" }
            @if self.batches.is_empty() { p { "No row was moved." } } @else {
                table {
                    tr { th { "stage" } th { "collection" } th { "batches" } th { "rows" } th { "rows/s" }
                         th { "held, median" } th { "p95" } th { "longest" } }
                    @for batches in &self.batches {
                        tr {
                            td { (batches.stage) } td { (batches.collection) }
                            td class="number" { (batches.count) } td class="number" { (batches.rows) }
                            td class="number" { (batches.rows_per_second) }
                            @for held in [batches.median_held, batches.p95_held, batches.longest_held] {
                                td class="number" { (format!("{held:.1} ms")) }
                            }
                        }
                    }
                }
                @if !self.waits.is_empty() {
                    p { "It waited for others:" }
                    ul { @for wait in &self.waits { li { (time(wait.at)) " " (wait.cause) } } }
                }
                @for (title, value) in [("Rows in a batch", &(|point: &Point| point.rows as f64) as &dyn Fn(&Point) -> f64),
                                        ("How long others may have waited for it, in milliseconds", &|point: &Point| point.held)] {
                    figure { figcaption { (title) } (plot(&self.points, value)) }
                }
            }
        }
    }

    fn back(&self) -> Markup {
        html! {
            h2 { "The way back" }
            ol { @for way in &self.way_back { li { code { (way.command) } " " (way.does) } } }
            @if let Some(backup) = &self.backup {
                p { "The backup is " code { (backup.file) } ": " (backup.rows) " rows in " (backup.tables) " tables, "
                    (backup.bytes) " bytes, BLAKE3 " code { (backup.digest) } "." }
            }
        }
    }

    fn story(&self) -> Markup {
        html! {
            h2 { "Log" }
            table {
                @for entry in &self.log {
                    tr { td { (time(entry.at)) } td { (entry.event.name()) } td { (entry.who) } td { (entry.note) } }
                }
            }
        }
    }
}

impl Batches {
    fn of(points: &[(String, Point)]) -> Vec<Self> {
        let mut groups: BTreeMap<(&str, &str), Vec<&Point>> = BTreeMap::new();
        for (collection, point) in points {
            groups.entry((&point.stage, collection)).or_default().push(point);
        }
        let group = |((stage, collection), points): ((&str, &str), Vec<&Point>)| {
            let mut held: Vec<_> = points.iter().map(|point| point.held).collect();
            held.sort_by(f64::total_cmp);
            let at = |share: f64| held.get(((held.len() - 1) as f64 * share).round() as usize).copied().unwrap_or(0.0);
            let rows = points.iter().map(|point| point.rows).sum();
            let seconds = held.iter().sum::<f64>().max(0.1) / 1e3;
            Self {
                stage: stage.to_owned(),
                collection: collection.to_owned(),
                count: points.len(),
                rows,
                rows_per_second: (rows as f64 / seconds) as u64,
                median_held: at(0.5),
                p95_held: at(0.95),
                longest_held: at(1.0),
            }
        };
        groups.into_iter().map(group).collect()
    }
}

/// Of the collections that are in the database.
fn schemas(
    chain: &Chain,
    tables: &[Table],
    from: Version,
    to: Version,
) -> Result<BTreeMap<String, Vec<schema_fields::Difference>>, Failure> {
    let mut found = BTreeMap::new();
    for (name, before) in chain.collections(from) {
        let is_bound = tables.iter().any(|table| table.collection == *name);
        let Some(after) = chain.collections(to).get(name).filter(|_| is_bound) else { continue };
        let differences = schema_fields::differences(&before.schema, &after.schema)?;
        if !differences.is_empty() {
            found.insert(name.clone(), differences);
        }
    }
    Ok(found)
}

fn way_back(run: &str, from: u32, to: u32, has_backup: bool) -> Vec<WayBack> {
    let down = WayBack {
        command: if from < to { format!("exuvia down --to {from}") } else { "exuvia up".to_owned() },
        does: format!("takes every record from version {to} to version {from}, with what was written since."),
    };
    let restore = WayBack {
        command: format!("exuvia restore {run}"),
        does: "makes the whole database what it was before the run. What was written since is in the backup that it makes first, and nowhere else.".to_owned(),
    };
    if has_backup { vec![down, restore] } else { vec![down] }
}

/// Points over time, as an SVG of their own.
fn plot(points: &[Point], value: &dyn Fn(&Point) -> f64) -> Markup {
    const WIDTH: f64 = 900.0;
    const HEIGHT: f64 = 140.0;
    let (first, last) = (points.first().map_or(0, |point| point.at), points.last().map_or(1, |point| point.at));
    let span = (last - first).max(1) as f64;
    let top = points.iter().map(value).fold(1.0, f64::max);
    let at = |point: &Point| ((point.at - first) as f64 / span * WIDTH, HEIGHT - value(point) / top * (HEIGHT - 16.0));
    html! {
        svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" {
            line x1="0" y1=(HEIGHT) x2=(WIDTH) y2=(HEIGHT) class="axis" {}
            text x="0" y="12" { (format!("{top:.0}")) }
            text x=(WIDTH) y=(HEIGHT - 4.0) text-anchor="end" { (duration(last - first)) }
            @for point in points {
                @let (x, y) = at(point);
                circle cx=(format!("{x:.1}")) cy=(format!("{y:.1}")) r="2" class=(point.stage) {}
            }
        }
    }
}

fn time(at: i64) -> String {
    Timestamp::from_millisecond(at).unwrap_or_default().strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn duration(milliseconds: i64) -> String {
    match milliseconds {
        0..1_000 => format!("{milliseconds} ms"),
        1_000..120_000 => format!("{:.1} s", milliseconds as f64 / 1e3),
        _ => format!("{} min {} s", milliseconds / 60_000, milliseconds / 1_000 % 60),
    }
}

const STYLE: &str = "
:root { color-scheme: light dark; --ink: light-dark(#1d2327, #e6e6e6); --faint: light-dark(#68737d, #9aa5ae); --line: light-dark(#dde2e6, #3a4248); --accent: light-dark(#2f6f4f, #6fbf95); --bad: light-dark(#a8321f, #f08a76); }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: var(--ink); background: light-dark(#fff, #171b1e); }
h1 { font-size: 1.5rem; margin-bottom: .2rem; } h2 { font-size: 1.1rem; margin-top: 2rem; } h3 { font-size: 1rem; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--faint); font-weight: 500; } .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; } .wide { width: 60%; }
.bar { background: var(--accent); height: .7rem; min-width: 1px; margin-top: .35rem; border-radius: 2px; }
.outcome { font-size: 1rem; font-weight: 500; color: var(--accent); } .restored, .refused, .stuck, .forgotten, .turned-back { color: var(--bad); }
.level { display: inline-block; min-width: 4rem; color: var(--faint); } .level.error { color: var(--bad); } ul { padding-left: 1rem; }
code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere; } figure { margin: 1rem 0; } figcaption { color: var(--faint); }
svg { width: 100%; } svg text { font-size: 11px; fill: var(--faint); } .axis { stroke: var(--line); } circle { fill: var(--accent); } circle.rehearse { fill: var(--faint); } circle.restore { fill: var(--bad); }
";
