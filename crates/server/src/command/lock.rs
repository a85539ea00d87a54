use std::path::PathBuf;

use clap::Args;

use crate::chain_folder::ChainFolder;
use crate::failure::Failure;

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

impl Lock {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let folder = ChainFolder::new(&self.chain);
        let lock = folder.arrange()?.lock();
        if folder.lock()?.is_some_and(|frozen| frozen == lock) {
            return Ok(());
        }
        let path = folder.lock_path();
        if self.check {
            let message = format!(
                "{}: expected every migration in the lock, found it missing or behind; run `exuvia lock --chain {}`",
                path.display(),
                self.chain.display()
            );
            return Err(Failure::Stale(message));
        }
        let text = pretty(&lock);
        std::fs::write(&path, text).map_err(Failure::file(&path))?;
        eprintln!(
            "{}: {} migrations, head {}",
            path.display(),
            lock.line.len(),
            lock.line.last().map_or("", |link| &link.head)
        );
        Ok(())
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
