use std::io::{self, BufRead, IsTerminal, Write};

use crate::failure::Failure;
use crate::output::printable;

/// Asks a human to type a word. Where nobody sits at a terminal, `--yes` has to say it.
pub(crate) fn confirm(question: &str, word: &str) -> Result<(), Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::usage(format!("{question}; nobody is here to confirm it: say --yes if it is meant")));
    }
    let mut out = io::stderr().lock();
    let asked = write!(out, "{}. Type {word:?} to go on: ", printable(question)).and_then(|()| out.flush());
    asked.map_err(Failure::stdout)?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(Failure::stdout)?;
    match answer.trim() == word {
        true => Ok(()),
        false => Err(Failure::Stale("not confirmed, and nothing was done".to_owned())),
    }
}
