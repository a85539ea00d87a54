//! The commands, a file each.

mod backup;
mod check;
mod completions;
mod demo;
mod diff;
mod explain;
mod infer;
mod lock;
mod log;
mod new;
mod plan;
mod rehearse;
mod restore;
mod status;
mod translate;
mod types;
mod up;

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
    Status(status::Status),
    Plan(plan::Plan),
    Rehearse(rehearse::Rehearse),
    Up(up::Up),
    Down(up::Down),
    Backup(backup::Backup),
    Verify(backup::Verify),
    Restore(restore::Restore),
    Log(log::Log),
    Report(log::Report),
    Demo(demo::Demo),
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
            Command::Status(status) => status.run(output),
            Command::Plan(plan) => plan.run(output),
            Command::Rehearse(rehearse) => rehearse.run(output),
            Command::Up(up) => up.run(output),
            Command::Down(down) => down.run(output),
            Command::Backup(backup) => backup.run(output),
            Command::Verify(verify) => verify.run(output),
            Command::Restore(restore) => restore.run(output),
            Command::Log(log) => log.run(output),
            Command::Report(report) => report.run(output),
            Command::Demo(demo) => demo.run(output),
            Command::Completions(completions) => completions.run(),
        }
    }
}
