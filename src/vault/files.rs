//! Named files in a folder of the origin private file system.

use std::cell::RefCell;

use exuvia_core::{Error, ErrorKind, Result};
use js_sys::{Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, FileSystemDirectoryHandle, FileSystemFileHandle, FileSystemGetDirectoryOptions, FileSystemGetFileOptions,
    FileSystemWritableFileStream,
};

use crate::problem::{from_browser, navigator};

const FOLDER: &str = "exuvia";

#[wasm_bindgen]
extern "C" {
    /// `StorageManager`, which in some browsers has no files.
    type Origin;

    #[wasm_bindgen(method, catch, js_name = getDirectory)]
    fn get_directory(this: &Origin) -> std::result::Result<Promise, JsValue>;
}

/// The folder, opened when it is first needed.
#[derive(Default)]
pub(super) struct Files {
    folder: RefCell<Option<FileSystemDirectoryHandle>>,
}

fn failed(doing: &'static str) -> impl Fn(JsValue) -> Error {
    from_browser(ErrorKind::Store, doing)
}

async fn settled<T: JsCast>(promise: Promise, doing: &'static str) -> Result<T> {
    JsFuture::from(promise).await.map(JsCast::unchecked_into).map_err(failed(doing))
}

impl Files {
    /// # Errors
    /// [`ErrorKind::Store`] where the browser does not open its file system, in a private window say.
    pub(super) async fn folder(&self) -> Result<FileSystemDirectoryHandle> {
        if let Some(folder) = self.folder.borrow().clone() {
            return Ok(folder);
        }
        let opened = Self::open_folder().await;
        // Whatever the browser says is not there, nobody can tell then that a file is not.
        let folder = opened.map_err(|error| error.of_kind(ErrorKind::Store))?;
        self.folder.replace(Some(folder.clone()));
        Ok(folder)
    }

    async fn open_folder() -> Result<FileSystemDirectoryHandle> {
        const OPEN: &str = "open its file system";
        let root = navigator().storage().unchecked_into::<Origin>().get_directory().map_err(failed(OPEN))?;
        let root: FileSystemDirectoryHandle = settled(root, OPEN).await?;
        let options = FileSystemGetDirectoryOptions::new();
        options.set_create(true);
        settled(root.get_directory_handle_with_options(FOLDER, &options), "make a folder").await
    }

    /// The folder, if it was opened.
    pub(super) fn opened(&self) -> Option<FileSystemDirectoryHandle> {
        self.folder.borrow().clone()
    }

    pub(super) async fn create(&self, name: &str) -> Result<FileSystemWritableFileStream> {
        let options = FileSystemGetFileOptions::new();
        options.set_create(true);
        let file: FileSystemFileHandle =
            settled(self.folder().await?.get_file_handle_with_options(name, &options), "make a file").await?;
        settled(file.create_writable(), "open a file for writing").await
    }

    pub(super) async fn open(&self, name: &str) -> Result<Blob> {
        let file: FileSystemFileHandle =
            settled(self.folder().await?.get_file_handle(name), "find the snapshot's file").await?;
        settled(file.get_file(), "open the snapshot's file").await
    }
}

pub(super) async fn write(stream: &FileSystemWritableFileStream, bytes: &[u8]) -> Result<()> {
    const WRITE: &str = "write a file";
    let write = stream.write_with_js_u8_array(&Uint8Array::from(bytes)).map_err(failed(WRITE))?;
    settled::<JsValue>(write, WRITE).await.map(drop)
}

/// What was written is in the file only then.
pub(super) async fn close(stream: &FileSystemWritableFileStream) -> Result<()> {
    settled::<JsValue>(stream.close(), "close a file").await.map(drop)
}

/// Removes a file. That cannot be done while a stream is open.
pub(super) async fn abandon(
    folder: &FileSystemDirectoryHandle,
    name: &str,
    stream: Option<FileSystemWritableFileStream>,
) {
    if let Some(stream) = stream {
        let _ = JsFuture::from(stream.abort()).await;
    }
    // A file that is not there is as good as removed.
    let _ = JsFuture::from(folder.remove_entry(name)).await;
}
