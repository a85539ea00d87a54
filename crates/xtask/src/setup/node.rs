//! Node and the packages that package.json names.

use super::apt;
use crate::workspace::Workspace;
use anyhow::{Result, bail};
use which::which;
use xshell::{Shell, cmd};

/// What eslint and webpack ask for.
const OLDEST: (u32, u32) = (20, 19);

const MISSING: &str = "Node 20.19 or newer with npm is missing: install it from your system's packages or \
    https://nodejs.org so that `node` and `npm` are in PATH.";

/// The lock file as it was when the packages were installed.
const STAMP: &str = "node_modules/.installed-lock.json";

pub fn ensure(ws: &Workspace) -> Result<()> {
    let sh = &ws.sh;
    if which("node").is_err() || which("npm").is_err() {
        apt::install(sh, &["nodejs", "npm"], MISSING)?;
    }
    let found = cmd!(sh, "node --version").quiet().read()?;
    if version(&found).is_none_or(|version| version < OLDEST) {
        bail!("{MISSING} Found {found}.");
    }
    install_packages(sh)
}

fn version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.trim().strip_prefix('v')?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn install_packages(sh: &Shell) -> Result<()> {
    let lock = sh.read_file("package-lock.json")?;
    if sh.read_file(STAMP).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    eprintln!("setup: installing node_modules");
    cmd!(sh, "npm ci --silent").quiet().run()?;
    Ok(sh.write_file(STAMP, lock)?)
}
