//! Newline-delimited JSON: a document a line.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use exuvia_core::{Error, ErrorKind};

use crate::failure::{Failure, Place};

/// Large enough that reading is few calls.
pub(crate) const BUFFER: usize = 1 << 20;

/// Lines, each read into the same buffer.
pub(crate) struct Lines<R> {
    input: BufReader<R>,
    file: PathBuf,
    line: Vec<u8>,
    number: usize,
}

/// A line without its end, and where it is.
#[derive(Clone, Copy)]
pub(crate) struct Line<'l> {
    pub(crate) text: &'l str,
    pub(crate) number: usize,
    file: &'l Path,
}

impl Lines<File> {
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        Ok(Self::new(File::open(path).map_err(Failure::file(path))?, path))
    }
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(input: R, name: &Path) -> Self {
        let input = BufReader::with_capacity(BUFFER, input);
        Self { input, file: name.to_owned(), line: Vec::new(), number: 0 }
    }

    /// The next line; `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<Line<'_>>, Failure> {
        self.line.clear();
        if self.input.read_until(b'\n', &mut self.line).map_err(Failure::file(&self.file))? == 0 {
            return Ok(None);
        }
        self.number += 1;
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        match std::str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line)) {
            Ok(text) => Ok(Some(Line { text, file: &self.file, number: self.number })),
            Err(_) => Err(self.at_fault(Error::new(ErrorKind::Json, "expected a text in UTF-8, found other bytes"))),
        }
    }

    /// How many lines were read.
    pub(crate) fn count(&self) -> usize {
        self.number
    }

    /// The line read last is not what it should be.
    pub(crate) fn at_fault(&self, error: Error) -> Failure {
        Failure::Exuvia { place: Place::Line { file: self.file.clone(), number: self.number }, error }
    }
}

impl Line<'_> {
    /// This line is not what it should be.
    pub(crate) fn at_fault(&self, error: Error) -> Failure {
        Failure::Exuvia { place: Place::Line { file: self.file.to_owned(), number: self.number }, error }
    }
}
