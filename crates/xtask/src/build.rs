//! `cargo xtask build`: the npm package in `pkg/`, the extension in `dist/`.

use crate::extension::{self, RELEASE, VARIANTS};
use crate::workspace::Workspace;
use crate::{package, setup};
use anyhow::Result;

pub fn run(ws: &Workspace, variants: bool) -> Result<()> {
    setup::node::ensure(ws)?;
    check_chain(ws)?;
    package::build(ws)?;
    extension::build(ws, &RELEASE)?;
    if variants {
        for variant in &VARIANTS {
            extension::build(ws, variant)?;
        }
    }
    Ok(())
}

/// The lock must say what the migrations beside it say: an edited migration must not reach users.
fn check_chain(ws: &Workspace) -> Result<()> {
    let lock = ["lock", "--chain", "extension/chain", "--check"];
    Ok(ws
        .cargo()
        .args(["run", "--quiet", "--package", "exuvia-server", "--"])
        .args(lock)
        .run()?)
}
