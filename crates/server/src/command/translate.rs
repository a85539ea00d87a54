use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Lines, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use exuvia_core::chain::{Chain, Residues, Version};
use exuvia_core::document::Value;
use exuvia_core::error::Error;

use crate::chain_folder::ChainFolder;
use crate::failure::Failure;

/// Move records from one version of a chain to another
///
/// Reads newline-delimited JSON from standard input and writes it to standard output, a record a line. With --residue,
/// what the records lose on the way is kept in a file, and taken from there on the way back: a line of residue for each
/// line of records.
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
        let mut residue = self.residue.as_deref().map(ResidueFile::open).transpose()?;
        let mut out = BufWriter::new(io::stdout().lock());
        for (index, line) in io::stdin().lock().lines().enumerate() {
            let number = index + 1;
            let line = line.map_err(Failure::file(Path::new("standard input")))?;
            let known = residue.as_mut().map_or(Ok(None), ResidueFile::next)?;
            let moved = passage.translate(&line, known.as_deref());
            let (record, kept) = moved.map_err(|error| Failure::Exuvia { place: format!("line {number}: "), error })?;
            write_line(&mut out, &record)?;
            if let Some(residue) = &mut residue {
                residue.keep(&kept)?;
            }
        }
        out.flush().map_err(Failure::file(Path::new("standard output")))?;
        residue.map_or(Ok(()), ResidueFile::finish)
    }
}

/// The way between two versions of a collection.
struct Passage<'c> {
    chain: &'c Chain,
    collection: &'c str,
    from: Version,
    to: Version,
}

impl<'c> Passage<'c> {
    fn new(chain: &'c Chain, arguments: &'c Translate) -> Result<Self, Failure> {
        let (from, to) = (Version(arguments.from), Version(arguments.to));
        chain.collection(&arguments.collection, from)?;
        chain.collection(&arguments.collection, to)?;
        Ok(Self { chain, collection: &arguments.collection, from, to })
    }

    /// The record and its residues at the other end, as JSON.
    fn translate(&self, line: &str, known: Option<&str>) -> Result<(String, String), Error> {
        let name = self.collection;
        let fits = |record: &Value<'_>, version| self.chain.collection(name, version)?.schema.validate(record);
        let mut record = Value::parse(line)?;
        let mut residues =
            known.map_or_else(|| Ok(Residues::default()), |text| Residues::from_value(&Value::parse(text)?))?;
        fits(&record, self.from).map_err(|error| error.in_collection(name))?;
        self.chain.translate(name, self.from, self.to, &mut record, &mut residues)?;
        fits(&record, self.to).map_err(|error| error.in_collection(name))?;
        Ok((record.to_json(), residues.to_value().to_json()))
    }
}

/// The residue that was there, line by line, and the residue that is to take its place.
struct ResidueFile {
    path: PathBuf,
    old: Option<Lines<BufReader<File>>>,
    new: BufWriter<File>,
}

impl ResidueFile {
    fn open(path: &Path) -> Result<Self, Failure> {
        let old = match File::open(path) {
            Ok(file) => Some(BufReader::new(file).lines()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(Failure::file(path)(error)),
        };
        let new = Self::new_path(path);
        let new = File::create(&new).map_err(Failure::file(&new))?;
        Ok(Self { path: path.to_owned(), old, new: BufWriter::new(new) })
    }

    /// Written beside the old file and renamed at the end: a command that fails leaves the old residue alone.
    fn new_path(path: &Path) -> PathBuf {
        let mut name = path.as_os_str().to_owned();
        name.push(".new");
        name.into()
    }

    fn next(&mut self) -> Result<Option<String>, Failure> {
        self.old.as_mut().and_then(Iterator::next).transpose().map_err(Failure::file(&self.path))
    }

    fn keep(&mut self, residues: &str) -> Result<(), Failure> {
        writeln!(self.new, "{residues}").map_err(Failure::file(&self.path))
    }

    fn finish(self) -> Result<(), Failure> {
        let new = Self::new_path(&self.path);
        let file = self.new.into_inner().map_err(|error| Failure::file(&new)(error.into_error()))?;
        file.sync_all().map_err(Failure::file(&new))?;
        std::fs::rename(&new, &self.path).map_err(Failure::file(&self.path))
    }
}

fn write_line(out: &mut impl Write, line: &str) -> Result<(), Failure> {
    writeln!(out, "{line}").map_err(Failure::file(Path::new("standard output")))
}
