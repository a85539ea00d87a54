use std::fmt;

use clap::Args;
use exuvia_core::document::{Json, write_members};
use exuvia_core::protocol;
use exuvia_server::database::Database;
use serde::{Serialize, Serializer};

use crate::failure::Failure;
use crate::output::{Output, printable};
use crate::site::{Errand, Pressure, Site, Where};

/// Say where a database stands to the chain
#[derive(Args)]
pub(crate) struct Status {
    #[command(flatten)]
    place: Where,
}

/// The state, and the database it is of.
pub(crate) struct Report {
    pub(crate) database: String,
    pub(crate) status: protocol::Status,
}

struct Look {
    output: Output,
}

impl Status {
    pub(crate) fn run(self, output: Output) -> Result<(), Failure> {
        self.place.go(&Pressure::none(), Look { output })
    }
}

impl Errand for Look {
    async fn run<D: Database>(self, site: &Site<'_, D>) -> Result<(), Failure> {
        self.output.print(&site.report(site.status().await?))
    }
}

impl<D: Database> Site<'_, D> {
    pub(crate) fn report(&self, status: protocol::Status) -> Report {
        Report { database: self.database.describe(), status }
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::new();
        let protocol::Status { state, version, target, problem, last_run } = &self.status;
        let members: [(&str, Option<&dyn Json>); 6] = [
            ("state", Some(state)),
            ("version", Some(version)),
            ("target", Some(target)),
            ("problem", Some(problem)),
            ("lastRun", Some(last_run)),
            ("database", Some(&self.database)),
        ];
        write_members(&members, &mut text);
        serde_json::from_str::<serde_json::Value>(&text).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol::Status { state, version, target, problem, last_run } = &self.status;
        let state = state.word();
        match version.0 {
            0 => writeln!(f, "{}: {state}, no version noted yet, of {target}", self.database)?,
            _ => writeln!(f, "{}: {state}, version {version} of {target}", self.database)?,
        }
        if let Some(problem) = problem {
            let places = [
                ("migration", &problem.migration),
                ("collection", &problem.collection),
                ("record", &problem.record),
                ("step", &problem.step),
                ("path", &problem.path),
            ];
            let places = places.iter().filter_map(|(name, place)| Some(format!("{name} {}, ", place.as_ref()?)));
            writeln!(f, "  {}", printable(&format!("{}{}", places.collect::<String>(), problem.message)))?;
        }
        if let Some(run) = last_run {
            let records: u64 = run.records.values().sum();
            writeln!(
                f,
                "  last run {}: version {} -> {}, {}, {records} records, {:.1} s",
                run.run,
                run.from,
                run.to,
                run.outcome.word(),
                run.took_ms as f64 / 1e3
            )?;
            run.notes.iter().try_for_each(|note| writeln!(f, "  {}", printable(note)))?;
        }
        Ok(())
    }
}
