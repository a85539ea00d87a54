//! Export files as blobs.

use exuvia_core::records::{Bytes, Sink};
use exuvia_core::{ErrorKind, Result};
use js_sys::Array;
use wasm_bindgen::JsValue;
use web_sys::{Blob, BlobPropertyBag};

use crate::problem::from_browser;
use crate::vault::read_blob;

/// How much of a file is read at once.
const PART: u64 = 1 << 20;

/// A file that is read from front to back.
pub(crate) struct BlobBytes {
    blob: Blob,
    at: u64,
}

impl BlobBytes {
    pub(crate) fn new(blob: Blob) -> Self {
        Self { blob, at: 0 }
    }
}

impl Bytes for BlobBytes {
    async fn next(&mut self) -> Result<Vec<u8>> {
        let bytes =
            read_blob(&self.blob, self.at, PART).await.map_err(from_browser(ErrorKind::Import, "read the file"))?;
        self.at += bytes.len() as u64;
        Ok(bytes)
    }
}

/// A file that grows outside the module's memory.
#[derive(Default)]
pub(crate) struct BlobSink {
    parts: Array,
}

impl Sink for BlobSink {
    fn take(&mut self, text: &str) -> Result<()> {
        let blob = Blob::new_with_str_sequence(&Array::of1(&text.into()))
            .map_err(from_browser(ErrorKind::Store, "keep a part of the file"))?;
        self.parts.push(&blob);
        Ok(())
    }
}

impl BlobSink {
    pub(crate) fn finish(self) -> Result<Blob, JsValue> {
        let options = BlobPropertyBag::new();
        options.set_type("application/x-ndjson");
        Blob::new_with_blob_sequence_and_options(&self.parts, &options)
    }
}
