//! The step language and the migration protocol of Exuvia.
//!
//! Pure: no I/O, no clock, no randomness of its own. What runs here runs the same in a browser and on a server.
//!
//! - [`document`]: JSON, read no further than somebody looks
//! - [`schema`]: what a version permits
//! - [`lens`]: the primitives that run in both directions
//! - [`step`]: what authors write
//! - [`chain`]: migrations in their order, loaded and checked
//! - [`protocol`]: the one way from an old version to a new one
//! - [`records`]: that protocol over any store of records

#![forbid(unsafe_code)]

pub mod chain;
pub mod document;
pub mod error;
pub mod lens;
pub mod protocol;
pub mod records;
pub mod schema;
pub mod step;

pub use error::{Error, ErrorKind, Result};
