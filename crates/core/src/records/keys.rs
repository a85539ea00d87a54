//! Which keys of a store are Exuvia's own, and what they stand for.

use crate::chain::residue_prefix;
use crate::protocol::{Reach, Run};

/// The control key: the head stands in it.
pub(super) const CONTROL: &str = "exuvia";

/// Keys of records that are set aside start so: the prefix, the collection, a colon, the record's key.
pub(super) const ASIDE: &str = "exuvia:a:";

/// Keys of markers start so: one for each batch that was written, in the same call as the batch, with the keys in it.
/// Then the snapshot's name, a colon, and what the batch is.
pub(super) const MARKER: &str = "exuvia:b:";

/// Keys of chains start so; then the digest of the chain's text.
pub(super) const CHAIN: &str = "exuvia:c:";

/// What this device is called where devices share records. Not of the protocol, and no data either.
pub(super) const DEVICE: &str = "exuvia:d";

/// Keys of residues start so: the prefix, the collection, a colon, the record's key.
pub(super) const RESIDUE: &str = "exuvia:r:";

/// Keys of what was set aside start so; then the run's name, a colon, a number that tells apart what was found under one
/// key, a colon, and that key.
pub(super) const STRAY: &str = "exuvia:s:";

/// The key of a chain.
pub(super) fn chain_key(digest: &str) -> String {
    format!("{CHAIN}{digest}")
}

/// The key of a record's residue.
pub(super) fn residue_key(collection: &str, record: &str) -> String {
    residue_prefix(collection) + record
}

/// The markers of a run start so.
pub(super) fn marker_prefix(run: &Run) -> String {
    format!("{MARKER}{}:", run.seal.as_ref().map(|seal| &*seal.id).unwrap_or_default())
}

/// Whether a key is among those that some reach to.
pub(super) fn covers(reaches: &[Reach], key: &str) -> bool {
    reaches.iter().any(|reach| reach.covers(key))
}
