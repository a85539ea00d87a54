//! `cargo xtask build`: the npm package in `pkg/`, the extension in `dist/`.

use crate::extension::{self, RELEASES, VARIANTS};
use crate::workspace::Workspace;
use crate::{package, setup};
use anyhow::Result;

const CHAINS: [&str; 3] = ["extension/chain", "tests/bench/browser/chain", "tests/chains/unfit"];

pub fn run(ws: &Workspace, variants: bool) -> Result<()> {
    setup::node::ensure(ws)?;
    for chain in CHAINS {
        check_lock(ws, chain)?;
    }
    package::build(ws)?;
    let others = if variants { &VARIANTS[..] } else { &[] };
    RELEASES.iter().chain(others).try_for_each(|variant| extension::build(ws, variant))
}

/// The lock must say what the migrations beside it say: an edited migration must not reach users.
pub fn check_lock(ws: &Workspace, chain: &str) -> Result<()> {
    let lock = ["lock", "--chain", chain, "--check"];
    Ok(ws.cargo().args(["run", "--quiet", "--package", "exuvia-server", "--"]).args(lock).run()?)
}
