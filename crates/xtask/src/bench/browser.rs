//! How long a migration takes in a browser: Exuvia's beside the loops that people write and the libraries that they take,
//! on the same records. What came of it is in docs/bench.md.

use super::Measured;
use crate::setup::{browser, node};
use crate::workspace::Workspace;
use crate::{build, package};
use anyhow::Result;
use clap::Args;

const FOLDER: &str = "tests/bench/browser";

#[derive(Args)]
pub struct Options {
    /// How often each case runs
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Megabytes of records in which the cases are compared
    #[arg(long, default_value_t = 50)]
    size: u32,
}

pub fn measure(ws: &Workspace, Options { rounds, size }: &Options) -> Result<Vec<Measured>> {
    let chromium = browser::ensure(&ws.sh)?.chromium;
    node::ensure(ws)?;
    build::check_lock(ws, &format!("{FOLDER}/chain"))?;
    package::build(ws)?;
    ws.node_tool("webpack").args(["--config", &format!("{FOLDER}/webpack.config.js")]).run()?;
    let script = ws.node_tool("tsx").arg("tests/bench/browser.ts");
    let script = script.args(["--rounds", &rounds.to_string(), "--size", &size.to_string()]);
    Ok(serde_json::from_str(&script.env("CHROMIUM", chromium).read()?)?)
}
