//! `cargo xtask docs`: the reference page of the steps, and the schema by which editors complete chain files, made of what
//! the kinds of steps say of themselves. The tests that compare the two write them.

use crate::setup::node;
use crate::workspace::Workspace;
use anyhow::Result;

const SCHEMA: &str = "crates/core/src/chain/migration.schema.json";

pub fn run(ws: &Workspace) -> Result<()> {
    node::ensure(ws)?;
    let test = ws.cargo().args(["test", "--quiet", "--package", "exuvia-core", "--test", "manual", "kinds_say"]);
    test.env("EXUVIA_WRITE_DOCS", "1").run()?;
    ws.node_tool("prettier").args(["--write", "--log-level", "warn", SCHEMA]).run()?;
    Ok(())
}
