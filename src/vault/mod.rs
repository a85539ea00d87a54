//! Where snapshots are kept in a browser: their bytes in the origin private file system or, where that cannot be opened,
//! in IndexedDB; their manifests and the mirror of the head in IndexedDB.
//!
//! A file takes each chunk as it comes, at about twice the speed of a chunk a transaction in IndexedDB (docs/snapshots.md
//! says how that was measured). Files are not flushed; so the manifest, with the digest of each chunk, is written after
//! them with strict durability, and a snapshot whose bytes do not match it counts as absent.

mod files;

use std::cell::RefCell;
use std::collections::HashMap;

use exuvia_core::records::Vault;
use exuvia_core::{Error, ErrorKind, Result};
use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Blob, FileSystemWritableFileStream};

use self::files::Files;
use crate::idb::{Database, Table};
use crate::problem::from_browser;

const HEAD: &str = "head";

/// Files and IndexedDB of the extension's origin.
#[derive(Default)]
pub struct BrowserVault {
    database: Database,
    files: Files,
    writing: RefCell<HashMap<String, Writing>>,
    /// The bytes that were read last: they are read chunk by chunk, and opening them takes as long as a chunk.
    reading: RefCell<Option<(String, Blob)>>,
}

/// Bytes that are not there for anybody before they are closed.
#[derive(Clone)]
enum Writing {
    File(FileSystemWritableFileStream),
    /// Blobs, which the browser holds outside the module's memory, for one row in IndexedDB: chunks that are rows already would
    /// stay for ever where nobody closes them.
    Row(Array),
}

fn failed(doing: &'static str) -> impl Fn(JsValue) -> Error {
    from_browser(ErrorKind::Store, doing)
}

/// Nothing moves without a snapshot.
fn nowhere(error: &Error) -> Error {
    let message = format!("expected a place to keep a snapshot in, found none, so nothing moves: {}", error.message());
    Error::new(error.kind(), message)
}

impl BrowserVault {
    /// The bytes of a snapshot, whichever place was open when they were written.
    async fn bytes(&self, id: &str) -> Result<Blob> {
        if let Some((name, blob)) = &*self.reading.borrow()
            && name == id
        {
            return Ok(blob.clone());
        }
        let blob = match self.files.open(id).await {
            Ok(blob) => blob,
            // Where the files cannot be opened now, what is not here may be there.
            Err(error) => self.row(id).await?.ok_or(error)?,
        };
        self.reading.replace(Some((id.to_owned(), blob.clone())));
        Ok(blob)
    }

    async fn row(&self, id: &str) -> Result<Option<Blob>> {
        Ok(self.database.get(Table::Bytes, id).await?.dyn_into().ok())
    }

    fn begun(&self, id: &str) -> Result<Writing> {
        let writing = self.writing.borrow().get(id).cloned();
        writing.ok_or_else(|| Error::new(ErrorKind::Snapshot, "expected a snapshot that was begun, found none"))
    }
}

/// What was begun and never closed goes with the vault: nobody else knows of it, and it would take up room for ever.
impl Drop for BrowserVault {
    fn drop(&mut self) {
        let Some(folder) = self.files.opened() else { return };
        for (id, writing) in self.writing.take() {
            if let Writing::File(stream) = writing {
                let folder = folder.clone();
                spawn_local(async move { files::abandon(&folder, &id, Some(stream)).await });
            }
        }
    }
}

impl Vault for BrowserVault {
    async fn create(&self, id: &str) -> Result<()> {
        self.reading.take();
        // Wherever the bytes go, the manifest goes here: found out before everything is read for nothing.
        self.database.open().await.map_err(|error| nowhere(&error))?;
        let writing = match self.files.create(id).await {
            Ok(stream) => Writing::File(stream),
            Err(_) => Writing::Row(Array::new()),
        };
        self.writing.borrow_mut().insert(id.to_owned(), writing);
        Ok(())
    }

    async fn append(&self, id: &str, bytes: &[u8]) -> Result<()> {
        match self.begun(id)? {
            Writing::File(stream) => files::write(&stream, bytes).await,
            Writing::Row(parts) => {
                parts.push(&blob_of(&Array::of1(&Uint8Array::from(bytes)))?);
                Ok(())
            }
        }
    }

    async fn close(&self, id: &str) -> Result<()> {
        let writing = self.begun(id)?;
        self.writing.borrow_mut().remove(id);
        match writing {
            Writing::File(stream) => files::close(&stream).await,
            Writing::Row(parts) => self.database.put(Table::Bytes, id, &blob_of(&parts)?).await,
        }
    }

    async fn read(&self, id: &str, offset: u64, length: u64) -> Result<Vec<u8>> {
        let blob = self.bytes(id).await?;
        read_blob(&blob, offset, length).await.map_err(failed("read the snapshot's bytes"))
    }

    async fn put_manifest(&self, id: &str, text: &str) -> Result<()> {
        self.database.put(Table::Manifests, id, &text.into()).await
    }

    async fn manifests(&self) -> Result<Vec<(String, String)>> {
        self.database.entries(Table::Manifests).await
    }

    async fn delete(&self, id: &str) -> Result<()> {
        self.reading.take();
        let stream = match self.writing.borrow_mut().remove(id) {
            Some(Writing::File(stream)) => Some(stream),
            Some(Writing::Row(_)) | None => None,
        };
        let folder = self.files.folder().await.ok();
        // Its bytes may be in a file that cannot be reached now. By its manifest they are found again.
        if folder.is_none() && self.row(id).await?.is_none() {
            return Ok(());
        }
        self.database.delete(Table::Manifests, id).await?;
        self.database.delete(Table::Bytes, id).await?;
        if let Some(folder) = folder {
            files::abandon(&folder, id, stream).await;
        }
        Ok(())
    }

    async fn mirror(&self) -> Result<Option<String>> {
        Ok(self.database.get(Table::Mirror, HEAD).await?.as_string())
    }

    async fn put_mirror(&self, text: &str) -> Result<()> {
        self.database.put(Table::Mirror, HEAD, &text.into()).await
    }
}

fn blob_of(parts: &Array) -> Result<JsValue> {
    Blob::new_with_u8_array_sequence(parts).map(JsValue::from).map_err(failed("keep a snapshot's bytes"))
}

/// A part of a file's bytes; fewer where it ends.
pub(crate) async fn read_blob(blob: &Blob, offset: u64, length: u64) -> std::result::Result<Vec<u8>, JsValue> {
    let part = blob.slice_with_f64_and_f64(offset as f64, (offset + length) as f64)?;
    let buffer = JsFuture::from(part.array_buffer()).await?;
    Ok(Uint8Array::new(&buffer).to_vec())
}
