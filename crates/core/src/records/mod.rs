//! A [`Target`](crate::protocol::Target) over any store of keys and values: records move by interpreting the steps.
//!
//! The store is `chrome.storage`, or anything that looks like it: keys with JSON values, no transactions. Snapshots
//! live apart from it, in a [`Vault`].

mod access;
mod assemble;
mod export;
mod families;
mod file;
mod import;
mod keys;
mod line;
mod rehearse;
mod replay;
mod rewind;
mod room;
mod snapshot;
mod source;
mod store;
mod strays;
mod target;
mod walk;
mod write;

pub use access::Keyed;
pub use export::Sink;
pub use file::Bytes;
pub use import::{CollectionPreview, Preview};
pub use snapshot::{Manifest, Purpose};
pub use store::{Host, Shape, Store, Vault};

use std::cell::{Cell, RefCell};
use std::collections::HashSet;

use keys::CONTROL;
use snapshot::CHUNK;
use strays::Count;

use crate::chain::{Chain, Link};
use crate::document::Json;
use crate::error::{Error, ErrorKind, Result};
use crate::protocol::{Head, Progress, Run, Seal, Stage};

/// An answer that took longer, in milliseconds, may be out of date.
const PROMPT: i64 = 5_000;

/// Records in a store of keys and values, with snapshots in a vault, moved along a chain.
pub struct Records<'c, S, V, H> {
    chain: &'c Chain,
    store: S,
    vault: V,
    host: H,
    /// How many snapshots are kept.
    keep: usize,
    /// For how many milliseconds; `None`: however old they are.
    keep_for: Option<i64>,
    /// A chunk is written when it holds this many bytes.
    chunk: usize,
    /// The epoch of the head as this runner last read or wrote it.
    seen: Cell<Option<u64>>,
    /// What the run's version used when what was written began to be read back.
    counted: Cell<Option<Count>>,
    /// The snapshot that this runner has made, and the keys of all that is in it.
    saved: RefCell<Option<(String, HashSet<String>)>>,
    /// The keys under which is kept what the store has made of the run's own writes.
    damage: RefCell<Vec<String>>,
}

impl<'c, S: Store, V: Vault, H: Host> Records<'c, S, V, H> {
    /// Binds a chain to where its data is. `keep` is how many snapshots stay; the newest always does.
    pub fn new(chain: &'c Chain, store: S, vault: V, host: H, keep: usize) -> Self {
        Self {
            chain,
            store,
            vault,
            host,
            keep: keep.max(1),
            keep_for: None,
            chunk: CHUNK,
            seen: Cell::new(None),
            counted: Cell::new(None),
            saved: RefCell::default(),
            damage: RefCell::default(),
        }
    }

    /// The same where snapshots that are older than so many milliseconds, by the host's clock, go at the end of a run,
    /// however few there are. The run's own stays, and so does the newest of data that somebody knew.
    #[must_use]
    pub fn keeping_for(self, milliseconds: i64) -> Self {
        Self { keep_for: Some(milliseconds), ..self }
    }

    /// The same with chunks, and so batches, of about so many bytes. The default is a megabyte, which a browser writes
    /// fastest; tests make small stores have many.
    #[must_use]
    pub fn in_chunks(self, bytes: usize) -> Self {
        Self { chunk: bytes, ..self }
    }

    /// The store.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// The snapshots that can be restored, the newest first.
    ///
    /// # Errors
    /// [`ErrorKind::Snapshot`] where the vault cannot be read.
    pub async fn snapshots(&self) -> Result<Vec<Manifest>> {
        let manifests = self.vault.manifests().await?;
        let mut snapshots: Vec<_> = manifests.iter().filter_map(|(_, text)| Manifest::parse(text)).collect();
        snapshots.retain(|manifest| manifest.purpose == Purpose::Snapshot);
        snapshots.sort_by(|a, b| b.created_at.cmp(&a.created_at).then_with(|| b.id.cmp(&a.id)));
        Ok(snapshots)
    }

    /// The seal of a snapshot, and the line of its data.
    ///
    /// # Errors
    /// [`ErrorKind::Snapshot`] where there is none by this name.
    pub async fn find_snapshot(&self, id: &str) -> Result<(Seal, Vec<Link>)> {
        let found = self.snapshots().await?.into_iter().find(|manifest| manifest.id == id);
        let manifest = found.ok_or_else(|| {
            Error::new(ErrorKind::Snapshot, "expected one of the snapshots that are listed, found none by this name")
        })?;
        Ok((manifest.seal(), manifest.line))
    }

    async fn read_head(&self) -> Result<Option<Head>> {
        let found = self.store.get(&[CONTROL.to_owned()]).await?;
        let Some((_, value)) = found.into_iter().next() else { return Ok(None) };
        let text = self.store.read(&value)?;
        match Head::from_json(&text) {
            Some(head) if head.format == 1 => Ok(Some(head)),
            _ => Err(Error::new(
                ErrorKind::Newer,
                "expected a control key of format 1, found another; a newer Exuvia wrote it, or something that is not Exuvia",
            )),
        }
    }

    /// Whether this is still the runner of the run.
    async fn check_fence(&self, run: &Run) -> Result<()> {
        let head = self.read_head_awake().await?;
        let token = head.and_then(|head| head.run).map(|run| run.token);
        if token.as_deref() == Some(&*run.token) { Ok(()) } else { Err(fenced()) }
    }

    /// Whether the head is as this runner left it.
    async fn check_head(&self) -> Result<()> {
        let epoch = self.read_head_awake().await?.map(|head| head.epoch);
        if epoch == self.seen.get() { Ok(()) } else { Err(fenced()) }
    }

    /// The head as it is now. A process that slept since it asked has been told what was, and asks again.
    async fn read_head_awake(&self) -> Result<Option<Head>> {
        for _ in 0..3 {
            let asked = self.host.now();
            let head = self.read_head().await?;
            if (0..PROMPT).contains(&(self.host.now() - asked)) {
                return Ok(head);
            }
        }
        Err(fenced())
    }

    async fn set(&self, entries: &[(String, String)]) -> Result<()> {
        let values = entries.iter().map(|(key, text)| Ok((key.clone(), self.store.write(text)?)));
        self.store.set(values.collect::<Result<_>>()?).await
    }

    fn report(&self, run: &Run, stage: Stage, done: u64, of: u64, bytes: u64) {
        self.host.progress(&run.id, Progress { stage, done, of, bytes });
    }
}

fn fenced() -> Error {
    Error::new(ErrorKind::Fenced, "expected to be the runner of this run, found another one; it finishes the run")
}
