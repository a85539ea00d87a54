//! Backfills on databases: Exuvia's, one statement by hand, and plain batches.

use super::Measured;
use crate::workspace::Workspace;
use anyhow::{Context, Result};
use clap::Args;

#[derive(Args)]
pub struct Options {
    /// How often each case is measured; the table has the medians
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Leave out the cases with more rows
    #[arg(long, default_value_t = 1_000_000)]
    rows: u32,
}

pub fn measure(ws: &Workspace, Options { rounds, rows }: &Options) -> Result<Vec<Measured>> {
    let (rounds, rows) = (rounds.to_string(), rows.to_string());
    let bench = ws.cargo().args(["bench", "--quiet", "--package", "exuvia-server", "--bench", "server"]);
    let found = bench.env("SERVER_ROUNDS", rounds).env("SERVER_ROWS", rows).read()?;
    serde_json::from_str(&found).context("expected the bench to print its cases")
}
