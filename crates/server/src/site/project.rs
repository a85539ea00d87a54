//! `exuvia.toml`: which tables hold which collections, and in which environments.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use exuvia_core::{Error, ErrorKind};
use exuvia_server::database::{Limits, Script, Table};
use serde::Deserialize;

use crate::failure::{Failure, Place};

/// The file, with its paths made whole.
pub(crate) struct Project {
    /// The folder of the chain.
    pub(crate) chain: PathBuf,
    /// Where backups go.
    pub(crate) backups: PathBuf,
    /// How many are kept.
    pub(crate) keep: usize,
    /// The migrations in SQL.
    pub(crate) scripts: Vec<Script>,
    /// The tables.
    pub(crate) tables: Vec<Table>,
    path: PathBuf,
    environments: BTreeMap<String, Environment>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default = "chain")]
    chain: PathBuf,
    #[serde(default = "backups")]
    backups: PathBuf,
    #[serde(default = "keep")]
    keep: usize,
    #[serde(default = "scripts")]
    scripts: PathBuf,
    collections: BTreeMap<String, Table>,
    environments: BTreeMap<String, Environment>,
}

/// One database, and what may be done to it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Environment {
    /// A SQLite file, beside `exuvia.toml`.
    file: Option<PathBuf>,
    /// The environment variable that holds the URL: it may hold a password, so it stands in no file.
    url_env: Option<String>,
    /// Takes only what this environment has run.
    pub(crate) after: Option<String>,
    /// Whether a human must confirm what changes data.
    #[serde(default)]
    pub(crate) confirm: bool,
    /// Rules whose findings forbid nothing here.
    #[serde(default)]
    pub(crate) allow: Vec<String>,
    /// How busy it may be while a run goes on.
    #[serde(default)]
    pub(crate) limits: Bounds,
}

/// Above any of these a run waits.
#[derive(Args, Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Bounds {
    /// Wait while a replica is behind by more, in seconds
    #[arg(long, value_name = "S")]
    max_lag: Option<u32>,
    /// Wait while more WAL is kept for a replication slot, in megabytes
    #[arg(long, value_name = "MB")]
    max_wal: Option<u32>,
    /// Wait while more sessions are at work
    #[arg(long, value_name = "N")]
    max_sessions: Option<u32>,
}

impl Bounds {
    pub(crate) fn limits(self) -> Limits {
        Limits {
            lag: self.max_lag.map(|seconds| Duration::from_secs(seconds.into())),
            log: self.max_wal.map(|megabytes| u64::from(megabytes) * 1_000_000),
            sessions: self.max_sessions,
        }
    }
}

/// Where a database is.
pub(crate) enum Address {
    /// A file.
    Sqlite(PathBuf),
    /// A URL, which may hold a password.
    Postgres(String),
}

/// Whoever starts has no such file yet.
fn explained(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::NotFound => io::Error::new(
            io::ErrorKind::NotFound,
            "expected the project's file, found none; name it with --config, or write one: `exuvia demo` makes a folder with an example",
        ),
        _ => error,
    }
}

fn chain() -> PathBuf {
    "chain".into()
}

fn backups() -> PathBuf {
    "backups".into()
}

fn scripts() -> PathBuf {
    "sql".into()
}

fn keep() -> usize {
    5
}

impl Project {
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).map_err(|error| Failure::file(path)(explained(error)))?;
        let file: File = toml::from_str(&text).map_err(|error| {
            let place = match error.span() {
                Some(span) => Place::Span { file: path.to_owned(), text: text.clone(), span },
                None => Place::File(path.to_owned()),
            };
            Failure::Exuvia { place, error: Error::new(ErrorKind::Chain, error.message()) }
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let bind = |(collection, table): (String, Table)| Table { collection, ..table };
        let mut project = Self {
            chain: folder.join(file.chain),
            backups: folder.join(file.backups),
            keep: file.keep,
            scripts: Script::read_all(&folder.join(file.scripts))?,
            tables: file.collections.into_iter().map(bind).collect(),
            path: path.to_owned(),
            environments: file.environments,
        };
        for environment in project.environments.values_mut() {
            environment.file = environment.file.take().map(|file| folder.join(file));
        }
        Ok(project)
    }

    /// An environment by its name; where none is named, `development`, or the only one.
    pub(crate) fn environment(&self, name: Option<&str>) -> Result<(&str, &Environment), Failure> {
        let only = || match self.environments.len() {
            1 => self.environments.keys().next().map(String::as_str),
            _ => None,
        };
        let name = name.or_else(only).unwrap_or("development");
        self.environments.get_key_value(name).map(|(name, found)| (&**name, found)).ok_or_else(|| {
            let known: Vec<_> = self.environments.keys().map(String::as_str).collect();
            self.at_fault(format!("expected one of the environments {}, found {name:?}", known.join(", ")))
        })
    }

    /// Where an environment's database is.
    pub(crate) fn address(&self, name: &str) -> Result<Address, Failure> {
        let (_, environment) = self.environment(Some(name))?;
        match (&environment.file, &environment.url_env) {
            (Some(file), None) => Ok(Address::Sqlite(file.clone())),
            (None, Some(variable)) => {
                let url = std::env::var(variable).map_err(|_| {
                    self.at_fault(format!(
                        "expected the database's URL in the environment variable {variable}, found none"
                    ))
                })?;
                if let Some(file) = url.strip_prefix("sqlite:") {
                    return Ok(Address::Sqlite(file.into()));
                }
                if url.starts_with("postgres:") || url.starts_with("postgresql:") || url.contains("host=") {
                    return Ok(Address::Postgres(url));
                }
                Err(self.at_fault(format!(
                    "expected a URL that starts with sqlite: or postgresql: in {variable}, found another"
                )))
            }
            _ => Err(self.at_fault(format!(
                "expected the environment {name:?} to have either `file` or `url-env`, found both or neither"
            ))),
        }
    }

    fn at_fault(&self, message: String) -> Failure {
        Failure::Exuvia { place: Place::File(self.path.clone()), error: Error::new(ErrorKind::Chain, message) }
    }
}
