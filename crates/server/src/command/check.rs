use std::fmt;
use std::path::{Path, PathBuf};

use clap::Args;
use exuvia_core::chain::{Chain, Version};
use exuvia_core::document::Value;
use exuvia_core::{Error, ErrorKind};
use serde::Serialize;

use crate::chain_folder::ChainFolder;
use crate::failure::Failure;
use crate::laws::Laws;
use crate::ndjson::Lines;
use crate::output::Output;
use crate::samples::Samples;

/// How many failures of one file are told; what is wrong with one record is often wrong with all.
const TOLD: usize = 10;

/// Check a chain, and prove its laws on the sample data beside it
///
/// Every step must fit the schema before it. Then each record in DIR/samples/COLLECTION.vN.ndjson must fit version N and
/// every version on its way to the newest, come back from there exactly as it was, and have a way down without residue
/// too; and where there is a DIR/samples/COLLECTION.vN.expected.vM.ndjson, become what stands there, line for line.
#[derive(Args)]
pub(crate) struct Check {
    /// The folder of the chain
    #[arg(long, value_name = "DIR")]
    chain: PathBuf,
}

/// What was checked and what was found.
#[derive(Serialize)]
struct Report {
    chain: PathBuf,
    migrations: Vec<String>,
    /// Those that the lock file does not hold yet.
    unlocked: Vec<String>,
    collections: Vec<String>,
    samples: Vec<Proof>,
}

/// A file of samples, and the laws held against it.
#[derive(Serialize)]
struct Proof {
    file: PathBuf,
    collection: String,
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<u32>,
    records: usize,
    failures: Vec<Failure>,
}

impl Check {
    pub(crate) fn run(self, output: Output) -> Result<(), Failure> {
        let folder = ChainFolder::new(&self.chain);
        let chain = folder.arrange()?;
        let locked = folder.lock()?.map_or(0, |file| file.lock.line.len());
        let migrations: Vec<_> = chain.stages().map(|(_, stage)| stage.id().to_owned()).collect();
        let samples = Samples::beside(&self.chain, &chain)?;
        let report = Report {
            unlocked: migrations[locked..].to_vec(),
            migrations,
            collections: chain.collections(chain.tip()).keys().cloned().collect(),
            samples: samples.iter().map(|samples| Proof::of(samples, &chain)).collect::<Result<_, _>>()?,
            chain: self.chain,
        };
        output.print(&report)?;
        let failed = report.samples.iter().any(|proof| !proof.failures.is_empty());
        if failed { Err(Failure::Found) } else { Ok(()) }
    }
}

impl Proof {
    fn of(samples: &Samples, chain: &Chain) -> Result<Self, Failure> {
        let laws = Laws { chain, collection: &samples.collection };
        let mut failures = Vec::new();
        let records = match &samples.golden {
            None => prove(&samples.file, &laws, samples, &mut failures)?,
            Some((at, start)) => compare(start, *at, &laws, samples, &mut failures)?,
        };
        Ok(Self {
            file: samples.file.clone(),
            collection: samples.collection.clone(),
            version: samples.version.0,
            expected: samples.golden.as_ref().map(|(version, _)| version.0),
            records,
            failures,
        })
    }
}

fn prove(file: &Path, laws: &Laws<'_>, samples: &Samples, failures: &mut Vec<Failure>) -> Result<usize, Failure> {
    let mut lines = Lines::open(file)?;
    while let Some(line) = lines.next()? {
        let proved = Value::parse(line.text).and_then(|record| laws.prove(&record, samples.version));
        failures.extend(proved.err().map(|error| line.at_fault(error)));
        if failures.len() == TOLD {
            break;
        }
    }
    Ok(lines.count())
}

/// Stops where one file has fewer lines than the other: what follows has no counterpart.
fn compare(
    start: &Path,
    at: Version,
    laws: &Laws<'_>,
    samples: &Samples,
    failures: &mut Vec<Failure>,
) -> Result<usize, Failure> {
    let (mut records, mut expected) = (Lines::open(start)?, Lines::open(&samples.file)?);
    while failures.len() < TOLD {
        let (record, golden) = match (records.next()?, expected.next()?) {
            (Some(record), Some(golden)) => (record, golden),
            (None, None) => break,
            (Some(line), None) | (None, Some(line)) => {
                let message = "expected as many records as there are to compare with, found one without a counterpart";
                failures.push(line.at_fault(Error::new(ErrorKind::Validation, message)));
                break;
            }
        };
        let compared = Value::parse(record.text)
            .and_then(|record| laws.expect(&record, samples.version, &Value::parse(golden.text)?, at));
        failures.extend(compared.err().map(|error| golden.at_fault(error)));
    }
    Ok(expected.count())
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (chain, version) = (self.chain.display(), self.migrations.len());
        writeln!(f, "{chain}: the chain holds up to version {version}: {}", self.migrations.join(", "))?;
        if !self.unlocked.is_empty() {
            writeln!(f, "not locked yet: {}; run `exuvia lock --chain {chain}`", self.unlocked.join(", "))?;
        }
        writeln!(f, "collections: {}", self.collections.join(", "))?;
        if self.samples.is_empty() {
            return writeln!(f, "no sample data: put records into {chain}/samples/COLLECTION.vN.ndjson");
        }
        self.samples.iter().try_for_each(|proof| proof.fmt(f))?;
        let failed = self.samples.iter().filter(|proof| !proof.failures.is_empty()).count();
        match failed {
            0 => writeln!(f, "all laws hold"),
            _ => writeln!(f, "{failed} of {} failed", counted(self.samples.len(), "file")),
        }
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, records, failures, expected, .. } = self;
        let file = file.display();
        let records = counted(*records, "record");
        match (failures.len(), expected) {
            (0, None) => writeln!(f, "{file}: {records} to the newest version and back as they were"),
            (0, Some(version)) => writeln!(f, "{file}: {records} as expected at version {version}"),
            (TOLD, _) => writeln!(f, "{file}: {TOLD} failures in {records}; the rest was left alone"),
            (count, _) => writeln!(f, "{file}: {} in {records}", counted(count, "failure")),
        }?;
        failures.iter().try_for_each(|failure| writeln!(f, "  {failure}"))
    }
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
