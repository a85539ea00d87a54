//! What an export file is: lines of JSON, a header, a record each, and a footer.

use crate::chain::{Link, Version};
use crate::error::{Error, ErrorKind, Result};
use crate::json_object;

/// A file's bytes, from front to back.
#[allow(async_fn_in_trait)]
pub trait Bytes {
    /// The next bytes; none at the end.
    ///
    /// # Errors
    /// [`ErrorKind::Import`] where the file cannot be read.
    async fn next(&mut self) -> Result<Vec<u8>>;
}

/// The first line.
pub(super) struct Header {
    pub(super) exuvia: String,
    pub(super) format: u32,
    pub(super) version: Version,
    pub(super) line: Vec<Link>,
}

json_object!(Header { "exuvia": exuvia, "format": format, "version": version, "line": line });

/// The last line.
pub(super) struct Footer {
    pub(super) end: bool,
    pub(super) records: u64,
    pub(super) digest: Option<String>,
}

json_object!(Footer { "end": end, "records": records, "digest": digest });

/// No line of a file is longer: the largest record, and the chain in the header.
const LONGEST_LINE: usize = 256 << 20;

/// The lines of a file, of bounded length.
pub(super) struct Lines<B> {
    file: B,
    buffer: Vec<u8>,
    at: usize,
    /// The number of the last line, from 1.
    pub(super) number: usize,
    /// Of all bytes up to and with the last line.
    pub(super) digest: blake3::Hasher,
}

impl<B: Bytes> Lines<B> {
    pub(super) fn new(file: B) -> Self {
        Self { file, buffer: Vec::new(), at: 0, number: 0, digest: blake3::Hasher::new() }
    }

    pub(super) async fn next(&mut self) -> Result<Option<String>> {
        let mut searched = self.at;
        loop {
            if let Some(length) = self.buffer[searched..].iter().position(|byte| *byte == b'\n') {
                let end = searched + length;
                return self.cut(end, end + 1).map(Some);
            }
            searched = self.buffer.len();
            let more = self.file.next().await?;
            if more.is_empty() {
                let end = self.buffer.len();
                return if end > self.at { self.cut(end, end).map(Some) } else { Ok(None) };
            }
            if searched - self.at + more.len() > LONGEST_LINE {
                return Err(import(&format!(
                    "line {}: expected at most {LONGEST_LINE} bytes, found more",
                    self.number + 1
                )));
            }
            self.buffer.drain(..self.at);
            searched -= self.at;
            self.at = 0;
            self.buffer.extend_from_slice(&more);
        }
    }

    fn cut(&mut self, end: usize, next: usize) -> Result<String> {
        self.number += 1;
        let line = &self.buffer[self.at..end];
        self.digest.update(&self.buffer[self.at..next]);
        self.at = next;
        let text = std::str::from_utf8(line)
            .map_err(|_| import(&format!("line {}: expected UTF-8, found other bytes", self.number)))?;
        Ok(text.to_owned())
    }
}

/// Whatever is wrong with a file.
pub(super) fn import(message: &str) -> Error {
    Error::new(ErrorKind::Import, message)
}
