//! What happened in a run and when, a line each, so that a run that was interrupted has one story in the end.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use exuvia_core::protocol::Stage;
use serde::{Deserialize, Serialize};

const FILE: &str = "timeline.ndjson";

/// One line.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub(crate) enum Moment {
    /// A stage began.
    Stage { at: i64, stage: String },
    /// A batch ended. The time that others may have waited for it, in milliseconds.
    Batch { at: i64, stage: String, collection: String, rows: u64, held: f64 },
    /// What was found before the run.
    Finding { at: i64, rule: String, level: String, message: String },
    /// The run waited between two batches, and for what.
    Wait { at: i64, cause: String },
}

/// The story of a run, as it grows.
pub(crate) struct Timeline {
    file: Option<File>,
}

impl Timeline {
    /// Goes on with the story of a run. Where it cannot be written the run does not wait for it.
    pub(crate) fn open(place: &Path) -> Self {
        let opened =
            fs::create_dir_all(place).and_then(|()| File::options().append(true).create(true).open(place.join(FILE)));
        Self { file: opened.ok() }
    }

    pub(crate) fn note(&mut self, moment: &Moment) {
        let Some(file) = &mut self.file else { return };
        let line = serde_json::to_string(moment).unwrap_or_default();
        if writeln!(file, "{line}").is_err() {
            self.file = None;
        }
    }

    /// The story so far. A line that was cut off by a death is left out.
    pub(crate) fn read(place: &Path) -> Vec<Moment> {
        let Ok(file) = File::open(place.join(FILE)) else { return Vec::new() };
        let lines = BufReader::new(file).lines().map_while(Result::ok);
        lines.filter_map(|line| serde_json::from_str(&line).ok()).collect()
    }
}

/// A stage's word.
pub(crate) fn word(stage: Stage) -> &'static str {
    match stage {
        Stage::Inspect => "inspect",
        Stage::Assess => "assess",
        Stage::Snapshot => "snapshot",
        Stage::Rehearse => "rehearse",
        Stage::Apply => "apply",
        Stage::Validate => "validate",
        Stage::Commit => "commit",
        Stage::Restore => "restore",
        Stage::Sweep => "sweep",
    }
}
