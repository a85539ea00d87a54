//! A [`Target`](crate::protocol::Target) over any store of keys and values: records move by interpreting the steps.
//!
//! The store is `chrome.storage`, or anything that looks like it: keys with JSON values, no transactions. Snapshots
//! live apart from it, in a [`Vault`].

mod assemble;
mod exchange;
mod line;
mod rehearse;
mod replay;
mod snapshot;
mod store;
mod target;
mod walk;
mod write;

pub use exchange::{Bytes, CollectionPreview, Preview, Sink};
pub use snapshot::{Manifest, Purpose};
pub use store::{Host, Shape, Store, Vault};
pub use target::Records;
