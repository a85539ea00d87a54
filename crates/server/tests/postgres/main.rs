//! PostgreSQL, on a server that the tests start themselves.

#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

#[allow(dead_code, reason = "the laws of the language use more of it")]
#[path = "../../../core/tests/laws/chains.rs"]
mod chains;
mod compiled;
#[allow(dead_code, reason = "the laws of the language use more of it")]
#[path = "../../../core/tests/laws/documents.rs"]
mod documents;
mod literals;
#[allow(dead_code, reason = "the tests of databases use more of it")]
mod server;
#[allow(dead_code, reason = "the laws of the language use more of it")]
#[path = "../../../core/tests/laws/tape.rs"]
mod tape;
