//! Debian's compiler, and a standard library for Wasm built from Debian's source of it.

use super::apt;
use super::wasm_target::{TARGET, TARGET_DIR};
use anyhow::{Context, Result};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use xshell::{Shell, cmd};

pub const CLIPPY: &str = "/usr/bin/cargo-clippy";
pub const LINKER: &str = "/usr/bin/wasm-ld-22";
const RUSTC: &str = "/usr/bin/rustc";

const PACKAGES: [&str; 5] = ["rustc-web", "cargo-web", "rust-web-src", "rust-web-clippy", "lld-22"];

const MISSING: &str = "The Rust target wasm32-unknown-unknown is missing: rustup target add wasm32-unknown-unknown";

/// Makes `dest` a sysroot of Debian's compiler, with `bin/rustc` and `bin/rustdoc` that use it.
pub fn ensure(sh: &Shell, dest: &Path) -> Result<()> {
    if is_made(sh, dest) {
        return Ok(());
    }
    if !has_packages() {
        apt::install(sh, &PACKAGES, MISSING)?;
    }
    eprintln!("setup: building Rust's standard library for {TARGET}, once (about a minute)");
    sh.remove_path(dest)?;
    build_std(sh, dest)?;
    write_wrappers(sh, dest)?;
    // Crates built against another build of the standard library do not link with this one.
    sh.remove_path(TARGET_DIR)?;
    Ok(sh.write_file(dest.join("stamp"), version(sh)?)?)
}

/// Whether `dest` holds the standard library of the compiler that is installed now.
pub fn is_made(sh: &Shell, dest: &Path) -> bool {
    let made = sh.read_file(dest.join("stamp")).ok();
    has_packages() && made.is_some_and(|made| version(sh).is_ok_and(|version| made.trim() == version))
}

fn has_packages() -> bool {
    [RUSTC, CLIPPY, LINKER, "/usr/lib/rustlib/src"].iter().all(|part| Path::new(part).exists())
}

fn version(sh: &Shell) -> Result<String> {
    Ok(cmd!(sh, "{RUSTC} --version").quiet().read()?)
}

/// Builds the standard library into `dest`, and links the host's beside it.
fn build_std(sh: &Shell, dest: &Path) -> Result<()> {
    let scratch = sh.create_temp_dir()?;
    let dir = scratch.path();
    sh.write_file(dir.join("src/lib.rs"), "")?;
    sh.write_file(
        dir.join("Cargo.toml"),
        "[package]\nname = \"stub\"\nedition = \"2024\"\n[profile.release]\nopt-level = \"s\"\n[workspace]\n",
    )?;
    let _at = sh.push_dir(dir);
    cmd!(sh, "/usr/bin/cargo build --quiet --release --target {TARGET} --target-dir target")
        .arg("-Zbuild-std=std,panic_abort,test")
        .env_remove("RUSTFLAGS")
        .env("RUSTC", RUSTC)
        .env("RUSTC_BOOTSTRAP", "1")
        // Without bitcode in the standard library, LTO of what links it fails.
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", "-Cembed-bitcode=yes")
        .quiet()
        .run()?;

    let rustlib = dest.join("lib/rustlib");
    let libraries = rustlib.join(TARGET).join("lib");
    sh.create_dir(&libraries)?;
    for built in sh.read_dir(dir.join("target").join(TARGET).join("release/deps"))? {
        let name = built.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(".rlib") && !name.starts_with("libstub") {
            sh.copy_file(&built, &libraries)?;
        }
    }
    let host = cmd!(sh, "{RUSTC} --print target-libdir").quiet().read()?;
    let host = Path::new(&host).parent().context("rustc's own library has no place")?;
    let name = host.file_name().context("rustc's own library has no name")?;
    symlink(host, rustlib.join(name))?;
    Ok(symlink("/usr/lib/rustlib/src", rustlib.join("src"))?)
}

fn write_wrappers(sh: &Shell, dest: &Path) -> Result<()> {
    for tool in ["rustc", "rustdoc"] {
        let wrapper = dest.join("bin").join(tool);
        sh.write_file(&wrapper, format!("#!/bin/sh\nexec /usr/bin/{tool} --sysroot='{}' \"$@\"\n", dest.display()))?;
        std::fs::set_permissions(&wrapper, PermissionsExt::from_mode(0o755))?;
    }
    Ok(())
}
