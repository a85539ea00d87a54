//! The WebAssembly module of Exuvia: what JavaScript calls, and the browser as a store.
//!
//! Records cross the border as JSON text, in slices; options, reports and progress cross as objects.

mod custom;
mod engine;
mod file;
mod host;
mod idb;
mod problem;
mod storage;
mod vault;

pub use engine::Engine;
pub use storage::Storage;
pub use vault::BrowserVault;
