//! Where snapshots are kept in a browser: their bytes in the origin private file system, their manifests and the mirror
//! of the head in IndexedDB.
//!
//! A file takes each chunk as it comes, at about twice the speed of a chunk a transaction in IndexedDB (docs/snapshots.md
//! says how that was measured). Files are not flushed; so the manifest, with the digest of each chunk, is written after
//! them with strict durability, and a snapshot whose bytes do not match it counts as absent.

use std::cell::RefCell;
use std::collections::HashMap;

use exuvia_core::records::Vault;
use exuvia_core::{Error, ErrorKind, Result};
use js_sys::{Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    Blob, FileSystemDirectoryHandle, FileSystemFileHandle, FileSystemGetDirectoryOptions, FileSystemGetFileOptions,
    FileSystemWritableFileStream,
};

use crate::idb::{Database, Table};
use crate::problem::{from_browser, navigator};

const FOLDER: &str = "exuvia";
const HEAD: &str = "head";

/// Files and IndexedDB of the extension's origin.
#[derive(Default)]
pub struct BrowserVault {
    database: Database,
    folder: RefCell<Option<FileSystemDirectoryHandle>>,
    writing: RefCell<HashMap<String, FileSystemWritableFileStream>>,
    /// The file that was read last: it is read chunk by chunk, and opening it takes as long as a chunk.
    reading: RefCell<Option<(String, Blob)>>,
}

fn failed(doing: &'static str) -> impl Fn(JsValue) -> Error {
    from_browser(ErrorKind::Store, doing)
}

async fn settled<T: JsCast>(promise: Promise, doing: &'static str) -> Result<T> {
    JsFuture::from(promise).await.map(JsCast::unchecked_into).map_err(failed(doing))
}

impl BrowserVault {
    async fn folder(&self) -> Result<FileSystemDirectoryHandle> {
        if let Some(folder) = self.folder.borrow().clone() {
            return Ok(folder);
        }
        let root: FileSystemDirectoryHandle =
            settled(navigator().storage().get_directory(), "open its file system").await?;
        let options = FileSystemGetDirectoryOptions::new();
        options.set_create(true);
        let folder: FileSystemDirectoryHandle =
            settled(root.get_directory_handle_with_options(FOLDER, &options), "make a folder").await?;
        self.folder.replace(Some(folder.clone()));
        Ok(folder)
    }

    /// Its file cannot be removed while a stream is open.
    async fn abandon(folder: &FileSystemDirectoryHandle, id: &str, stream: Option<FileSystemWritableFileStream>) {
        if let Some(stream) = stream {
            let _ = JsFuture::from(stream.abort()).await;
        }
        // A file that is not there is as good as removed.
        let _ = JsFuture::from(folder.remove_entry(id)).await;
    }

    async fn file(&self, id: &str) -> Result<Blob> {
        if let Some((name, blob)) = &*self.reading.borrow()
            && name == id
        {
            return Ok(blob.clone());
        }
        let file: FileSystemFileHandle =
            settled(self.folder().await?.get_file_handle(id), "find the snapshot's file").await?;
        let blob: Blob = settled(file.get_file(), "open the snapshot's file").await?;
        self.reading.replace(Some((id.to_owned(), blob.clone())));
        Ok(blob)
    }

    fn stream(&self, id: &str) -> Result<FileSystemWritableFileStream> {
        let stream = self.writing.borrow().get(id).cloned();
        stream.ok_or_else(|| Error::new(ErrorKind::Snapshot, "expected a snapshot that was begun, found none"))
    }
}

/// What was begun and never closed goes with the vault: nobody else knows of it, and it would take up room for ever.
impl Drop for BrowserVault {
    fn drop(&mut self) {
        let Some(folder) = self.folder.take() else { return };
        for (id, stream) in self.writing.take() {
            let folder = folder.clone();
            spawn_local(async move { Self::abandon(&folder, &id, Some(stream)).await });
        }
    }
}

impl Vault for BrowserVault {
    async fn create(&self, id: &str) -> Result<()> {
        self.reading.take();
        let options = FileSystemGetFileOptions::new();
        options.set_create(true);
        let file: FileSystemFileHandle =
            settled(self.folder().await?.get_file_handle_with_options(id, &options), "make a file").await?;
        let stream = settled(file.create_writable(), "open a file for writing").await?;
        self.writing.borrow_mut().insert(id.to_owned(), stream);
        Ok(())
    }

    async fn append(&self, id: &str, bytes: &[u8]) -> Result<()> {
        let write = self.stream(id)?.write_with_js_u8_array(&Uint8Array::from(bytes));
        settled::<JsValue>(write.map_err(failed("write a file"))?, "write a file").await.map(drop)
    }

    async fn close(&self, id: &str) -> Result<()> {
        let stream = self.stream(id)?;
        self.writing.borrow_mut().remove(id);
        settled::<JsValue>(stream.close(), "close a file").await.map(drop)
    }

    async fn read(&self, id: &str, offset: u64, length: u64) -> Result<Vec<u8>> {
        let blob = self.file(id).await?;
        read_blob(&blob, offset, length).await.map_err(|thrown| failed("read the snapshot's file")(thrown))
    }

    async fn put_manifest(&self, id: &str, text: &str) -> Result<()> {
        self.database.put(Table::Manifests, id, text).await
    }

    async fn manifests(&self) -> Result<Vec<(String, String)>> {
        self.database.entries(Table::Manifests).await
    }

    async fn delete(&self, id: &str) -> Result<()> {
        self.database.delete(Table::Manifests, id).await?;
        self.reading.take();
        let stream = self.writing.borrow_mut().remove(id);
        Self::abandon(&self.folder().await?, id, stream).await;
        Ok(())
    }

    async fn mirror(&self) -> Result<Option<String>> {
        let entries = self.database.entries(Table::Mirror).await?;
        Ok(entries.into_iter().find(|(key, _)| key == HEAD).map(|(_, text)| text))
    }

    async fn put_mirror(&self, text: &str) -> Result<()> {
        self.database.put(Table::Mirror, HEAD, text).await
    }
}

/// A part of a file's bytes; fewer where it ends.
pub(crate) async fn read_blob(blob: &Blob, offset: u64, length: u64) -> std::result::Result<Vec<u8>, JsValue> {
    let part = blob.slice_with_f64_and_f64(offset as f64, (offset + length) as f64)?;
    let buffer = JsFuture::from(part.array_buffer()).await?;
    Ok(Uint8Array::new(&buffer).to_vec())
}
