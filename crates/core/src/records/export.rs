//! Everything in one file.

use super::Records;
use super::file::{Footer, Header};
use super::line::{self, write_record};
use super::store::{Host, Store, Vault};
use super::walk::Walk;
use crate::chain::{Standing, Version};
use crate::document::Json;
use crate::error::{Error, ErrorKind, Result};
use crate::protocol::{Found, Target};

/// Where an export goes, piece by piece.
pub trait Sink {
    /// Takes the next piece.
    ///
    /// # Errors
    /// [`ErrorKind::Store`] where there is no room.
    fn take(&mut self, text: &str) -> Result<()>;
}

impl<S: Store, V: Vault, H: Host> Records<'_, S, V, H> {
    /// Writes everything in the chain's collections, with the chain itself, so that an older build can go back along it.
    /// Data that could not be moved up yet is written at the version where it is.
    ///
    /// # Errors
    /// [`ErrorKind::Busy`] where a run is under way, or the chain does not know the data.
    pub async fn export(&self, sink: &mut impl Sink) -> Result<()> {
        let _guard = self.acquire().await?;
        let version = self.version_at_rest().await?;
        let line = self.chain.line(version).cloned().collect();
        let mut digest = blake3::Hasher::new();
        let mut emit = |text: &str| {
            digest.update(text.as_bytes());
            sink.take(text)
        };
        let header = Header { exuvia: "export".to_owned(), format: 1, version, line };
        let header = header.to_json();
        emit(&format!("{},\"chain\":{}}}\n", &header[..header.len() - 1], self.chain.text()))?;
        let collections = self.chain.collections(version);
        let mut walk = Walk::new(&self.store, collections, self.store.keys().await?);
        let mut count = 0;
        while let Some(chunk) = walk.next().await? {
            let mut text = String::with_capacity(chunk.len());
            for record in line::records(&chunk, collections)? {
                write_record(&record, &mut text);
                count += 1;
            }
            emit(&text)?;
        }
        let digest = digest.finalize().to_hex().to_string();
        sink.take(&(Footer { end: true, records: count, digest: Some(digest) }.to_json() + "\n"))
    }

    /// The version of data that no run is moving.
    pub(super) async fn version_at_rest(&self) -> Result<Version> {
        let Found::Marked(head) = self.find().await? else { return Err(not_at_rest()) };
        match (self.chain.standing(&head.line), &head.run) {
            (Standing::At(version), None) => Ok(version.max(Version(1))),
            _ => Err(not_at_rest()),
        }
    }
}

pub(super) fn not_at_rest() -> Error {
    Error::new(ErrorKind::Busy, "expected data at the chain's tip, found it elsewhere; migrate first")
}
