use std::collections::BTreeMap;

use exuvia_core::chain::{Chain, Version};
use exuvia_core::protocol::Target;
use exuvia_core::{Error, ErrorKind, Result};

use super::{Database, Entry, Event, Script, Tables};

/// Which way scripts go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// They are done.
    Up,
    /// They are undone.
    Down,
}

/// The scripts that are to run, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Which way.
    pub direction: Direction,
    /// Which.
    pub scripts: Vec<Script>,
}

impl<D: Database> Tables<'_, D> {
    /// The scripts that are to be done once the data is at a version.
    ///
    /// # Errors
    /// [`ErrorKind::Edited`] where one that ran is another now, [`ErrorKind::Chain`] where one waits for a migration that
    /// the chain does not have.
    pub async fn scripts_up(&self, scripts: &[Script], chain: &Chain, version: Version) -> Result<Pending> {
        let known = self.known_scripts(scripts).await?;
        let mut pending = Vec::new();
        for script in scripts {
            let is_due = due(script, chain)? <= version;
            if is_due && !known.get(&*script.name).copied().unwrap_or_default() {
                pending.push(script.clone());
            }
        }
        Ok(Pending { direction: Direction::Up, scripts: pending })
    }

    /// The scripts that are to be undone before the data goes down to a version, the last first.
    ///
    /// # Errors
    /// As [`Tables::scripts_up`]; [`ErrorKind::Unfit`] where one cannot be undone.
    pub async fn scripts_down(&self, scripts: &[Script], chain: &Chain, version: Version) -> Result<Pending> {
        let known = self.known_scripts(scripts).await?;
        let mut pending = Vec::new();
        for script in scripts.iter().rev().filter(|script| known.contains_key(&*script.name)) {
            if due(script, chain)? > version {
                if script.down.is_none() {
                    let message = "expected a part `-- down` in the script, found none; restore a backup, or undo it by hand and write the part";
                    return Err(named(Error::new(ErrorKind::Unfit, message), script));
                }
                pending.push(script.clone());
            }
        }
        Ok(Pending { direction: Direction::Down, scripts: pending })
    }

    /// Backs everything up, tries the scripts on a copy, there and back, and then runs them, each in a transaction
    /// where it can be. Whoever calls holds the lock.
    ///
    /// # Errors
    /// What a script fails with, on the copy first; [`ErrorKind::Validation`] where it does not do what it says.
    pub async fn run_scripts(&self, pending: &Pending, version: Version) -> Result<()> {
        if pending.scripts.is_empty() {
            return Ok(());
        }
        let id = self.token();
        self.backups.make(self.database, &id, version.0, self.now(), &|_, _| {}).await?;
        let scratch = self.database.scratch(&self.backups.file(&id)).await?;
        let tried = self.try_scripts(&scratch, pending).await;
        scratch.discard().await?;
        tried?;
        for script in &pending.scripts {
            self.stop.check()?;
            let entry = self.entry(&id, script, pending, version);
            let ran = self.database.run_script(script, pending.direction, Some(&entry)).await;
            ran.map_err(|error| named(error, script))?;
        }
        Ok(())
    }

    async fn try_scripts(&self, scratch: &D, pending: &Pending) -> Result<()> {
        let schema = scratch.schema().await?;
        for script in &pending.scripts {
            let ran = scratch.run_script(script, pending.direction, None).await;
            ran.map_err(|error| named(error, script))?;
        }
        let back = match pending.direction {
            Direction::Up => Direction::Down,
            Direction::Down => Direction::Up,
        };
        for script in pending.scripts.iter().rev() {
            if back == Direction::Down && script.down.is_none() {
                return Ok(());
            }
            let ran = scratch.run_script(script, back, None).await;
            ran.map_err(|error| named(error, script))?;
        }
        match scratch.schema().await? == schema || pending.direction == Direction::Down {
            true => Ok(()),
            false => Err(Error::new(
                ErrorKind::Validation,
                "expected the scripts' `down` to bring the schema back as it was, found another on the copy; mend the part",
            )),
        }
    }

    /// What is known of scripts, by name: whether they are done.
    async fn known_scripts(&self, scripts: &[Script]) -> Result<BTreeMap<String, bool>> {
        let known = self.database.scripts().await?;
        for script in scripts {
            if known.iter().any(|known| known.name == script.name && known.is_done && known.digest != script.digest) {
                let message =
                    "expected the script as it ran, found it edited since; undo the edit and add a new script";
                return Err(named(Error::new(ErrorKind::Edited, message), script));
            }
        }
        Ok(known.into_iter().map(|known| (known.name, known.is_done)).collect())
    }

    fn entry(&self, id: &str, script: &Script, pending: &Pending, version: Version) -> Entry {
        Entry {
            at: self.now(),
            run: id.to_owned(),
            event: match pending.direction {
                Direction::Up => Event::ScriptDone,
                Direction::Down => Event::ScriptUndone,
            },
            cause: "script".to_owned(),
            from: version.0,
            to: version.0,
            migration: script.name.clone(),
            fingerprint: script.digest.clone(),
            who: self.policy.who.clone(),
            records: "{}".to_owned(),
            note: script.name.clone(),
        }
    }
}

/// The version that the data must have for a script.
fn due(script: &Script, chain: &Chain) -> Result<Version> {
    let Some(after) = &script.after else { return Ok(Version(1)) };
    let found = chain.stages().find(|(_, stage)| stage.id() == after);
    found.map(|(version, _)| version).ok_or_else(|| {
        let message = format!("expected a migration of the chain after `after:`, found {after:?}");
        named(Error::new(ErrorKind::Chain, message), script)
    })
}

fn named(error: Error, script: &Script) -> Error {
    error.in_step(&format!("{}.sql", script.name))
}
