use super::head::{Head, Run, Seal};
use super::report::{Progress, Stage};
use crate::chain::{Chain, Route};
use crate::error::Result;

/// What is known of a store when a run begins.
#[derive(Clone, Debug)]
pub enum Found {
    /// No data, and no sign that there ever was any.
    Fresh,
    /// Data that no Exuvia has seen: taken for version 1.
    Unmarked,
    /// Data, or signs of it, and no head although there was one.
    Lost,
    /// A head.
    Marked(Box<Head>),
}

/// A store that the protocol can move: the only thing the protocol knows of the world. Each operation may be called
/// again after it died half-way. Futures need not be `Send`: browsers have one thread.
#[allow(async_fn_in_trait)]
pub trait Target {
    /// Holds other runners off until it is dropped.
    type Guard;

    /// Waits, for a bounded time, until this runner is the only one.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Busy`] where another one goes on for too long.
    async fn acquire(&self) -> Result<Self::Guard>;

    /// Reads the head.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Store`]
    async fn find(&self) -> Result<Found>;

    /// Writes the head, in one piece.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Store`], [`crate::ErrorKind::Quota`]
    async fn put(&self, head: &Head) -> Result<()>;

    /// The chains that are kept whole beside the data, each as [`Chain::text`] gives it.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Store`]
    async fn chains(&self) -> Result<Vec<String>>;

    /// Keeps a chain beside the data and those that are kept already, so that a build which does not have it can go
    /// back along it. Answers with the name that it is kept under.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Store`], [`crate::ErrorKind::Quota`]
    async fn keep(&self, chain: &Chain) -> Result<String>;

    /// Whether there is room for the run, and whatever else can be known before reading the data. Notes remarks in the
    /// run.
    ///
    /// # Errors
    /// Whatever forbids the run.
    async fn inspect(&self, run: &mut Run, route: &Route<'_>) -> Result<()>;

    /// Saves everything, rehearses the run on what is saved, and reads it back. Notes counts and remarks in the run.
    ///
    /// # Errors
    /// Whatever forbids the run; nothing but the snapshot was written.
    async fn capture(&self, run: &mut Run, route: &Route<'_>) -> Result<Seal>;

    /// Saves the data as it was before the run, from what a half-written store still holds: the old keys, the residues
    /// and the markers. For a run whose snapshot is gone. Nothing but the snapshot is written.
    ///
    /// # Errors
    /// Whatever forbids it.
    async fn recapture(&self, run: &Run, route: &Route<'_>) -> Result<Seal>;

    /// Whether a snapshot is there and whole.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Store`]
    async fn verify(&self, seal: &Seal) -> Result<bool>;

    /// Writes the new records. Goes on where an earlier call died.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Store`], [`crate::ErrorKind::Quota`], [`crate::ErrorKind::Snapshot`],
    /// [`crate::ErrorKind::Fenced`]
    async fn apply(&self, run: &Run, route: &Route<'_>) -> Result<()>;

    /// Reads the new records back and compares.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Validation`] with the record that is not what was meant.
    async fn validate(&self, run: &Run, route: &Route<'_>) -> Result<()>;

    /// Makes the data what it was before the run, and checks that it is: exactly what the run's snapshot holds where
    /// other writers were shut out since; elsewhere what the run moved goes down again with its residue, so that what
    /// others wrote meanwhile stays.
    ///
    /// # Errors
    /// As [`Target::apply`] and [`Target::validate`].
    async fn restore(&self, run: &Run, route: &Route<'_>) -> Result<()>;

    /// Removes from the store what only the run, or the old form, needed.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Store`]
    async fn sweep(&self, run: &Run, route: &Route<'_>) -> Result<()>;

    /// Storage keys under which it has kept what the store itself has made of the run's writes: few, since the head holds
    /// them.
    fn damage(&self) -> Vec<String> {
        Vec::new()
    }

    /// What is to be told of values that others have left where the run wrote or removed, and that it has set aside.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Store`]
    async fn strays(&self, _run: &Run) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// Lets go of what no run needs any more: staged records, and the oldest snapshots. Never of the own one of
    /// a run that has written.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Snapshot`]
    async fn retain(&self, run: &Run) -> Result<()>;

    /// Milliseconds since 1970.
    fn now(&self) -> i64;

    /// A name that nobody else has.
    fn token(&self) -> String;

    /// Tells whoever listens.
    fn progress(&self, run: &Run, progress: Progress);

    /// Tells whoever listens that a stage begins.
    fn enter(&self, run: &Run, stage: Stage) {
        self.progress(run, Progress { stage, done: 0, of: 0, bytes: 0 });
    }
}
