//! What the commands need on this machine: one file a tool. Each finds the tool or installs it, and prints a line only
//! when it installs. What it cannot install it names, with the command to run.

mod apt;
pub mod browser;
mod debian_rust;
pub mod firefox;
pub mod node;
pub mod postgres;
pub mod wasm_bindgen;
pub mod wasm_target;
