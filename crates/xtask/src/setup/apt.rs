//! Packages of Debian and its kin.

use anyhow::{Result, bail};
use std::path::Path;
use xshell::{Shell, cmd};

/// Installs `packages` where that needs no question: on Debian or Ubuntu, as root. Elsewhere `otherwise` says how to get
/// what is missing.
pub fn install(sh: &Shell, packages: &[&str], otherwise: &str) -> Result<()> {
    if !Path::new("/etc/debian_version").exists() {
        bail!("{otherwise}");
    }
    let names = packages.join(" ");
    if cmd!(sh, "id -u").quiet().read()? != "0" {
        bail!("{otherwise}\nHere: sudo apt-get update && sudo apt-get install --no-install-recommends {names}");
    }
    eprintln!("setup: installing {names} with apt-get");
    let _quiet = sh.push_env("DEBIAN_FRONTEND", "noninteractive");
    cmd!(sh, "apt-get -qq update").quiet().run()?;
    // What apt-get has to say is of interest only where it fails.
    let done =
        cmd!(sh, "apt-get -qq -y install --no-install-recommends {packages...}").quiet().ignore_status().output()?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr);
        bail!("{otherwise}\napt-get could not install {names}:\n{}", said.trim_end());
    }
    Ok(())
}
