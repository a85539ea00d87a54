//! Builds, shows and tests Exuvia: `cargo xtask help`.
//!
//! A command is a module with a `run`. What it needs on the machine it asks of `setup`, which installs only what is
//! missing, so that every command works from a fresh clone.

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::process::ExitCode;
use workspace::Workspace;

mod bench;
mod build;
mod demo;
mod docs;
mod extension;
mod failures;
mod kill;
mod package;
mod setup;
mod size;
mod test;
mod totals;
mod workspace;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds, shows and tests Exuvia")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the npm package in pkg/ and the extension in dist/
    Build {
        /// Also build what the demo and the tests update between
        #[arg(long)]
        variants: bool,
    },
    /// Update the extension in a browser, with data, and undo it after a fault
    Demo {
        /// Show the browser
        #[arg(long)]
        headed: bool,
    },
    /// Run every check and test
    Test {
        /// Try many more random cases
        #[arg(long)]
        long: bool,
    },
    /// Kill the browser and the extension in the middle of their runs, and compare every record
    Kill {
        /// How many runs
        #[arg(long, default_value_t = kill::RUNS)]
        runs: u32,
        /// The first run's seed; each run after it has the next
        #[arg(long, default_value_t = 1)]
        seed: u32,
    },
    /// Write the reference of the steps, and the schema of chain files, anew
    Docs,
    /// Measure what something costs beside what could be done instead
    Bench {
        #[command(subcommand)]
        what: bench::Bench,
    },
    /// Do to Exuvia and to others what has gone wrong elsewhere
    Failures,
    /// Show how much a user of the package downloads, and fail where that is too much
    Size,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let ws = Workspace::open()?;
    match Cli::parse().command {
        Command::Build { variants } => build::run(&ws, variants),
        Command::Demo { headed } => demo::run(&ws, headed),
        Command::Test { long } => test::run(&ws, long),
        Command::Kill { runs, seed } => kill::run(&ws, runs, seed),
        Command::Bench { what } => bench::run(&ws, &what),
        Command::Docs => docs::run(&ws),
        Command::Failures => failures::run(&ws),
        Command::Size => size::run(&ws),
    }
}
