use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use exuvia_core::chain::Migration;
use exuvia_core::document::{Path as Pointer, Value};
use serde::Serialize;

use crate::chain_folder::{ChainFolder, Source};
use crate::failure::Failure;
use crate::output::Output;

/// Write the next migration file of a chain, with an empty change to fill in
///
/// It comes after every migration that nothing follows yet: the newest one, or the tips of branches that it merges. In an
/// empty folder it is the baseline, which says where the records are and what they look like.
#[derive(Args)]
pub(crate) struct New {
    /// The migration's name, for ever: of a-z, 0-9, "-", "_" and "."
    id: String,
    /// The folder of the chain
    #[arg(long, value_name = "DIR")]
    chain: PathBuf,
    /// The collection that it changes, or that the baseline declares
    #[arg(long, value_name = "NAME")]
    collection: Option<String>,
}

/// What was written.
#[derive(Serialize)]
struct Written {
    file: PathBuf,
    id: String,
    parents: Vec<String>,
}

impl New {
    pub(crate) fn run(self, output: Output) -> Result<(), Failure> {
        let sources = ChainFolder::new(&self.chain).sources()?;
        let migrations = sources.iter().map(Source::parse).collect::<Result<Vec<_>, _>>()?;
        let parents = self.parents(&migrations)?;
        let text = self.text(&parents, schema_of(&sources, &self.chain).as_deref());
        Migration::parse(&text).map_err(|error| Failure::usage(error.message()))?;
        if !sources.is_empty() {
            self.check_collection()?;
        }
        let path = self.chain.join(format!("{:04}-{}.json", last_number(&sources) + 1, self.id));
        let file = File::create_new(&path);
        file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(Failure::file(&path))?;
        output.print(&Written { file: path, id: self.id, parents })
    }

    /// The migrations that nothing follows yet.
    fn parents(&self, migrations: &[Migration]) -> Result<Vec<String>, Failure> {
        if migrations.iter().any(|migration| migration.id == self.id) {
            return Err(Failure::usage(format!("expected an id that is not taken, found {:?} in the chain", self.id)));
        }
        let followed: BTreeSet<_> = migrations.iter().flat_map(|migration| &migration.parents).collect();
        let tips = migrations.iter().map(|migration| &migration.id).filter(|id| !followed.contains(id));
        Ok(tips.cloned().collect())
    }

    fn check_collection(&self) -> Result<(), Failure> {
        let Some(name) = &self.collection else { return Ok(()) };
        let chain = ChainFolder::new(&self.chain).arrange()?;
        chain.collection(name, chain.tip()).map(drop).map_err(|error| Failure::usage(error.message()))
    }

    fn text(&self, parents: &[String], schema: Option<&str>) -> String {
        let quoted = |text: &str| Value::from(text).to_json();
        let mut members = Vec::from_iter(schema.map(|schema| format!("\"$schema\": {}", quoted(schema))));
        members.extend(["\"exuvia\": 1".to_owned(), format!("\"id\": {}", quoted(&self.id))]);
        let name = self.collection.as_deref().map(quoted);
        if parents.is_empty() {
            let declared = name.map(|name| {
                format!(
                    "\n    {name}: {{\n      \"layout\": {{ \"key\": {name}, \"as\": \"record\" }},\n      \"schema\": {{ \"type\": \"object\", \"required\": [], \"properties\": {{}} }}\n    }}\n  "
                )
            });
            members.push(format!("\"collections\": {{{}}}", declared.unwrap_or_default()));
        } else {
            let parents: Vec<_> = parents.iter().map(|parent| quoted(parent)).collect();
            members.push(format!("\"parents\": [{}]", parents.join(", ")));
            let change = name.map(|name| format!("\n    {name}: []\n  "));
            members.push(format!("\"change\": {{{}}}", change.unwrap_or_default()));
        }
        format!("{{\n  {}\n}}\n", members.join(",\n  "))
    }
}

/// The number that the newest file's name starts with.
fn last_number(sources: &[Source]) -> u32 {
    let number = |source: &Source| {
        let name = source.path.file_name()?.to_str()?;
        name.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    };
    sources.iter().filter_map(number).max().unwrap_or_default()
}

/// The `$schema` of the newest file; in an empty folder the one in the npm package, if the folder belongs to one.
fn schema_of(sources: &[Source], folder: &Path) -> Option<String> {
    if let Some(newest) = sources.last() {
        let pointer = Pointer::parse("/$schema").ok()?;
        let mut file = Value::parse(&newest.text).ok()?;
        return Some(pointer.get(&mut file).ok()??.text().ok()??.into_owned());
    }
    let folder = folder.canonicalize().ok()?;
    let levels = folder.ancestors().position(|ancestor| ancestor.join("package.json").is_file())?;
    Some(format!("{}node_modules/exuvia/migration.schema.json", "../".repeat(levels)))
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parents.is_empty() {
            true => write!(f, "{}: the first migration", self.file.display()),
            false => write!(f, "{}: comes after {}", self.file.display(), self.parents.join(", ")),
        }
    }
}
