//! The commands, a file each.

mod check;
mod completions;
mod diff;
mod explain;
mod infer;
mod lock;
mod new;
mod translate;
mod types;

use clap::Subcommand;

use crate::failure::Failure;
use crate::output::Output;

#[derive(Subcommand)]
pub(crate) enum Command {
    New(new::New),
    Infer(infer::Infer),
    Lock(lock::Lock),
    Check(check::Check),
    Explain(explain::Explain),
    Types(types::Types),
    Translate(translate::Translate),
    Diff(diff::Diff),
    Completions(completions::Completions),
}

impl Command {
    pub(crate) fn run(self, output: Output) -> Result<(), Failure> {
        match self {
            Command::New(new) => new.run(output),
            Command::Infer(infer) => infer.run(),
            Command::Lock(lock) => lock.run(output),
            Command::Check(check) => check.run(output),
            Command::Explain(explain) => explain.run(output),
            Command::Types(types) => types.run(),
            Command::Translate(translate) => translate.run(),
            Command::Diff(diff) => diff.run(output),
            Command::Completions(completions) => completions.run(),
        }
    }
}
