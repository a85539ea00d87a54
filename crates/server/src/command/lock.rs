use std::fmt;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::chain_folder::ChainFolder;
use crate::failure::Failure;
use crate::output::Output;

/// Check the chain, and freeze its order and its content in chain.lock.json
///
/// Migrations that are locked must not change any more: users may have run them. New ones are added at the end, in the
/// order of their parents. Commit the lock file with the chain.
#[derive(Args)]
pub(crate) struct Lock {
    /// The folder of the chain
    #[arg(long, value_name = "DIR")]
    chain: PathBuf,
    /// Write nothing; fail where the lock file is missing or behind
    #[arg(long)]
    check: bool,
}

/// What the lock file holds now.
#[derive(Serialize)]
struct Locked {
    file: PathBuf,
    migrations: usize,
    head: String,
    /// Whether the file had to be written.
    written: bool,
}

impl Lock {
    pub(crate) fn run(self, output: Output) -> Result<(), Failure> {
        let folder = ChainFolder::new(&self.chain);
        let lock = folder.arrange()?.lock();
        let path = folder.lock_path();
        let current = folder.lock()?.is_some_and(|frozen| frozen == lock);
        if self.check && !current {
            let message = format!(
                "{}: expected every migration in the lock, found it missing or behind; run `exuvia lock --chain {}`",
                path.display(),
                self.chain.display()
            );
            return Err(Failure::Stale(message));
        }
        if !current {
            std::fs::write(&path, pretty(&lock)).map_err(Failure::file(&path))?;
        }
        let head = lock.line.last().map(|link| link.head.clone()).unwrap_or_default();
        output.print(&Locked { file: path, migrations: lock.line.len(), head, written: !current })
    }
}

impl fmt::Display for Locked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.written {
            true => write!(f, "{}: {} migrations, head {}", self.file.display(), self.migrations, self.head),
            false => Ok(()),
        }
    }
}

/// A line a migration, so that two branches merge with a conflict one can read.
fn pretty(lock: &exuvia_core::chain::Lock) -> String {
    let links: Vec<_> = lock
        .line
        .iter()
        .map(|link| {
            format!("    {{ \"id\": \"{}\", \"hash\": \"{}\", \"head\": \"{}\" }}", link.id, link.hash, link.head)
        })
        .collect();
    format!("{{\n  \"exuvia\": 1,\n  \"line\": [\n{}\n  ]\n}}\n", links.join(",\n"))
}
