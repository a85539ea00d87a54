//! Newline-delimited JSON: a document a line.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use exuvia_core::{Error, ErrorKind};
use memchr::memchr;

use crate::failure::{Failure, Place};

/// Large enough that reading is few calls.
pub(crate) const BUFFER: usize = 1 << 20;

/// Lines, each a slice of the same buffer, which grows to the longest line and no further.
pub(crate) struct Lines<R> {
    input: R,
    file: PathBuf,
    number: usize,
    buffer: Vec<u8>,
    /// What of the buffer was read from the input and not yet handed out.
    waiting: Range<usize>,
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
        Self { input, file: name.to_owned(), number: 0, buffer: vec![0; BUFFER], waiting: 0..0 }
    }

    /// The next line; `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<Line<'_>>, Failure> {
        let line = self.find().map_err(Failure::file(&self.file))?;
        if line.is_empty() {
            return Ok(None);
        }
        self.number += 1;
        let line = &self.buffer[line];
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        match simdutf8::basic::from_utf8(line.strip_suffix(b"\r").unwrap_or(line)) {
            Ok(text) => Ok(Some(Line { text, number: self.number, file: &self.file })),
            Err(_) => Err(self.at_fault(Error::new(ErrorKind::Json, "expected a text in UTF-8, found other bytes"))),
        }
    }

    /// The next line with its end, in the buffer; empty after the last.
    fn find(&mut self) -> io::Result<Range<usize>> {
        let mut searched = 0;
        loop {
            let start = self.waiting.start;
            if let Some(found) = memchr(b'\n', &self.buffer[start + searched..self.waiting.end]) {
                self.waiting.start += searched + found + 1;
                return Ok(start..self.waiting.start);
            }
            searched = self.waiting.len();
            if self.fill()? == 0 {
                self.waiting.start = self.waiting.end;
                return Ok(self.waiting.end - searched..self.waiting.end);
            }
        }
    }

    /// Reads more behind what is waiting, which moves to the front; answers with how much.
    fn fill(&mut self) -> io::Result<usize> {
        self.buffer.copy_within(self.waiting.clone(), 0);
        self.waiting = 0..self.waiting.len();
        if self.waiting.end == self.buffer.len() {
            self.buffer.resize(2 * self.buffer.len(), 0);
        }
        loop {
            match self.input.read(&mut self.buffer[self.waiting.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => {
                    self.waiting.end += *read.as_ref().unwrap_or(&0);
                    return read;
                }
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes at a time.
    struct Trickle<'t>(&'t [u8]);

    impl Read for Trickle<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let few = self.0.len().min(3);
            self.0.take(few as u64).read(out).inspect(|read| self.0 = &self.0[*read..])
        }
    }

    #[test]
    fn lines_are_what_they_are_however_they_arrive() {
        let long = "x".repeat(3 * BUFFER);
        for text in ["", "a", "a\n", "a\n\nb", "\n", "a\r\nb\r\n", &format!("a\n{long}\nb")] {
            let expected: Vec<_> = text.lines().collect();
            let mut lines = Lines::new(Trickle(text.as_bytes()), Path::new("test"));
            let mut found = Vec::new();
            while let Some(line) = lines.next().unwrap() {
                found.push((line.number, line.text.to_owned()));
            }
            assert_eq!(found.iter().map(|(_, text)| text).collect::<Vec<_>>(), expected.iter().collect::<Vec<_>>());
            assert!(found.iter().enumerate().all(|(index, (number, _))| *number == index + 1));
        }
    }
}
