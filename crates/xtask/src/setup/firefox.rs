//! Firefox.

use super::apt;
use anyhow::{Context, Result};
use std::path::PathBuf;
use which::which;
use xshell::Shell;

const MISSING: &str = "Firefox is missing: install it (Debian's `firefox-esr`, or another of version 128 or newer) so that \
    `firefox-esr` or `firefox` is in PATH. A snap does not do: it sees no files of the tests.";

pub fn ensure(sh: &Shell) -> Result<PathBuf> {
    if let Some(found) = find() {
        return Ok(found);
    }
    apt::install(sh, &["firefox-esr"], MISSING)?;
    find().context(MISSING)
}

fn find() -> Option<PathBuf> {
    which("firefox-esr").or_else(|_| which("firefox")).ok()
}
