use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::Arguments;
use crate::failure::Failure;
use crate::output;

/// Print the completions of this command for a shell
///
/// For bash: exuvia completions bash > ~/.local/share/bash-completion/completions/exuvia
#[derive(Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Arguments::command(), "exuvia", &mut script);
        output::write(&String::from_utf8_lossy(&script))
    }
}
