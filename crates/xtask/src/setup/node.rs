//! Node and the packages that package.json names.

use super::apt;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use std::env;
use std::iter::once;
use which::which;
use xshell::{Shell, cmd};

/// What eslint and webpack ask for.
const OLDEST: (u32, u32) = (20, 19);

const MISSING: &str = "Node 20.19 or newer with npm is missing: install it from your system's packages or \
    https://nodejs.org so that `node` and `npm` are in PATH.";

/// Where the system's Node is older, as Debian 12's is: the release that npm's own registry carries.
const RELEASE: &str = "22";

/// The lock file as it was when the packages were installed.
const STAMP: &str = "node_modules/.installed-lock.json";

pub fn ensure(ws: &Workspace) -> Result<()> {
    let sh = &ws.sh;
    if which("node").is_err() || which("npm").is_err() {
        apt::install(sh, &["nodejs", "npm"], MISSING)?;
    }
    let found = cmd!(sh, "node --version").quiet().read()?;
    if version(&found).is_none_or(|version| version < OLDEST) {
        install_newer(ws).with_context(|| format!("{MISSING} Found {found}."))?;
    }
    install_packages(sh)
}

/// Puts a newer Node before the system's in the PATH of everything that runs from here.
fn install_newer(ws: &Workspace) -> Result<()> {
    let platform = match (env::consts::OS, env::consts::ARCH) {
        ("linux", "x86_64") => "linux-x64",
        ("linux", "aarch64") => "linux-arm64",
        (os, arch) => bail!("npm's registry has no Node for {os} on {arch}"),
    };
    let (sh, package) = (&ws.sh, format!("node-{platform}"));
    let home = ws.cache.join(format!("node-{RELEASE}"));
    let bin = home.join("node_modules").join(&package).join("bin");
    if !bin.join("node").exists() {
        eprintln!("setup: installing Node {RELEASE} beside the system's");
        sh.create_dir(&home)?;
        cmd!(sh, "npm install --silent --no-save --prefix {home} {package}@{RELEASE}").quiet().run()?;
    }
    let path = env::var_os("PATH").unwrap_or_default();
    sh.set_var("PATH", env::join_paths(once(bin).chain(env::split_paths(&path)))?);
    Ok(())
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
