//! Chromium, and the driver that wasm-bindgen's tests speak to.

use super::apt;
use anyhow::{Context, Result};
use std::path::PathBuf;
use which::which;
use xshell::Shell;

/// The emoji that the demo's data is full of need a font; Chromium brings none.
const PACKAGES: [&str; 4] = ["chromium", "chromium-driver", "fonts-dejavu-core", "fonts-noto-color-emoji"];

const MISSING: &str = "Chromium and its driver are missing: install `chromium` and `chromedriver` of the same version so \
    that both are in PATH. Google Chrome does not do: it no longer loads an extension from the command line.";

pub struct Browser {
    pub chromium: PathBuf,
    pub driver: PathBuf,
}

pub fn ensure(sh: &Shell) -> Result<Browser> {
    if let Some(found) = find() {
        return Ok(found);
    }
    apt::install(sh, &PACKAGES, MISSING)?;
    find().context(MISSING)
}

fn find() -> Option<Browser> {
    let chromium = which("chromium").or_else(|_| which("chromium-browser")).ok()?;
    Some(Browser { chromium, driver: which("chromedriver").ok()? })
}
