//! The tools of wasm-bindgen, at exactly the version of the library that is linked: they refuse any other.

use crate::workspace::Workspace;
use anyhow::{Context, Result};
use std::path::PathBuf;
use xshell::{Shell, cmd};

pub struct WasmBindgen {
    pub bindgen: PathBuf,
    pub test_runner: PathBuf,
}

pub fn ensure(ws: &Workspace) -> Result<WasmBindgen> {
    let version = linked_version(&ws.sh)?;
    let root = ws.cache.join(format!("wasm-bindgen-{version}"));
    let bin = root.join("bin");
    let tools = WasmBindgen { bindgen: bin.join("wasm-bindgen"), test_runner: bin.join("wasm-bindgen-test-runner") };
    if installed_version(&ws.sh, &tools).as_deref() != Some(&version) {
        eprintln!("setup: building wasm-bindgen {version}, once (about two minutes)");
        // Unoptimized: it builds in a third of the time, and a module of this size takes it a second.
        ws.cargo()
            .args(["install", "--quiet", "--debug", "wasm-bindgen-cli", "--force"])
            .arg("--version")
            .arg(&version)
            .arg("--root")
            .arg(&root)
            .run()?;
    }
    Ok(tools)
}

fn installed_version(sh: &Shell, tools: &WasmBindgen) -> Option<String> {
    let bindgen = &tools.bindgen;
    let found = cmd!(sh, "{bindgen} --version").quiet().ignore_stderr().read().ok()?;
    found.split_whitespace().last().map(str::to_owned).filter(|_| tools.test_runner.exists())
}

fn linked_version(sh: &Shell) -> Result<String> {
    let lock = sh.read_file("Cargo.lock")?;
    let mut lines = lock.lines().skip_while(|line| *line != r#"name = "wasm-bindgen""#);
    let version = lines.nth(1).and_then(|line| line.strip_prefix("version = \"")?.strip_suffix('"'));
    version.map(str::to_owned).context("Cargo.lock names no wasm-bindgen")
}
