use std::fmt;

use clap::Args;
use exuvia_server::database::{Database, Entry};
use jiff::Timestamp;
use serde::Serialize;

use crate::failure::Failure;
use crate::output::{Output, printable};
use crate::site::{Errand, Pressure, Report as Page, Site, Timeline, Where};

/// Show what happened to a database's data, oldest first
#[derive(Args)]
pub(crate) struct Log {
    #[command(flatten)]
    place: Where,
}

/// Write the report of a run, as one HTML file and as JSON
#[derive(Args)]
pub(crate) struct Report {
    #[command(flatten)]
    place: Where,
    /// Which run, as `exuvia log` names it; the last where it is not given
    run: Option<String>,
}

struct Show {
    output: Output,
}

struct Write {
    run: Option<String>,
    output: Output,
}

#[derive(Serialize)]
#[serde(transparent)]
struct Line(Entry);

#[derive(Serialize)]
struct Written {
    html: String,
    json: String,
}

impl Log {
    pub(crate) fn run(self, output: Output) -> Result<(), Failure> {
        self.place.go(&Pressure::none(), Show { output })
    }
}

impl Report {
    pub(crate) fn run(self, output: Output) -> Result<(), Failure> {
        self.place.go(&Pressure::none(), Write { run: self.run, output })
    }
}

impl Errand for Show {
    async fn run<D: Database>(self, site: &Site<'_, D>) -> Result<(), Failure> {
        site.database.log().await?.into_iter().try_for_each(|entry| self.output.print(&Line(entry)))
    }
}

impl Errand for Write {
    async fn run<D: Database>(self, site: &Site<'_, D>) -> Result<(), Failure> {
        let log = site.database.log().await?;
        let last = || log.last().map(|entry| entry.run.clone());
        let Some(run) = self.run.or_else(last) else {
            return Err(Failure::usage("expected a run, found that this database has had none"));
        };
        if log.iter().all(|entry| entry.run != run) {
            return Err(Failure::usage(format!("expected a run that `exuvia log` names, found {run:?}")));
        }
        self.output.print(&site.try_report(&run).await?)
    }
}

impl<D: Database> Site<'_, D> {
    /// Writes the report of a run, where there was one. A report that cannot be written takes nothing from the run.
    pub(crate) async fn write_report(&self, run: Option<&str>) {
        if let Some(run) = run {
            let _ = self.try_report(run).await;
        }
    }

    async fn try_report(&self, run: &str) -> Result<Written, Failure> {
        let place = self.backups.place(run);
        let backup = self.backups.manifest(run).ok();
        let backup = backup.map(|manifest| (manifest, self.backups.file(run).display().to_string()));
        let log = self.database.log().await?;
        let (name, tables, story) = (self.database.describe(), &self.project.tables, Timeline::read(&place));
        let page = Page::new(run, name, self.chain, tables, log, story, backup)?;
        let (html, json) = (place.join("report.html"), place.join("report.json"));
        std::fs::create_dir_all(&place).map_err(Failure::file(&place))?;
        std::fs::write(&html, page.page()).map_err(Failure::file(&html))?;
        let text = serde_json::to_string_pretty(&page).unwrap_or_default();
        std::fs::write(&json, text).map_err(Failure::file(&json))?;
        Ok(Written { html: html.display().to_string(), json: json.display().to_string() })
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Entry { at, run, event, from, to, who, note, .. } = &self.0;
        let time = Timestamp::from_millisecond(*at).unwrap_or_default().strftime("%Y-%m-%d %H:%M:%S");
        let line = format!("{time}  {run}  {:<12} {from} -> {to}  {who}  {note}", event.name());
        writeln!(f, "{}", printable(line.trim_end()))
    }
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}", self.html, self.json)
    }
}
