//! The commands, a file each.

mod lock;
mod translate;

use clap::Subcommand;

use crate::failure::Failure;

#[derive(Subcommand)]
pub(crate) enum Command {
    Lock(lock::Lock),
    Translate(translate::Translate),
}

impl Command {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self {
            Command::Lock(lock) => lock.run(),
            Command::Translate(translate) => translate.run(),
        }
    }
}
