//! Where snapshots could be kept: files, IndexedDB, or the storage area itself. What came of it is in docs/snapshots.md.

use super::Measured;
use crate::setup::{browser, node};
use crate::workspace::Workspace;
use anyhow::Result;

pub fn measure(ws: &Workspace) -> Result<Vec<Measured>> {
    let chromium = browser::ensure(&ws.sh)?.chromium;
    node::ensure(ws)?;
    let script = ws.node_tool("tsx").arg("tests/bench/snapshots.ts");
    Ok(serde_json::from_str(&script.env("CHROMIUM", chromium).read()?)?)
}
