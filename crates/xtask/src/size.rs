//! `cargo xtask size`: what the package adds to an extension.

use crate::package::{self, WASM};
use crate::setup;
use crate::workspace::Workspace;
use anyhow::{Result, ensure};
use flate2::{Compression, write::GzEncoder};
use std::io::Write;

/// In bytes, gzipped. An engine that is a burden to download would be left out.
const BUDGET: usize = 90_000;

const FILES: [&str; 9] = [
    WASM,
    "pkg/engine.js",
    "pkg/index.js",
    "pkg/aside.js",
    "pkg/clones.js",
    "pkg/file.js",
    "pkg/life.js",
    "pkg/lock.js",
    "pkg/problem.js",
];

pub fn run(ws: &Workspace) -> Result<()> {
    setup::node::ensure(ws)?;
    package::build(ws)?;
    let mut sum = (0, 0);
    println!("{:<20} {:>9} {:>9}", "file", "bytes", "gzipped");
    for file in FILES {
        let content = ws.sh.read_binary_file(file)?;
        let (raw, packed) = (content.len(), gzipped(&content)?);
        println!("{file:<20} {raw:>9} {packed:>9}");
        sum = (sum.0 + raw, sum.1 + packed);
    }
    let (raw, packed) = sum;
    println!("{:<20} {raw:>9} {packed:>9}  of {BUDGET}", "all");
    ensure!(packed <= BUDGET, "the package is {} bytes over its budget", packed - BUDGET);
    Ok(())
}

fn gzipped(content: &[u8]) -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    Ok(encoder.finish()?.len())
}
