//! What a command prints when it is done.

use std::fmt::Display;
use std::io::{self, Write};

use clap::Args;
use serde::Serialize;

use crate::failure::Failure;

/// How people or programs want to hear what came of it.
#[derive(Args, Clone, Copy)]
pub(crate) struct Output {
    /// Speak JSON: the report on standard output, an error as one object on standard error
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

impl Output {
    /// Prints a report, or the line of one that is written as it grows.
    pub(crate) fn print(self, report: &(impl Display + Serialize)) -> Result<(), Failure> {
        match self.json {
            true => write(&serde_json::to_string(report).map_err(io::Error::from).map_err(Failure::stdout)?),
            false => write(&report.to_string()),
        }
    }
}

/// Prints a text, and ends its last line.
pub(crate) fn write(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    out.write_all(text.as_bytes()).and_then(|()| out.write_all(end.as_bytes())).map_err(Failure::stdout)
}

/// A line as terminals may have it: names in records can hold what a terminal would obey.
pub(crate) fn printable(line: &str) -> String {
    let shown = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    line.chars().map(shown).collect()
}
