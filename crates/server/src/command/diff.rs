use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use clap::Args;
use exuvia_core::chain::Version;
use exuvia_core::document::{Kind, Path as Pointer, Value};
use exuvia_core::schema::Schema;
use exuvia_core::{Error, ErrorKind};
use serde::Serialize;

use crate::chain_folder::ChainFolder;
use crate::difference::{Differ, Difference};
use crate::failure::{Failure, Place};
use crate::ndjson::{Line, Lines};
use crate::output::Output;
use crate::schema_fields;

/// Say where two files of records, or two schemas, differ
///
/// Records are newline-delimited JSON, compared line by line, or with --key by their key. With --schema the two files are
/// JSON Schemas; with --chain two versions of a collection are compared. Equality is of meaning: the order of members and
/// the spelling of numbers do not count. Types are named, not values. Exits with 0 where all is the same, else with 1.
#[derive(Args)]
pub(crate) struct Diff {
    /// The one file
    #[arg(required_unless_present = "chain")]
    a: Option<PathBuf>,
    /// The other
    #[arg(required_unless_present = "chain")]
    b: Option<PathBuf>,
    /// Compare the records that have the same value at this JSON Pointer, wherever they stand; holds the first file in memory
    #[arg(long, value_name = "POINTER", value_parser = pointer, conflicts_with_all = ["schema", "chain"])]
    key: Option<Pointer>,
    /// Show the values that differ
    #[arg(long, conflicts_with_all = ["schema", "chain"])]
    values: bool,
    /// The files are JSON Schemas
    #[arg(long, conflicts_with = "chain")]
    schema: bool,
    /// Compare two versions of a collection in this folder's chain
    #[arg(long, value_name = "DIR", conflicts_with_all = ["a", "b"], requires_all = ["collection", "from", "to"])]
    chain: Option<PathBuf>,
    /// The collection
    #[arg(long, value_name = "NAME", requires = "chain")]
    collection: Option<String>,
    /// The one version
    #[arg(long, value_name = "V", requires = "chain")]
    from: Option<u32>,
    /// The other version
    #[arg(long, value_name = "W", requires = "chain")]
    to: Option<u32>,
}

/// Where two records differ.
#[derive(Serialize)]
struct RecordDifference<'r> {
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    differences: Vec<Difference>,
}

impl Diff {
    pub(crate) fn run(self, output: Output) -> Result<(), Failure> {
        let (a, b) = (self.a.as_deref().unwrap_or(Path::new("")), self.b.as_deref().unwrap_or(Path::new("")));
        let found = match (&self.chain, &self.key) {
            (Some(folder), _) => {
                let [before, after] = self.versions(folder)?;
                compare_schemas(&before, &after, output)?
            }
            _ if self.schema => compare_schemas(&read_schema(a)?, &read_schema(b)?, output)?,
            (None, Some(key)) => self.compare_by_key(a, b, key, output)?,
            (None, None) => self.compare_by_line(a, b, output)?,
        };
        if found { Err(Failure::Found) } else { Ok(()) }
    }

    fn versions(&self, folder: &Path) -> Result<[Schema; 2], Failure> {
        let chain = ChainFolder::new(folder).arrange()?;
        let name = self.collection.as_deref().unwrap_or_default();
        let (from, to) = (Version(self.from.unwrap_or_default()), Version(self.to.unwrap_or_default()));
        let schema = |version| -> Result<Schema, Failure> {
            let found = chain.counterpart(name, from, version).map_err(|error| Failure::usage(error.message()))?;
            Ok(found.1.schema.clone())
        };
        Ok([schema(from)?, schema(to)?])
    }

    fn compare_by_line(&self, a: &Path, b: &Path, output: Output) -> Result<bool, Failure> {
        let (mut a, mut b) = (Lines::open(a)?, Lines::open(b)?);
        let mut found = false;
        loop {
            let (before, after) = (a.next()?, b.next()?);
            let Some(number) = before.or(after).map(|line| line.number) else { return Ok(found) };
            let (before, after) = (before.map(read).transpose()?, after.map(read).transpose()?);
            let differences = Differ { values: self.values }.between(before.as_ref(), after.as_ref())?;
            found |= !differences.is_empty();
            RecordDifference { key: None, line: Some(number), differences }.print(output)?;
        }
    }

    fn compare_by_key(&self, a: &Path, b: &Path, key: &Pointer, output: Output) -> Result<bool, Failure> {
        let differ = Differ { values: self.values };
        let mut known = read_by_key(a, key)?;
        let mut found = false;
        let mut lines = Lines::open(b)?;
        while let Some(line) = lines.next()? {
            let mut after = read(line)?;
            let id = key_of(&mut after, key).map_err(|error| line.at_fault(error))?;
            let before = known.remove(&id);
            let before = before.as_deref().map(Value::parse).transpose()?;
            let differences = differ.between(before.as_ref(), Some(&after))?;
            found |= !differences.is_empty();
            RecordDifference { key: Some(&id), line: None, differences }.print(output)?;
        }
        for (id, line) in &known {
            let differences = differ.between(Some(&Value::parse(line)?), None)?;
            RecordDifference { key: Some(id), line: None, differences }.print(output)?;
        }
        Ok(found || !known.is_empty())
    }
}

fn pointer(text: &str) -> Result<Pointer, String> {
    Pointer::parse(text).map_err(|error| error.message().to_owned())
}

fn read(line: Line<'_>) -> Result<Value<'_>, Failure> {
    Value::parse(line.text).map_err(|error| line.at_fault(error))
}

fn read_by_key(path: &Path, key: &Pointer) -> Result<BTreeMap<String, String>, Failure> {
    let mut lines = Lines::open(path)?;
    let mut by_key = BTreeMap::new();
    while let Some(line) = lines.next()? {
        let id = key_of(&mut read(line)?, key).map_err(|error| line.at_fault(error))?;
        if by_key.insert(id, line.text.to_owned()).is_some() {
            let error = Error::new(ErrorKind::Collision, "expected keys that differ, found one a second time");
            return Err(line.at_fault(error.under_path(key)));
        }
    }
    Ok(by_key)
}

/// A text as it is, any other scalar as JSON.
fn key_of(record: &mut Value<'_>, key: &Pointer) -> exuvia_core::Result<String> {
    let unfit = |found: &dyn fmt::Display| {
        Error::new(ErrorKind::Unfit, format!("expected a key, found {found}")).under_path(key)
    };
    let Some(value) = key.get(record)? else { return Err(unfit(&"none")) };
    match value.kind() {
        Kind::String => Ok(value.text()?.map(Cow::into_owned).unwrap_or_default()),
        kind @ (Kind::Array | Kind::Object) => Err(unfit(&kind)),
        _ => Ok(value.to_json()),
    }
}

fn read_schema(path: &Path) -> Result<Schema, Failure> {
    let text = std::fs::read_to_string(path).map_err(Failure::file(path))?;
    let schema = Value::parse(&text).and_then(|value| Schema::read(&value));
    schema.map_err(|error| Failure::Exuvia { place: Place::File(path.to_owned()), error })
}

fn compare_schemas(before: &Schema, after: &Schema, output: Output) -> Result<bool, Failure> {
    let found = schema_fields::differences(before, after)?;
    found.iter().try_for_each(|difference| output.print(difference))?;
    Ok(!found.is_empty())
}

impl RecordDifference<'_> {
    fn print(&self, output: Output) -> Result<(), Failure> {
        if self.differences.is_empty() { Ok(()) } else { output.print(self) }
    }
}

impl fmt::Display for RecordDifference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.key, self.line) {
            (Some(key), _) => writeln!(f, "record {key:?}")?,
            (None, Some(line)) => writeln!(f, "line {line}")?,
            (None, None) => {}
        }
        self.differences.iter().try_for_each(|difference| writeln!(f, "{difference}"))
    }
}
