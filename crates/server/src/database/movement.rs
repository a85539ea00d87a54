use std::time::{Duration, Instant};

use exuvia_core::chain::{Route, Version};
use exuvia_core::protocol::{Progress, Run, Stage};
use exuvia_core::{Error, ErrorKind, Result};

use super::batches::Tuner;
use super::{Batch, Database, Finding, Limits, Pace, Passage, Side, Stamp, Stop, Table};

/// Hears of a run while it goes on.
pub trait Listener {
    /// Where a stage stands.
    fn progress(&self, run: &Run, progress: Progress);

    /// A batch is done: of a collection, so many rows, and how long others may have waited for it.
    fn batch(&self, run: &Run, collection: &str, rows: u64, held: Duration);

    /// What was found before the run.
    fn findings(&self, run: &Run, findings: &[Finding]);

    /// The run waits between two batches, and for what.
    fn waits(&self, run: &Run, cause: &str);
}

/// Rows on their way from one side of a run to the other.
pub(super) struct Movement<'m, D> {
    pub(super) database: &'m D,
    pub(super) tables: Vec<&'m Table>,
    pub(super) run: &'m Run,
    pub(super) route: Route<'m>,
    /// Which rows move.
    pub(super) side: Side,
    pub(super) stage: Stage,
    pub(super) pace: Pace,
    pub(super) stop: &'m Stop,
    pub(super) listener: &'m dyn Listener,
}

/// Fewer rows than these are moved while writers wait.
const FEW: u64 = 100;

/// Between two looks at how busy the database is.
const LOOK: Duration = Duration::from_secs(1);

/// So often all rows are gone through for those that others wrote meanwhile.
const PASSES: u32 = 50;

impl<D: Database> Movement<'_, D> {
    fn stamp(&self) -> Stamp {
        Stamp::of(&self.run.id)
    }

    /// Moves rows until few are left.
    pub(super) async fn go(&self) -> Result<()> {
        let mut progress = Progress { stage: self.stage, done: 0, of: 0, bytes: 0 };
        for table in &self.tables {
            progress.of += self.database.measure(table).await?.rows;
        }
        self.listener.progress(self.run, progress);
        let target = Version(self.run.to_line.len() as u32);
        for table in &self.tables {
            self.database.install(table, self.stamp(), target).await?;
            let mut tuner = Tuner::new(self.pace);
            let mut moved = self.pass(table, &mut tuner, &mut progress).await?;
            self.database.narrow(table, self.stamp(), self.side).await?;
            for _ in 1..PASSES {
                if moved <= FEW {
                    break;
                }
                moved = self.pass(table, &mut tuner, &mut progress).await?;
            }
        }
        Ok(())
    }

    /// Moves the rest while writers are shut out, so that none is left when the head is written.
    pub(super) async fn finish(&self) -> Result<()> {
        self.database.shut(&self.tables).await?;
        let rest = self.rest().await;
        if rest.is_err() {
            self.database.reopen().await?;
        }
        rest
    }

    async fn rest(&self) -> Result<()> {
        let mut left = 0;
        for table in &self.tables {
            left += self.database.remaining(table, self.stamp(), self.side).await?;
        }
        if left > 100 * FEW {
            let message = format!(
                "expected few rows left to move, found {left} that others wrote since; run it again when they write less"
            );
            return Err(Error::new(ErrorKind::Paused, message));
        }
        for table in &self.tables {
            let mut progress = Progress { stage: self.stage, done: 0, of: 0, bytes: 0 };
            // Whoever waits is not helped by pauses.
            let pace = Pace { share: 1.0, limits: Limits::default(), ..self.pace };
            self.pass(table, &mut Tuner::new(pace), &mut progress).await?;
            if self.database.remaining(table, self.stamp(), self.side).await? > 0 {
                let message = "expected each row to stay moved, found some that are as they were: a trigger of the table changes them; disable it for the run";
                return Err(Error::new(ErrorKind::Unfit, message).in_collection(&table.collection));
            }
        }
        Ok(())
    }

    /// Goes through a table once.
    async fn pass(&self, table: &Table, tuner: &mut Tuner, progress: &mut Progress) -> Result<u64> {
        let passage = Passage {
            route: self.route,
            collection: &table.collection,
            now: self.run.now,
            is_checked: self.side == Side::Before,
        };
        let (mut after, mut moved, mut looked) = (None, 0, None);
        loop {
            self.stop.check()?;
            self.keep_to(tuner.limits(), &mut looked).await?;
            let batch = Batch { table, stamp: self.stamp(), side: self.side, after, rows: tuner.rows() };
            let begun = Instant::now();
            let Some(done) = self.database.carry(&batch, &passage).await? else { return Ok(moved) };
            let pause = tuner.note(done.rows, begun.elapsed());
            moved += done.rows;
            progress.done += done.rows;
            progress.of = progress.of.max(progress.done);
            progress.bytes += done.bytes;
            self.listener.batch(self.run, &table.collection, done.rows, done.held);
            self.listener.progress(self.run, *progress);
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            after = Some(done.last);
        }
    }

    /// Waits while the database is busier than it may be. `looked`: when it was last looked at.
    async fn keep_to(&self, limits: Limits, looked: &mut Option<Instant>) -> Result<()> {
        if limits.are_none() || looked.is_some_and(|looked| looked.elapsed() < LOOK) {
            return Ok(());
        }
        let mut told = false;
        loop {
            let load = self.database.load().await?;
            *looked = Some(Instant::now());
            if !load.is_seen {
                let message = "expected a role that sees replicas and other sessions, so that the run can keep to its limits, found one that does not; grant it pg_read_all_stats, or set no limits";
                return Err(Error::new(ErrorKind::Unfit, message));
            }
            let Some(cause) = limits.exceeded(&load) else { return Ok(()) };
            if !std::mem::replace(&mut told, true) {
                self.listener.waits(self.run, &cause);
            }
            tokio::time::sleep(LOOK).await;
            self.stop.check()?;
        }
    }
}
