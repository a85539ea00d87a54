//! The npm package: the Wasm module, its glue and the TypeScript entry over them.

use crate::setup::wasm_bindgen;
use crate::setup::wasm_target::{self, TARGET, TARGET_DIR};
use crate::workspace::Workspace;
use anyhow::Result;
use serde_json::json;
use std::path::Path;
use xshell::cmd;

/// What stands in `pkg/` as it stands in the sources.
const COPIES: [&str; 4] = ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "crates/core/src/chain/migration.schema.json"];

/// The Wasm module as users download it.
pub const WASM: &str = "pkg/engine_bg.wasm";

pub fn build(ws: &Workspace) -> Result<()> {
    let sh = &ws.sh;
    sh.create_dir("pkg")?;
    build_engine(ws)?;
    // The engine's types name these, and would find last time's before the sources.
    sh.remove_path("pkg/types.d.ts")?;
    ws.node_tool("tsc").args(["--project", "tsconfig.pkg.json"]).run()?;
    for file in COPIES {
        sh.copy_file(file, "pkg")?;
    }
    Ok(sh.write_file("pkg/package.json", format!("{:#}\n", manifest()))?)
}

fn build_engine(ws: &Workspace) -> Result<()> {
    let sh = &ws.sh;
    let target = wasm_target::ensure(ws)?;
    let bindgen = wasm_bindgen::ensure(ws)?.bindgen;
    // Asked for here, because an rlib declared beside a cdylib would switch LTO off.
    target
        .cargo_for_size(ws, "rustc")
        .args(["--quiet", "--profile", "wasm", "--lib", "--crate-type", "cdylib"])
        .run()?;

    let built = sh.read_binary_file(format!("{TARGET_DIR}/{TARGET}/wasm/exuvia.wasm"))?;
    let out = format!("{TARGET_DIR}/bindgen");
    // What `pkg/` was last made from. Not its time: cargo brings back an older module when the compiler changes back.
    let source = format!("{out}/exuvia.wasm");
    if sh.path_exists(WASM) && sh.read_binary_file(&source).is_ok_and(|source| source == built) {
        return Ok(());
    }
    sh.remove_path(WASM)?;
    sh.write_file(&source, built)?;
    // Every caller says where its module is; a default would make bundlers ship the module twice. A module that has trapped
    // is replaced in the context that it ran in.
    let options = ["--omit-default-module-path", "--experimental-reset-state-function"];
    cmd!(sh, "{bindgen} --target web {options...} --out-name engine --out-dir {out} {source}").quiet().run()?;
    for file in ["engine.js", "engine.d.ts"] {
        sh.copy_file(format!("{out}/{file}"), "pkg")?;
    }
    // Last, so that a module in its place means that all of this is done. Nothing lies in the lowest kilobyte: the stack ends there.
    Ok(ws.node_tool("wasm-opt").args(["-Oz", "-o", WASM, &format!("{out}/engine_bg.wasm")]).run()?)
}

fn manifest() -> serde_json::Value {
    let copied = COPIES.iter().filter_map(|file| Path::new(file).file_name()?.to_str());
    let files: Vec<_> = ["**/*.js", "**/*.d.ts", "engine_bg.wasm"].into_iter().chain(copied).collect();
    json!({
        "name": "exuvia",
        "version": env!("CARGO_PKG_VERSION"),
        "description": "Moves an extension's stored data to its next form and keeps the old one until the new one has proved itself.",
        "license": env!("CARGO_PKG_LICENSE"),
        "type": "module",
        "exports": {
            ".": { "types": "./index.d.ts", "default": "./index.js" },
            "./engine_bg.wasm": "./engine_bg.wasm",
            "./migration.schema.json": "./migration.schema.json",
        },
        "types": "./index.d.ts",
        "files": files,
        "sideEffects": false,
        // The types of `chrome.storage`, for those who write TypeScript.
        "peerDependencies": { "@types/chrome": "*" },
        "peerDependenciesMeta": { "@types/chrome": { "optional": true } },
    })
}
