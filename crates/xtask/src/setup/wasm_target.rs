//! A compiler for wasm32-unknown-unknown: the installed one with rustup's standard library for it, or, where rustup
//! cannot download that, Debian's.

use super::debian_rust;
use crate::workspace::Workspace;
use anyhow::Result;
use std::ffi::OsString;
use std::path::Path;
use which::which;
use xshell::{Cmd, Shell, cmd};

pub const TARGET: &str = "wasm32-unknown-unknown";

/// Apart from the native `target/`: the compiler may be another, and each would throw away the other's work.
pub const TARGET_DIR: &str = "target/wasm";

/// How to call cargo for Wasm.
pub struct WasmTarget {
    env: Vec<(&'static str, OsString)>,
    clippy: &'static str,
}

impl WasmTarget {
    /// `cargo COMMAND` for the Wasm module.
    pub fn cargo<'a>(&self, ws: &'a Workspace, command: &str) -> Cmd<'a> {
        let program = if command == "clippy" { self.clippy } else { "cargo" };
        let sh = &ws.sh;
        cmd!(sh, "{program} {command} --package exuvia --target {TARGET} --target-dir {TARGET_DIR}")
            .envs(self.env.iter().cloned())
            .quiet()
    }

    /// The same with the standard library compiled anew, for size, and no texts for panics: a module that traps is told
    /// by the browser, and what the texts and their formatting take, every user would download. Where the library's
    /// source cannot be had the module is larger and does the same.
    pub fn cargo_for_size<'a>(&self, ws: &'a Workspace, command: &str) -> Cmd<'a> {
        const STD: [&str; 2] = ["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"];
        // These take the place of those in .cargo/config.toml.
        const FLAGS: &str =
            "-Ctarget-feature=+simd128 -Zunstable-options -Cpanic=immediate-abort -Zlocation-detail=none";
        let cargo = self.cargo(ws, command);
        match self.env.is_empty() && has_source(&ws.sh) {
            // Building the library is not stable yet; the compiler is, and stays the one that is pinned.
            true => cargo.args(STD).env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", FLAGS),
            false => cargo,
        }
    }
}

fn has_source(sh: &Shell) -> bool {
    let found = || {
        let sysroot = cmd!(sh, "rustc --print sysroot").quiet().ignore_stderr().read();
        sysroot.is_ok_and(|path| Path::new(&path).join("lib/rustlib/src/rust/library/Cargo.lock").exists())
    };
    let added = || cmd!(sh, "rustup --quiet component add rust-src").quiet().ignore_stderr().run().is_ok();
    found() || which("rustup").is_ok() && added() && found()
}

pub fn ensure(ws: &Workspace) -> Result<WasmTarget> {
    let debian = ws.cache.join("wasm-toolchain");
    // rustup is asked once: to be told again that it cannot takes longer than a build.
    if has_target(&ws.sh) || (!debian_rust::is_made(&ws.sh, &debian) && add_target(&ws.sh)) {
        return Ok(WasmTarget { env: Vec::new(), clippy: "cargo" });
    }
    debian_rust::ensure(&ws.sh, &debian)?;
    let at = |name: &str| debian.join(name).into_os_string();
    Ok(WasmTarget {
        env: vec![
            ("RUSTC", at("bin/rustc")),
            ("RUSTDOC", at("bin/rustdoc")),
            ("SYSROOT", at("")),
            ("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", debian_rust::LINKER.into()),
        ],
        clippy: debian_rust::CLIPPY,
    })
}

fn has_target(sh: &Shell) -> bool {
    let libraries = cmd!(sh, "rustc --print target-libdir --target {TARGET}").quiet().ignore_stderr().read();
    libraries.is_ok_and(|path| Path::new(&path).exists())
}

fn add_target(sh: &Shell) -> bool {
    which("rustup").is_ok() && cmd!(sh, "rustup --quiet target add {TARGET}").quiet().ignore_stderr().run().is_ok()
}
