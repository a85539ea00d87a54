//! Where the commands work.

use anyhow::{Context, Result};
use std::env;
use std::path::{Path, PathBuf};
use xshell::{Cmd, Shell, cmd};

/// The repository, with a shell that stands at its top.
pub struct Workspace {
    pub sh: Shell,
    /// Tools that took long to make. Outside `target/`, so that they outlive `cargo clean` and serve every clone.
    pub cache: PathBuf,
}

impl Workspace {
    pub fn open() -> Result<Self> {
        let sh = Shell::new()?;
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
        sh.change_dir(root.context("xtask is not in crates/xtask of the workspace")?);
        Ok(Self { sh, cache: cache_home()?.join("exuvia") })
    }

    /// The native toolchain's cargo.
    pub fn cargo(&self) -> Cmd<'_> {
        cmd!(self.sh, "cargo").quiet()
    }

    /// A tool that `npm ci` installed.
    pub fn node_tool(&self, name: &str) -> Cmd<'_> {
        cmd!(self.sh, "node_modules/.bin/{name}").quiet()
    }
}

fn cache_home() -> Result<PathBuf> {
    if let Some(home) = env::var_os("XDG_CACHE_HOME").filter(|home| !home.is_empty()) {
        return Ok(home.into());
    }
    let home = env::home_dir().context("expected a home directory for the cache; set XDG_CACHE_HOME")?;
    Ok(home.join(".cache"))
}
