//! The command line `exuvia`.

#![forbid(unsafe_code)]

mod chain_folder;
mod command;
mod failure;

use std::process::ExitCode;

use clap::Parser;

use command::Command;

/// Moves documents along one chain of typed, reversible steps.
#[derive(Parser)]
#[command(name = "exuvia", version, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    match Arguments::parse().command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}
