//! `cargo xtask demo`: the whole of it, before one's eyes.

use crate::workspace::Workspace;
use crate::{build, setup};
use anyhow::Result;
use std::process::{Command, exit};

pub fn run(ws: &Workspace, headed: bool) -> Result<()> {
    let browser = setup::browser::ensure(&ws.sh)?;
    build::run(ws, true)?;
    let demo = ws.node_tool("tsx").arg("tests/demo.ts").args(headed.then_some("--headed"));
    let status = Command::from(demo.env("CHROMIUM", browser.chromium)).status()?;
    exit(status.code().unwrap_or(1))
}
