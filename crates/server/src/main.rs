//! The command line `exuvia`.

#![forbid(unsafe_code)]

mod chain_folder;
mod chain_place;
mod command;
mod difference;
mod failure;
mod laws;
mod lock_file;
mod ndjson;
mod output;
mod progress;
mod samples;
mod schema_fields;
mod site;
mod stand_in;

use std::process::ExitCode;

use clap::Parser;

use command::Command;
use failure::Failure;
use output::Output;

/// Moves documents along one chain of typed, reversible steps.
#[derive(Parser)]
#[command(name = "exuvia", version, propagate_version = true, after_help = EXIT_CODES, after_long_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    output: Output,
}

const EXIT_CODES: &str = "Exit codes:
  0  done; compared things are the same
  1  the chain or a record is at fault; compared things differ
  2  wrong arguments
  3  a file or a pipe failed
  4  paused, or another runner is at work: run it again, and it goes on";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.tell(std::env::args_os().any(|argument| argument == "--json"));
            ExitCode::from(failure.exit_code())
        }
    }
}

fn run() -> Result<(), Failure> {
    let Arguments { command, output } = Arguments::try_parse().map_err(Failure::Usage)?;
    command.run(output)
}
