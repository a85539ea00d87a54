use std::collections::BTreeMap;

use exuvia_core::chain::{Chain, Version};
use exuvia_core::protocol::Target;
use exuvia_core::{Error, ErrorKind, Result};

use super::{Database, Entry, Event, Finding, Level, Script, TableFacts, Tables};

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

    /// What the texts of scripts say that they may lose, break or hold up.
    ///
    /// # Errors
    /// [`ErrorKind::Paused`]
    pub async fn review(&self, pending: &Pending) -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        for script in pending.scripts.iter().filter(|_| pending.direction == Direction::Up) {
            findings.extend(self.database.review(script).await?);
            if script.down.is_none() {
                let message = format!("{}.sql: it has no `-- down`; the backup is the only way back", script.name);
                findings.push(Finding::new("sql-no-way-back", Level::Warning, message));
            }
        }
        Ok(findings)
    }

    /// Backs everything up and tries the scripts on a copy, there and back. Answers with the backup's name, and with what
    /// the scripts lost, and whom they would have held up. Whoever calls holds the lock.
    ///
    /// # Errors
    /// What a script fails with; [`ErrorKind::Validation`] where it does not do what it says.
    pub async fn rehearse_scripts(&self, pending: &Pending, version: Version) -> Result<(String, Vec<Finding>)> {
        let id = self.token();
        self.backups.make(self.database, &id, version.0, self.now(), &|_, _| {}).await?;
        let scratch = self.database.scratch(&self.backups.file(&id)).await?;
        let tried = self.try_scripts(&scratch, pending).await;
        scratch.discard().await?;
        Ok((id, tried?))
    }

    /// Rehearses scripts and then runs them, each in a transaction where it can be. Whoever calls holds the lock. Answers
    /// with what was found of them.
    ///
    /// # Errors
    /// As [`Tables::rehearse_scripts`]; [`ErrorKind::Unfit`] where what was found forbids it.
    pub async fn run_scripts(&self, pending: &Pending, version: Version) -> Result<Vec<Finding>> {
        if pending.scripts.is_empty() {
            return Ok(Vec::new());
        }
        let mut findings = self.review(pending).await?;
        let (id, found) = self.rehearse_scripts(pending, version).await?;
        findings.extend(found);
        let mut notes = Vec::new();
        for finding in &findings {
            notes.extend(self.policy.pass(finding)?);
        }
        for script in &pending.scripts {
            self.stop.check()?;
            // What was found of all of them stands beside the first, which is the only one where another dies.
            let entry = self.entry(&id, script, pending, version, std::mem::take(&mut notes));
            let ran = self.database.run_script(script, pending.direction, Some(&entry)).await;
            ran.map_err(|error| named(error, script))?;
        }
        Ok(findings)
    }

    async fn try_scripts(&self, scratch: &D, pending: &Pending) -> Result<Vec<Finding>> {
        let (schema, facts) = (scratch.schema().await?, scratch.facts().await?);
        let mut findings = Vec::new();
        for script in &pending.scripts {
            let ran = scratch.run_script(script, pending.direction, None).await;
            let held = ran.map_err(|error| named(error, script))?;
            findings.extend(held.into_iter().map(|finding| of_script(finding, script)));
        }
        let back = match pending.direction {
            Direction::Up => Direction::Down,
            Direction::Down => Direction::Up,
        };
        for script in pending.scripts.iter().rev() {
            if back == Direction::Down && script.down.is_none() {
                findings.extend(gone(&facts, &scratch.facts().await?));
                return Ok(findings);
            }
            let ran = scratch.run_script(script, back, None).await;
            ran.map_err(|error| named(error, script))?;
        }
        if scratch.schema().await? != schema && pending.direction == Direction::Up {
            let message = "expected the scripts' `down` to bring the schema back as it was, found another on the copy; mend the part";
            return Err(Error::new(ErrorKind::Validation, message));
        }
        findings.extend(changed(&facts, &scratch.facts().await?));
        Ok(findings)
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

    fn entry(&self, id: &str, script: &Script, pending: &Pending, version: Version, notes: Vec<String>) -> Entry {
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
            note: [vec![script.name.clone()], notes].concat().join("; "),
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

/// The rule for scripts that take away what they do not bring back.
const LOSES: &str = "sql-loses";

/// Tables with fewer rows than before, where nothing undoes what was done.
fn gone(before: &[TableFacts], after: &[TableFacts]) -> Vec<Finding> {
    let rows = |table: &TableFacts| after.iter().find(|other| other.name == table.name).map_or(0, |other| other.rows);
    let fewer = before.iter().filter(|table| !is_own(table) && rows(table) < table.rows);
    fewer.map(|table| lost(&table.name, "it has fewer rows than before, and nothing undoes it")).collect()
}

/// Tables that do not hold what they held, after what was done was undone.
fn changed(before: &[TableFacts], after: &[TableFacts]) -> Vec<Finding> {
    let changed = before.iter().filter(|table| !is_own(table) && !after.contains(table));
    changed.map(|table| lost(&table.name, "once the scripts were undone it held something else than before")).collect()
}

/// What is done and undone is noted in tables of our own.
fn is_own(table: &TableFacts) -> bool {
    table.name.starts_with("exuvia.") || table.name.starts_with("exuvia_")
}

fn lost(table: &str, how: &str) -> Finding {
    let message = format!(
        "expected the scripts to keep what the table {table} holds, found on the copy that {how}; keep it elsewhere first, or restore the backup when you want it back"
    );
    Finding::new(LOSES, Level::Error, message)
}

fn of_script(finding: Finding, script: &Script) -> Finding {
    Finding { message: format!("{}.sql: {}", script.name, finding.message), ..finding }
}

fn named(error: Error, script: &Script) -> Error {
    error.in_step(&format!("{}.sql", script.name))
}
