//! `cargo xtask kill`: the extension killed in the middle of its runs, over and over, and its data compared.

use crate::workspace::Workspace;
use crate::{build, setup};
use anyhow::Result;
use std::path::Path;
use std::process::{Command, exit};
use xshell::Cmd;

/// As many as every test run has patience for.
pub const RUNS: u32 = 30;

pub fn run(ws: &Workspace, runs: u32, seed: u32) -> Result<()> {
    let chromium = setup::browser::ensure(&ws.sh)?.chromium;
    build::run(ws, true)?;
    let status = Command::from(command(ws, &chromium, runs, seed)).status()?;
    exit(status.code().unwrap_or(1))
}

/// Needs the builds that the tests update between. Ends with a summary as `cargo test` writes it.
pub fn command<'a>(ws: &'a Workspace, chromium: &Path, runs: u32, seed: u32) -> Cmd<'a> {
    let (runs, seed) = (runs.to_string(), seed.to_string());
    ws.node_tool("tsx").args(["tests/kill/main.ts", "--runs", &runs, "--seed", &seed]).env("CHROMIUM", chromium)
}
