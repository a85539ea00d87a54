//! The commands, a file each.

mod infer;
mod lock;
mod translate;
mod types;

use clap::Subcommand;

use crate::failure::Failure;

#[derive(Subcommand)]
pub(crate) enum Command {
    Infer(infer::Infer),
    Lock(lock::Lock),
    Translate(translate::Translate),
    Types(types::Types),
}

impl Command {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self {
            Command::Infer(infer) => infer.run(),
            Command::Lock(lock) => lock.run(),
            Command::Translate(translate) => translate.run(),
            Command::Types(types) => types.run(),
        }
    }
}
