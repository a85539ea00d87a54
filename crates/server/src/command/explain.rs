use std::fmt;
use std::path::{Path, PathBuf};

use clap::Args;
use exuvia_core::chain::{Chain, Family, Record, Residues, Stage, Version};
use exuvia_core::document::Value;
use serde::Serialize;

use crate::chain_folder::ChainFolder;
use crate::failure::Failure;
use crate::ndjson::Lines;
use crate::output::Output;

/// How many records that cannot go are told.
const TOLD: usize = 10;

/// Say in plain words what a chain does, and what it would do to a file of records
///
/// With --from and --to only what lies between two versions, also on the way down. With --records every record of the file
/// is moved from the one version to the other, and nothing is written.
#[derive(Args)]
pub(crate) struct Explain {
    /// The folder of the chain
    #[arg(long, value_name = "DIR")]
    chain: PathBuf,
    /// Start at this version; before the first where it is not given
    #[arg(long, value_name = "V")]
    from: Option<u32>,
    /// End at this version; older or newer. The newest where it is not given
    #[arg(long, value_name = "W")]
    to: Option<u32>,
    /// Try it on these records, newline-delimited JSON at the version of --from
    #[arg(long, value_name = "FILE", requires_all = ["collection", "from"])]
    records: Option<PathBuf>,
    /// The collection that is explained, and that the records belong to; every one where it is not given
    #[arg(long, value_name = "NAME")]
    collection: Option<String>,
}

#[derive(Serialize)]
struct Report {
    from: u32,
    to: u32,
    migrations: Vec<Explained>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trial: Option<Trial>,
}

/// A migration in words.
#[derive(Serialize)]
struct Explained {
    version: u32,
    id: String,
    parents: Vec<String>,
    collections: Vec<Change>,
}

/// What a migration does to a collection.
#[derive(Serialize)]
struct Change {
    collection: String,
    steps: Vec<Told>,
}

/// One thing that is done, and how it can be undone: `computed`, `kept` (from residue) or `never`.
#[derive(Serialize)]
struct Told {
    words: String,
    undo: &'static str,
}

/// What came of moving records.
#[derive(Default, Serialize)]
struct Trial {
    records: usize,
    /// Whose meaning is another afterwards.
    changed: usize,
    /// That leave something to be kept for the way back, and how much in all.
    with_residue: usize,
    residue_bytes: usize,
    unfit: usize,
    failures: Vec<Failure>,
}

impl Explain {
    pub(crate) fn run(self, output: Output) -> Result<(), Failure> {
        let chain = ChainFolder::new(&self.chain).arrange()?;
        let (from, to) = (Version(self.from.unwrap_or_default()), self.to.map_or(chain.tip(), Version));
        if from.max(to) > chain.tip() {
            let message = format!("expected versions up to {}, found {}", chain.tip(), from.max(to));
            return Err(Failure::usage(message));
        }
        let names =
            self.collection.as_deref().map(|name| names_of(name, &chain, from.min(to), from.max(to))).transpose()?;
        let between = |version: &Version| *version > from.min(to) && *version <= from.max(to);
        let stages = chain.stages().filter(|(version, _)| between(version));
        let mut migrations: Vec<_> = stages.map(|(version, stage)| explain(version, stage, names.as_deref())).collect();
        if to < from {
            migrations.reverse();
        }
        let trial = self.records.as_deref().map(|file| self.attempt(file, &chain, from, to)).transpose()?;
        let report = Report { from: from.0, to: to.0, migrations, trial };
        output.print(&report)?;
        let unfit = report.trial.is_some_and(|trial| trial.unfit > 0);
        if unfit { Err(Failure::Found) } else { Ok(()) }
    }

    fn attempt(&self, file: &Path, chain: &Chain, from: Version, to: Version) -> Result<Trial, Failure> {
        let name = self.collection.as_deref().unwrap_or_default();
        let start = chain.collection(name, from).map_err(|error| Failure::usage(error.message()))?;
        let attempt = |text: &str, trial: &mut Trial| -> exuvia_core::Result<()> {
            let before = Value::parse(text)?;
            start.schema.validate(&before).map_err(|error| error.in_collection(name))?;
            let family = chain.move_family(from, to, 0, vec![alone(name, before.clone())])?;
            for record in family.iter().filter(|record| !record.is_aside) {
                let fits = chain.collection(&record.collection, to)?.schema.validate(&record.value);
                fits.map_err(|error| error.in_collection(&record.collection))?;
            }
            trial.count(&before, &family);
            Ok(())
        };
        let mut trial = Trial::default();
        let mut lines = Lines::open(file)?;
        while let Some(line) = lines.next()? {
            trial.records += 1;
            if let Err(error) = attempt(line.text, &mut trial) {
                trial.unfit += 1;
                trial.failures.extend((trial.unfit <= TOLD).then(|| line.at_fault(error)));
            }
        }
        Ok(trial)
    }
}

fn explain(version: Version, stage: &Stage, names: Option<&[String]>) -> Explained {
    let mut collections: Vec<Change> = Vec::new();
    let wanted = |name: &str| names.is_none_or(|names| names.iter().any(|wanted| wanted == name));
    for found in stage.told().iter().filter(|found| wanted(&found.collection)) {
        let told = Told { words: found.words.clone(), undo: found.undo.word() };
        match collections.iter_mut().find(|change| change.collection == found.collection) {
            Some(change) => change.steps.push(told),
            None => collections.push(Change { collection: found.collection.clone(), steps: vec![told] }),
        }
    }
    Explained { version: version.0, id: stage.id().to_owned(), parents: stage.parents().to_vec(), collections }
}

/// The names that a collection has between two versions.
fn names_of(name: &str, chain: &Chain, low: Version, high: Version) -> Result<Vec<String>, Failure> {
    let versions = || (low.0.max(1)..=high.0).rev().map(Version);
    let known = versions().find(|version| chain.collections(*version).contains_key(name)).unwrap_or(high);
    chain.collection(name, known).map_err(|error| Failure::usage(error.message()))?;
    Ok(versions().filter_map(|version| chain.follow(name, known, version)).collect())
}

impl Trial {
    fn count(&mut self, before: &Value<'_>, family: &Family<'_>) {
        let stays = matches!(&family[..], [record] if !record.is_aside && record.value == *before);
        self.changed += usize::from(!stays);
        let kept = family.iter().filter(|record| record.is_aside || !record.residues.is_empty());
        let bytes = kept.map(|record| {
            let aside = if record.is_aside { record.value.to_json().len() } else { 0 };
            let residues = &record.residues;
            aside + if residues.is_empty() { 0 } else { residues.to_value().to_json().len() }
        });
        let bytes: Vec<_> = bytes.collect();
        self.with_residue += usize::from(!bytes.is_empty());
        self.residue_bytes += bytes.into_iter().sum::<usize>();
    }
}

fn alone<'a>(name: &str, value: Value<'a>) -> Record<'a> {
    let collection = name.to_owned().into();
    Record { collection, key: "".into(), value, residues: Residues::default(), is_aside: false }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.to < self.from {
            writeln!(f, "from version {} back to {}; undone, the newest first:", self.from, self.to)?;
        }
        self.migrations.iter().try_for_each(|migration| migration.fmt(f))?;
        self.trial.as_ref().map_or(Ok(()), |trial| trial.fmt(f))
    }
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "version {}: {}", self.version, self.id)?;
        match &self.parents[..] {
            [] => writeln!(f)?,
            parents => writeln!(f, ", after {}", parents.join(", "))?,
        }
        for Change { collection, steps } in &self.collections {
            writeln!(f, "  {collection}")?;
            steps.iter().try_for_each(|told| told.fmt(f))?;
        }
        Ok(())
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let risk = match self.undo {
            "computed" => "",
            "kept" => " [undone from residue]",
            _ => " [CANNOT BE UNDONE]",
        };
        writeln!(f, "    - {}{risk}", self.words)
    }
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { records, changed, with_residue, residue_bytes, unfit, failures } = self;
        writeln!(f, "tried on {records} records: {changed} change, {unfit} cannot go")?;
        writeln!(f, "{with_residue} leave something to keep for the way back, {residue_bytes} bytes in all")?;
        failures.iter().try_for_each(|failure| writeln!(f, "  {failure}"))
    }
}
