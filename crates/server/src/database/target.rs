use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use exuvia_core::chain::{Chain, Route};
use exuvia_core::document::{Json, Value};
use exuvia_core::lens::{Undo, Way};
use exuvia_core::protocol::{Found, Head, Phase, Progress, Run, Seal, Source, Stage, Target};
use exuvia_core::{Error, ErrorKind, Result};

use super::movement::Movement;
use super::{Backups, Database, Entry, Event, Finding, Level, Listener, Manifest, Pace, Passage, Side, Table, log};

/// Asks a run to stop between two batches.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks.
    pub fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn check(&self) -> Result<()> {
        match self.0.load(Ordering::Relaxed) {
            false => Ok(()),
            true => Err(Error::new(
                ErrorKind::Paused,
                "the run stopped between two batches, as it was asked to; run the command again and it goes on",
            )),
        }
    }
}

/// What whoever starts a run wants of it.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Rules whose findings do not forbid the run.
    pub allowed: Vec<String>,
    /// How hard it may press.
    pub pace: Pace,
    /// How long to wait for another runner.
    pub wait: Duration,
    /// Who starts it, and where, for the log.
    pub who: String,
}

impl Policy {
    /// Whether findings of a rule may pass.
    #[must_use]
    pub fn allows(&self, rule: &str) -> bool {
        self.allowed.iter().any(|allowed| allowed == rule)
    }

    /// Whether a finding forbids a run.
    #[must_use]
    pub fn forbids(&self, finding: &Finding) -> bool {
        finding.level == Level::Refusal || finding.level == Level::Error && !self.allows(&finding.rule)
    }

    /// What is noted of a finding that does not forbid the run.
    ///
    /// # Errors
    /// [`ErrorKind::Unfit`] where it does.
    pub fn pass(&self, finding: &Finding) -> Result<Option<String>> {
        match finding.level {
            Level::Refusal => Err(Error::new(ErrorKind::Unfit, finding.message.clone())),
            Level::Error if self.allows(&finding.rule) => Ok(Some(format!("allowed: {finding}"))),
            Level::Error => {
                let Finding { rule, message, .. } = finding;
                let message = format!("{message}; if it must be so, `--allow {rule}` permits it");
                Err(Error::new(ErrorKind::Unfit, message))
            }
            Level::Warning => Ok(Some(finding.to_string())),
            Level::Note => Ok(None),
        }
    }
}

/// The protocol's target over a database.
pub struct Tables<'t, D> {
    /// The database.
    pub database: &'t D,
    /// The tables of the collections that are in it.
    pub tables: &'t [Table],
    /// Where backups go.
    pub backups: &'t Backups,
    /// What the run may do.
    pub policy: &'t Policy,
    /// Asks it to stop.
    pub stop: Stop,
    /// Hears of it.
    pub listener: Rc<dyn Listener + 't>,
    /// What is known before the run, and is not the database's own: what the chain, or another environment, says.
    pub findings: RefCell<Vec<Finding>>,
}

/// Between two looks at whether another runner has ended.
const POLL: Duration = Duration::from_millis(200);

impl<D: Database> Tables<'_, D> {
    /// Everything that is known before a run: what it would lose, what is wrong with the database, and what it costs.
    ///
    /// # Errors
    /// As [`Database::inspect`].
    pub async fn assess(&self, route: &Route<'_>) -> Result<Vec<Finding>> {
        let mut findings = self.findings.borrow().clone();
        findings.extend(self.unbound(route));
        findings.extend(self.bound_since(route).await?);
        if route.rehomes() {
            findings.push(Finding::new(
                "whole-records",
                Level::Refusal,
                "expected migrations that change records in their own collection, found one that renames, drops or takes apart whole collections; databases cannot do that yet",
            ));
        }
        for (_, migration, told) in route.told().filter(|(way, _, told)| *way == Way::Up && told.undo == Undo::Never) {
            let message = format!(
                "migration {migration}, collection {}: {}, which cannot be undone; the backup is the only way back",
                told.collection, told.words
            );
            findings.push(Finding::new("cannot-be-undone", Level::Error, message));
        }
        let tables: Vec<_> = self.tables.iter().collect();
        findings.extend(self.database.inspect(&tables, &self.backups.place("")).await?);
        if findings.iter().all(|finding| finding.level < Level::Refusal) {
            findings.extend(self.manners(route).await?);
        }
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
        Ok(findings)
    }

    async fn manners(&self, route: &Route<'_>) -> Result<Vec<Finding>> {
        let mut found = Vec::new();
        for table in self.changed(route) {
            let passage = Passage { route: *route, collection: &table.collection, now: self.now(), is_checked: true };
            found.push(self.database.manner(table, &passage).await?);
        }
        Ok(found)
    }

    fn unbound(&self, route: &Route<'_>) -> Vec<Finding> {
        let bound = |name: &str| self.tables.iter().any(|table| table.collection == name);
        let known = |name: &str| route.before().contains_key(name) || route.after().contains_key(name);
        let missing = route.after().keys().filter(|name| !bound(name)).map(|name| {
            let message = format!("the collection {name} is bound to no table here, and left alone");
            Finding::new("unbound", Level::Note, message)
        });
        let strange = self.tables.iter().filter(|table| !known(&table.collection)).map(|table| {
            let message =
                format!("expected collections that the chain knows, found {:?} bound to a table", table.collection);
            Finding::new("unknown-collection", Level::Refusal, message)
        });
        let twice = self.tables.iter().enumerate().filter_map(|(index, table)| {
            let other = self.tables[..index].iter().find(|other| other.name == table.name)?;
            let message = format!(
                "expected a table for each collection, found {:?} bound to {} and {}: a row is at one version only; give one of them a table of its own",
                table.name, other.collection, table.collection
            );
            Some(Finding::new("bound-twice", Level::Refusal, message))
        });
        missing.chain(strange).chain(twice).collect()
    }

    /// Collections whose rows no run has moved, although the data is where a run took it.
    async fn bound_since(&self, route: &Route<'_>) -> Result<Vec<Finding>> {
        let log = self.database.log().await?;
        let is_last = |entry: &&Entry| matches!(entry.event, Event::Committed | Event::BroughtBack);
        let Some(moved) = log.iter().rev().find(is_last).filter(|entry| entry.event == Event::Committed) else {
            return Ok(Vec::new());
        };
        let counted: serde_json::Map<_, _> = serde_json::from_str(&moved.records).unwrap_or_default();
        let is_new = |name: &str| route.before().contains_key(name) && !counted.contains_key(name);
        let found = self.tables.iter().filter(|table| is_new(&table.collection)).map(|table| {
            let message = format!(
                "expected the rows of {} at version {} as the others are, found that the run which took them there did not move these, since the collection was bound to no table then; bring them to that version's form first",
                table.collection, moved.to
            );
            Finding::new("bound-since", Level::Error, message)
        });
        Ok(found.collect())
    }

    /// References that were broken before the run, and are allowed to be, are no work of it.
    async fn check_references(&self, database: &D) -> Result<()> {
        match self.policy.allows("broken-references") {
            true => Ok(()),
            // Whatever refers to them, the rows find their way back.
            false => database.check_references().await.map_err(|error| error.of_kind(ErrorKind::Unfit)),
        }
    }

    /// Whoever takes up a run has to know its way, and the tables that it moves.
    fn expect_known(&self, run: &Run, route: &Route<'_>) -> Result<()> {
        if !route.line_after().eq(&run.to_line) {
            let message = format!(
                "expected the chain that the run {} goes along, found another, and none that is kept beside the data; run it with that chain, and it goes back",
                run.id
            );
            return Err(Error::new(ErrorKind::Paused, message));
        }
        let is_bound = |name: &str| self.tables.iter().any(|table| table.collection == name);
        match run.records.keys().find(|name| route.changes(name) && !is_bound(name)) {
            None => Ok(()),
            Some(name) => Err(Error::new(
                ErrorKind::Paused,
                format!(
                    "expected the collections bound to tables as they were when the run {} began, found {name} bound to none; bind it again, and the run goes on",
                    run.id
                ),
            )),
        }
    }

    /// The tables whose rows change on a way.
    fn changed(&self, route: &Route<'_>) -> Vec<&Table> {
        self.tables.iter().filter(|table| route.changes(&table.collection)).collect()
    }

    fn movement<'m>(&'m self, database: &'m D, run: &'m Run, route: Route<'m>, side: Side) -> Movement<'m, D> {
        let (route, stage) = match side {
            Side::Before => (route, Stage::Apply),
            Side::After => (route.back(), Stage::Restore),
        };
        Movement {
            database,
            tables: self.changed(&route),
            run,
            route,
            side,
            stage,
            pace: self.policy.pace,
            stop: &self.stop,
            listener: &*self.listener,
        }
    }

    /// Moves a copy of everything up, and down again to what it was: the backup is proved by it, and the chain on this data.
    async fn rehearse(&self, scratch: &D, run: &Run, route: &Route<'_>, manifest: &Manifest) -> Result<()> {
        manifest.expect(&scratch.facts().await?)?;
        let tables = self.changed(route);
        let before = meanings(scratch, &tables).await?;
        let rehearsed = Stage::Rehearse;
        let up = Movement { stage: rehearsed, ..self.movement(scratch, run, *route, Side::Before) };
        up.go().await?;
        up.finish().await?;
        self.check_references(scratch).await?;
        let down = Movement { stage: rehearsed, ..self.movement(scratch, run, *route, Side::After) };
        down.go().await?;
        down.finish().await?;
        match meanings(scratch, &tables).await?.iter().zip(&before).find(|(after, before)| after != before) {
            None => Ok(()),
            Some(((name, _), _)) => Err(Error::new(
                ErrorKind::Validation,
                "expected the rehearsed records to come back as they were, found a difference; please report this chain to Exuvia",
            )
            .in_collection(name)),
        }
    }

    async fn save(&self, run: &Run, id: &str) -> Result<(Seal, Manifest)> {
        let listen = |done, of| self.listener.progress(run, Progress { stage: Stage::Snapshot, done, of, bytes: 0 });
        self.backups.make(self.database, id, run.from.0, self.now(), &listen).await
    }

    async fn stored_head(&self) -> Result<Option<Head>> {
        let Some(text) = self.database.head().await? else { return Ok(None) };
        let value = Value::parse(&text)?;
        let format = value.members().and_then(|members| members.get("format").and_then(u32::from_value));
        match (format, Head::from_value(&value)) {
            (Some(1), Some(head)) => Ok(Some(head)),
            (Some(1), None) | (None, _) => Err(Error::new(
                ErrorKind::Lost,
                "expected the head as Exuvia wrote it, found something else; restore a backup",
            )),
            (Some(_), _) => {
                Err(Error::new(ErrorKind::Newer, "expected a head of format 1, found a newer one; update Exuvia"))
            }
        }
    }
}

async fn meanings<D: Database>(database: &D, tables: &[&Table]) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for table in tables {
        found.push((table.collection.clone(), database.meaning(table).await?));
    }
    Ok(found)
}

impl<D: Database> Target for Tables<'_, D> {
    type Guard = D::Lock;

    async fn acquire(&self) -> Result<Self::Guard> {
        let begun = Instant::now();
        loop {
            self.stop.check()?;
            if let Some(lock) = self.database.try_lock().await? {
                return Ok(lock);
            }
            if begun.elapsed() > self.policy.wait {
                let holder = self.database.holder().await?.map(|holder| format!(" ({holder})")).unwrap_or_default();
                let message = format!(
                    "expected to be the only one within {} s, found another runner at work{holder}; `exuvia status` shows it",
                    self.policy.wait.as_secs()
                );
                return Err(Error::new(ErrorKind::Busy, message));
            }
            tokio::time::sleep(POLL.mul_f64(0.5 + fastrand::f64())).await;
        }
    }

    async fn find(&self) -> Result<Found> {
        if let Some(head) = self.stored_head().await? {
            return Ok(Found::Marked(Box::new(head)));
        }
        if self.database.log().await?.iter().any(|entry| entry.event == Event::Committed) {
            return Ok(Found::Lost);
        }
        for table in self.tables {
            if self.database.measure(table).await?.rows > 0 {
                return Ok(Found::Unmarked);
            }
        }
        Ok(Found::Fresh)
    }

    async fn put(&self, head: &Head) -> Result<()> {
        let before = self.stored_head().await?.unwrap_or_else(Head::unmarked);
        let entries = log::told(&before, head, self.now(), &self.policy.who);
        self.database.write_head(&head.to_json(), &entries).await
    }

    async fn chains(&self) -> Result<Vec<String>> {
        self.database.chains().await
    }

    async fn keep(&self, chain: &Chain) -> Result<String> {
        let name = blake3::hash(chain.text().as_bytes()).to_hex().to_string();
        self.database.keep_chain(&name, chain.text()).await?;
        Ok(name)
    }

    async fn inspect(&self, run: &mut Run, route: &Route<'_>) -> Result<()> {
        if !matches!(run.source, Source::Chain) {
            let message = "expected a run along the chain, found an import; load files with the database's own tools";
            return Err(Error::new(ErrorKind::Chain, message));
        }
        let findings = self.assess(route).await?;
        self.listener.findings(run, &findings);
        for finding in &findings {
            run.notes.extend(self.policy.pass(finding)?);
        }
        Ok(())
    }

    async fn capture(&self, run: &mut Run, route: &Route<'_>) -> Result<Seal> {
        let is_known = |name: &str| route.before().contains_key(name) || route.after().contains_key(name);
        for table in self.tables.iter().filter(|table| is_known(&table.collection)) {
            let measure = self.database.measure(table).await?;
            run.records.insert(table.collection.clone(), measure.rows);
            run.bytes += measure.bytes;
        }
        self.enter(run, Stage::Snapshot);
        let (seal, manifest) = self.save(run, &run.id).await?;
        self.enter(run, Stage::Rehearse);
        let scratch = self.database.scratch(&self.backups.file(&run.id)).await?;
        let rehearsed = self.rehearse(&scratch, run, route, &manifest).await;
        let discarded = scratch.discard().await;
        rehearsed.and(discarded).map(|()| seal)
    }

    async fn recapture(&self, run: &Run, _: &Route<'_>) -> Result<Seal> {
        // What was moved goes back by its residue, so what is there now, with it, is all that a way back needs. It is not
        // what was there before, so it does not have the run's name.
        self.save(run, &format!("{}-half-way", run.id)).await.map(|(seal, _)| seal)
    }

    async fn verify(&self, seal: &Seal) -> Result<bool> {
        Ok(self.backups.is_there(seal))
    }

    async fn apply(&self, run: &Run, route: &Route<'_>) -> Result<()> {
        self.expect_known(run, route)?;
        self.movement(self.database, run, *route, Side::Before).go().await
    }

    async fn validate(&self, run: &Run, route: &Route<'_>) -> Result<()> {
        self.movement(self.database, run, *route, Side::Before).finish().await?;
        let checked = self.check_references(self.database).await;
        if checked.is_err() {
            self.database.reopen().await?;
        }
        checked
    }

    async fn restore(&self, run: &Run, route: &Route<'_>) -> Result<()> {
        self.expect_known(run, route)?;
        let movement = self.movement(self.database, run, *route, Side::After);
        movement.go().await?;
        movement.finish().await
    }

    async fn sweep(&self, run: &Run, _: &Route<'_>) -> Result<()> {
        if run.phase == Phase::Capture {
            // Nothing was written, perhaps since the tables are not those that are meant.
            return Ok(());
        }
        for table in self.tables {
            self.database.uninstall(table).await?;
        }
        match &run.keeps {
            Some(name) if run.phase == Phase::Sweep => self.database.keep_only(name).await,
            _ => Ok(()),
        }
    }

    async fn retain(&self, run: &Run) -> Result<()> {
        self.backups.retain(run);
        Ok(())
    }

    fn now(&self) -> i64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
    }

    fn token(&self) -> String {
        format!("{}-{:08x}", stamped(self.now()), fastrand::u32(..))
    }

    fn progress(&self, run: &Run, progress: Progress) {
        self.listener.progress(run, progress);
    }
}

/// A moment as a name that sorts: `20261125-103000`.
fn stamped(now: i64) -> String {
    let moment = jiff::Timestamp::from_millisecond(now).unwrap_or_default();
    moment.strftime("%Y%m%d-%H%M%S").to_string()
}
