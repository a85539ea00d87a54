use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use exuvia_core::chain::{Chain, Residues, Version};
use exuvia_core::document::Value;
use exuvia_core::lens::Context;
use exuvia_core::{Error, ErrorKind};
use tempfile::NamedTempFile;

use crate::chain_folder::ChainFolder;
use crate::failure::{Failure, Place};
use crate::ndjson::{self, Lines};
use crate::progress::Progress;

/// Move records from one version of a chain to another
///
/// Reads newline-delimited JSON from standard input and writes it to standard output, a record a line. With --residue,
/// what the records lose on the way is kept in a file, and taken from there on the way back: a line of residue for each
/// line of records. Stops at the first record that does not fit; what was written until then stands.
#[derive(Args)]
pub(crate) struct Translate {
    /// The folder of the chain
    #[arg(long, value_name = "DIR")]
    chain: PathBuf,
    /// The collection that the records belong to
    #[arg(long, value_name = "NAME")]
    collection: String,
    /// The version of the records
    #[arg(long, value_name = "V")]
    from: u32,
    /// The version wanted; older or newer
    #[arg(long, value_name = "W")]
    to: u32,
    /// Residue: read where the file is there, and written anew when all records are through
    #[arg(long, value_name = "FILE")]
    residue: Option<PathBuf>,
}

impl Translate {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let chain = ChainFolder::new(&self.chain).load()?;
        let passage = Passage::new(&chain, &self)?;
        let mut known = self.residue.as_deref().map_or(Ok(None), KnownResidue::open)?;
        let mut kept = self.residue.as_deref().map(KeptResidue::create).transpose()?;
        let mut records = Lines::new(io::stdin().lock(), Path::new("standard input"));
        let mut out = BufWriter::with_capacity(ndjson::BUFFER, io::stdout().lock());
        let mut progress = Progress::on_terminal();
        let mut text = String::new();
        while let Some(line) = records.next()? {
            let mut residues = known.as_mut().map_or_else(|| Ok(Residues::default()), KnownResidue::next)?;
            let record = passage.translate(line.text, &mut residues).map_err(|error| line.at_fault(error))?;
            record.write(&mut text);
            text.push('\n');
            out.write_all(text.as_bytes()).map_err(Failure::stdout)?;
            text.clear();
            if let Some(kept) = &mut kept {
                residues.to_value().write(&mut text);
                kept.line(&text)?;
                text.clear();
            }
            progress.line(line.text.len());
        }
        known.map_or(Ok(()), KnownResidue::expect_end)?;
        out.flush().map_err(Failure::stdout)?;
        kept.map_or(Ok(()), KeptResidue::finish)
    }
}

/// The way between two versions of a collection.
struct Passage<'c> {
    chain: &'c Chain,
    name: &'c str,
    from: Version,
    to: Version,
    now: i64,
}

impl<'c> Passage<'c> {
    fn new(chain: &'c Chain, arguments: &'c Translate) -> Result<Self, Failure> {
        let name = &*arguments.collection;
        let (from, to) = (Version(arguments.from), Version(arguments.to));
        chain.counterpart(name, from, to).map_err(|error| Failure::usage(error.message()))?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
        Ok(Self { chain, name, from, to, now })
    }

    /// The record at the other end; its residues there take the place of those here.
    fn translate<'a>(&self, line: &'a str, residues: &mut Residues<'a>) -> exuvia_core::Result<Value<'a>> {
        let mut record = Value::parse(line)?;
        let context = Context { now: self.now, key: "" };
        self.chain.translate_alone(self.name, self.from, self.to, context, &mut record, residues)?;
        Ok(record)
    }
}

/// The residue that was there, line by line.
struct KnownResidue {
    path: PathBuf,
    lines: Lines<File>,
}

impl KnownResidue {
    fn open(path: &Path) -> Result<Option<Self>, Failure> {
        match File::open(path) {
            Ok(file) => Ok(Some(Self { path: path.to_owned(), lines: Lines::new(file, path) })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::file(path)(error)),
        }
    }

    fn next(&mut self) -> Result<Residues<'_>, Failure> {
        let end = Place::File(self.path.clone());
        let Some(line) = self.lines.next()? else { return Err(misaligned(end, "no more")) };
        let residues = Value::parse(line.text).and_then(|value| Residues::from_value(&value));
        residues.map_err(|error| line.at_fault(error))
    }

    fn expect_end(mut self) -> Result<(), Failure> {
        match self.lines.next()? {
            Some(_) => Err(misaligned(Place::File(self.path), "more")),
            None => Ok(()),
        }
    }
}

/// Records would be given the residue of others.
fn misaligned(place: Place, found: &str) -> Failure {
    let message = format!("expected a line of residue for each line of records, found {found}");
    Failure::Exuvia { place, error: Error::new(ErrorKind::Json, message) }
}

/// The residue that is to take its place. Written beside the old file and renamed at the end: a command that fails
/// leaves the old residue alone, and nothing of its own.
struct KeptResidue {
    path: PathBuf,
    file: BufWriter<NamedTempFile>,
}

impl KeptResidue {
    fn create(path: &Path) -> Result<Self, Failure> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let file = NamedTempFile::new_in(folder.unwrap_or(Path::new("."))).map_err(Failure::file(path))?;
        Ok(Self { path: path.to_owned(), file: BufWriter::new(file) })
    }

    fn line(&mut self, residues: &str) -> Result<(), Failure> {
        writeln!(self.file, "{residues}").map_err(Failure::file(&self.path))
    }

    fn finish(self) -> Result<(), Failure> {
        let written = self.file.into_inner().map_err(io::IntoInnerError::into_error);
        let synced = written.and_then(|file| file.as_file().sync_all().map(|()| file));
        let renamed = synced.and_then(|file| file.persist(&self.path).map_err(|error| error.error));
        renamed.map(drop).map_err(Failure::file(&self.path))
    }
}
