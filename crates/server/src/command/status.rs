use std::fmt;

use clap::Args;
use exuvia_core::document::{Json, Value};
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
    pub(crate) status: exuvia_core::protocol::Status,
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
    pub(crate) fn report(&self, status: exuvia_core::protocol::Status) -> Report {
        Report { database: self.database.describe(), status }
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = self.status.to_value().members().unwrap_or_default();
        members.insert("database", Value::from(&*self.database));
        let text = Value::Object(members).to_json();
        serde_json::from_str::<serde_json::Value>(&text).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exuvia_core::protocol::Status { state, version, target, problem, last_run } = &self.status;
        let state = state.to_value().to_json();
        let state = state.trim_matches('"');
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
            let outcome = run.outcome.to_value().to_json();
            let records: u64 = run.records.values().sum();
            writeln!(
                f,
                "  last run {}: version {} -> {}, {}, {records} records, {:.1} s",
                run.run,
                run.from,
                run.to,
                outcome.trim_matches('"'),
                run.took_ms as f64 / 1e3
            )?;
            run.notes.iter().try_for_each(|note| writeln!(f, "  {}", printable(note)))?;
        }
        Ok(())
    }
}
