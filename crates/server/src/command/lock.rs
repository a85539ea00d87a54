use std::fmt;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::chain_folder::ChainFolder;
use crate::failure::Failure;
use crate::lock_file::LockFile;
use crate::output::Output;

/// Check the chain, freeze its order and its content in chain.lock.json, and compile it to chain.json
///
/// Migrations that are locked must not change any more: users may have run them. New ones are added at the end, in the
/// order of their parents. Commit both files with the chain; chain.json is what an extension imports.
///
/// Where a merge left both sides of chain.lock.json, or the lines of both, they become one line: ours, then what only
/// theirs has. Data that ran either branch finds its way to it.
#[derive(Args)]
pub(crate) struct Lock {
    /// The folder of the chain
    #[arg(long, value_name = "DIR")]
    chain: PathBuf,
    /// Write nothing; fail where one of the files is missing or behind
    #[arg(long)]
    check: bool,
}

/// What the files hold now.
#[derive(Serialize)]
struct Locked {
    file: PathBuf,
    compiled: PathBuf,
    migrations: usize,
    head: String,
    /// Whether either had to be written.
    written: bool,
    /// Whether two branches became one line.
    joined: bool,
}

impl Lock {
    pub(crate) fn run(self, output: Output) -> Result<(), Failure> {
        let folder = ChainFolder::new(&self.chain);
        let chain = folder.arrange()?;
        let lock = chain.lock();
        let (path, compiled) = (folder.lock_path(), folder.compiled_path());
        let text = chain.text().to_owned() + "\n";
        let frozen = folder.lock()?;
        let is_locked = frozen.as_ref().is_some_and(|file| file.is_whole && file.lock == lock);
        let joined = frozen.is_some_and(|file| !file.is_whole);
        let is_compiled = std::fs::read_to_string(&compiled).is_ok_and(|found| found == text);
        let current = is_locked && is_compiled;
        if self.check && !current {
            let stale = if is_locked { &compiled } else { &path };
            let message = format!(
                "{}: expected every migration in it, found it missing or behind; run `exuvia lock --chain {}`",
                stale.display(),
                self.chain.display()
            );
            return Err(Failure::Stale(message));
        }
        if !is_locked {
            std::fs::write(&path, LockFile::text(&lock)).map_err(Failure::file(&path))?;
        }
        if !is_compiled {
            std::fs::write(&compiled, text).map_err(Failure::file(&compiled))?;
        }
        let head = lock.line.last().map(|link| link.head.clone()).unwrap_or_default();
        output.print(&Locked { file: path, compiled, migrations: lock.line.len(), head, written: !current, joined })
    }
}

impl fmt::Display for Locked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.written {
            true => {
                let (file, compiled) = (self.file.display(), self.compiled.display());
                let joined = if self.joined { ", two branches in one line" } else { "" };
                write!(f, "{file} and {compiled}: {} migrations{joined}, head {}", self.migrations, self.head)
            }
            false => Ok(()),
        }
    }
}
