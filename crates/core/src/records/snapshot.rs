//! Snapshots: chunks of lines, compressed, in one byte string; and a manifest that knows the digest of each.

use litemap::LiteMap;

use super::store::Vault;
use crate::chain::Link;
use crate::document::Json;
use crate::error::{Error, ErrorKind, Result};
use crate::protocol::{Cause, Seal};
use crate::{json_object, json_words};

/// A chunk is written when it holds this many bytes. Batches of writes follow the chunks.
pub(super) const CHUNK: usize = 1 << 20;

/// No chunk unpacks to more: the largest is one value of 1 GiB.
const LARGEST: usize = 1 << 30;

/// What chunks were kept for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A snapshot: what the store held.
    Snapshot,
    /// Records of an import, waiting for its run.
    Staged,
}

json_words!(Purpose { "snapshot": Snapshot, "staged": Staged });

/// What is known of a snapshot without reading it.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The format of manifest and chunks: 1.
    pub format: u32,
    /// Its name.
    pub id: String,
    /// What it was kept for.
    pub purpose: Purpose,
    /// What the run was for that made it.
    pub cause: Cause,
    /// The line that its data has run.
    pub line: Vec<Link>,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Records by collection.
    pub records: LiteMap<String, u64>,
    /// Bytes of lines before packing.
    pub bytes: u64,
    /// Bytes as stored.
    pub stored_bytes: u64,
    pub(super) chunks: Vec<ChunkEntry>,
}

json_object!(Manifest { "format": format, "id": id, "purpose": purpose, "cause": cause, "line": line, "createdAt": created_at, "records": records, "bytes": bytes, "storedBytes": stored_bytes, "chunks": chunks });

#[derive(Clone, Debug, PartialEq)]
pub(super) struct ChunkEntry {
    length: u64,
    digest: String,
}

json_object!(ChunkEntry { "length": length, "digest": digest });

impl Manifest {
    /// The digest that binds a journal to exactly this snapshot.
    pub(super) fn seal(&self) -> Seal {
        Seal { id: self.id.clone(), digest: blake3::hash(self.to_json().as_bytes()).to_hex().to_string() }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::from_json(text).filter(|manifest: &Self| manifest.format == 1)
    }

    /// The manifest that a seal means.
    pub(super) async fn load(vault: &impl Vault, seal: &Seal) -> Result<Self> {
        let manifests = vault.manifests().await?;
        let text = manifests.iter().find(|(id, _)| *id == seal.id).map(|(_, text)| text);
        let manifest =
            text.and_then(|text| Self::parse(text)).ok_or_else(|| damaged(&seal.id, "its manifest is not there"))?;
        match manifest.seal() == *seal {
            true => Ok(manifest),
            false => Err(damaged(&seal.id, "its manifest is another")),
        }
    }

    /// The text of a chunk, checked against its digest.
    pub(super) async fn chunk(&self, vault: &impl Vault, index: usize) -> Result<String> {
        let packed = self.packed(vault, index).await?;
        unpack(&packed).ok_or_else(|| damaged(&self.id, &format!("chunk {index} does not unpack")))
    }

    /// Checks that a chunk is there and has its digest. Then it unpacks to what was saved, as was seen when it was packed.
    pub(super) async fn check(&self, vault: &impl Vault, index: usize) -> Result<()> {
        self.packed(vault, index).await.map(drop)
    }

    async fn packed(&self, vault: &impl Vault, index: usize) -> Result<Vec<u8>> {
        let entry = self.chunks.get(index).ok_or_else(|| damaged(&self.id, "a chunk is missing"))?;
        let offset = self.chunks[..index].iter().map(|chunk| chunk.length).sum();
        let packed = vault.read(&self.id, offset, entry.length).await?;
        if blake3::hash(&packed).to_hex().as_str() != entry.digest {
            return Err(damaged(&self.id, &format!("chunk {index} does not have the digest it was written with")));
        }
        Ok(packed)
    }
}

/// Writes a snapshot from front to back.
pub(super) struct SnapshotWriter<'v, V> {
    vault: &'v V,
    manifest: Manifest,
}

impl<'v, V: Vault> SnapshotWriter<'v, V> {
    pub(super) async fn create(vault: &'v V, manifest: Manifest) -> Result<Self> {
        vault.create(&manifest.id).await?;
        Ok(Self { vault, manifest })
    }

    pub(super) fn new_manifest(id: &str, purpose: Purpose, cause: Cause, line: Vec<Link>, now: i64) -> Manifest {
        Manifest {
            format: 1,
            id: id.to_owned(),
            purpose,
            cause,
            line,
            created_at: now,
            records: LiteMap::new(),
            bytes: 0,
            stored_bytes: 0,
            chunks: Vec::new(),
        }
    }

    pub(super) async fn append(&mut self, chunk: &str) -> Result<()> {
        let packed = lz4_flex::block::compress_prepend_size(chunk.as_bytes());
        if unpack(&packed).as_deref() != Some(chunk) {
            return Err(damaged(&self.manifest.id, "a chunk does not unpack to what was packed"));
        }
        self.vault.append(&self.manifest.id, &packed).await?;
        self.manifest.bytes += chunk.len() as u64;
        self.manifest.stored_bytes += packed.len() as u64;
        let digest = blake3::hash(&packed).to_hex().to_string();
        self.manifest.chunks.push(ChunkEntry { length: packed.len() as u64, digest });
        Ok(())
    }

    /// Ends the byte string, then keeps the manifest: without the manifest there is no snapshot.
    pub(super) async fn seal(mut self, records: LiteMap<String, u64>) -> Result<Manifest> {
        self.manifest.records = records;
        self.vault.close(&self.manifest.id).await?;
        self.vault.put_manifest(&self.manifest.id, &self.manifest.to_json()).await?;
        Ok(self.manifest)
    }
}

fn unpack(packed: &[u8]) -> Option<String> {
    let (size, _) = packed.split_first_chunk::<4>()?;
    if u32::from_le_bytes(*size) as usize > LARGEST {
        return None;
    }
    String::from_utf8(lz4_flex::block::decompress_size_prepended(packed).ok()?).ok()
}

fn damaged(id: &str, what: &str) -> Error {
    Error::new(
        ErrorKind::Snapshot,
        format!("expected the snapshot {id} whole, found that {what}; another snapshot may be whole"),
    )
}
