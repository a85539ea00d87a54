//! The protocol over a database, written once for every database.
//!
//! A collection is bound to a [`Table`]: a key column and a column of JSON documents. Each row has a [`Stamp`], the run
//! that moved it last. A batch moves rows that do not have the run's stamp and sets it, with the residue, in the same
//! transaction; a trigger takes the stamp off where another writer changes a document. So where a run stands is in the
//! rows themselves, no row is moved twice, and none is missed however the writers go on.

mod backups;
mod batches;
mod finding;
mod limits;
mod log;
mod movement;
mod passage;
mod script;
mod scripts;
mod stamp;
mod table;
mod target;

pub(crate) use backups::SCRATCH;
pub use backups::{Backups, Manifest, TableFacts};
pub use batches::Pace;
pub use finding::{Finding, Level};
pub use limits::{Limits, Load};
pub use log::{Entry, Event};
pub use movement::Listener;
pub use passage::{Carried, Passage, Row};
pub use script::{Known, Script};
pub use scripts::{Direction, Pending};
pub use stamp::{STAMP, Side, Stamp};
pub use table::Table;
pub use target::{Policy, Stop, Tables};

use std::path::Path;
use std::time::Duration;

use exuvia_core::Result;
use exuvia_core::chain::Version;

/// What the protocol needs of a database. Every operation may be called again after it died half-way.
///
/// What the server could not do just now (a lock, a connection, a full disk) is [`exuvia_core::ErrorKind::Paused`]: the
/// next start goes on. What the data says (a record that does not fit) is not.
#[allow(async_fn_in_trait)]
pub trait Database: Sized {
    /// A place in a table, in the order of its keys.
    type Key: Clone;
    /// Holds other runners off until it is dropped.
    type Lock;

    /// What it is and where, for people: never with a password.
    fn describe(&self) -> String;

    /// The server's own version.
    ///
    /// # Errors
    /// [`exuvia_core::ErrorKind::Paused`]
    async fn server_version(&self) -> Result<String>;

    /// Makes this runner the only one, and Exuvia's own tables where they are missing. `None` where another one runs.
    ///
    /// # Errors
    /// [`exuvia_core::ErrorKind::Paused`]
    async fn try_lock(&self) -> Result<Option<Self::Lock>>;

    /// Who holds the lock, as far as the database knows.
    ///
    /// # Errors
    /// [`exuvia_core::ErrorKind::Paused`]
    async fn holder(&self) -> Result<Option<String>>;

    /// The head, as text.
    ///
    /// # Errors
    /// [`exuvia_core::ErrorKind::Paused`]
    async fn head(&self) -> Result<Option<String>>;

    /// Writes the head and what the log says of it in one transaction: the one that [`Database::shut`] began, where there
    /// is one.
    ///
    /// # Errors
    /// [`exuvia_core::ErrorKind::Fenced`] where another runner took over, [`exuvia_core::ErrorKind::Paused`]
    async fn write_head(&self, head: &str, entries: &[Entry]) -> Result<()>;

    /// The log, oldest first; empty where there is none yet.
    ///
    /// # Errors
    /// [`exuvia_core::ErrorKind::Paused`]
    async fn log(&self) -> Result<Vec<Entry>>;

    /// The chains that are kept, as texts.
    ///
    /// # Errors
    /// [`exuvia_core::ErrorKind::Paused`]
    async fn chains(&self) -> Result<Vec<String>>;

    /// Keeps a chain under a name.
    ///
    /// # Errors
    /// As [`Database::write_head`].
    async fn keep_chain(&self, name: &str, text: &str) -> Result<()>;

    /// Lets go of all chains but one.
    ///
    /// # Errors
    /// As [`Database::write_head`].
    async fn keep_only(&self, name: &str) -> Result<()>;

    /// The scripts that were done, or begun.
    ///
    /// # Errors
    /// [`exuvia_core::ErrorKind::Paused`]
    async fn scripts(&self) -> Result<Vec<Known>>;

    /// What the text of a script says that it may lose, break or hold up.
    ///
    /// # Errors
    /// [`exuvia_core::ErrorKind::Paused`]
    async fn review(&self, script: &Script) -> Result<Vec<Finding>>;

    /// Does or undoes a script, asks whether it is done, and notes it with its entry in the log: in one transaction, unless
    /// the script can run in none. Answers with whom it held up.
    ///
    /// # Errors
    /// [`exuvia_core::ErrorKind::Validation`] where a question is not answered by one true value; what the database
    /// says to a statement.
    async fn run_script(&self, script: &Script, direction: Direction, entry: Option<&Entry>) -> Result<Vec<Finding>>;

    /// What can be known before anything is read whole: broken references, damage, missing columns, room on the disk.
    ///
    /// # Errors
    /// [`exuvia_core::ErrorKind::Paused`]
    async fn inspect(&self, tables: &[&Table], backups: &Path) -> Result<Vec<Finding>>;

    /// How the rows of a table go a way, and why: a note.
    ///
    /// # Errors
    /// [`exuvia_core::ErrorKind::Paused`]
    async fn manner(&self, table: &Table, passage: &Passage<'_>) -> Result<Finding>;

    /// How busy it is.
    ///
    /// # Errors
    /// [`exuvia_core::ErrorKind::Paused`]
    async fn load(&self) -> Result<Load>;

    /// Rows with a document, and their documents' bytes.
    ///
    /// # Errors
    /// [`exuvia_core::ErrorKind::Paused`]
    async fn measure(&self, table: &Table) -> Result<Measure>;

    /// Adds the stamp, and what keeps stamps and residues true while others write. A writer that declares the version
    /// that the run leads to, where the database has a way to, writes what the run makes: its rows get the stamp.
    ///
    /// # Errors
    /// As [`Database::write_head`].
    async fn install(&self, table: &Table, stamp: Stamp, target: Version) -> Result<()>;

    /// Lets the rows that are still to be moved be found without a look at all others, so that writers need not wait for
    /// one. Where the database cannot, it goes without. To be called when few are left.
    ///
    /// # Errors
    /// As [`Database::write_head`].
    async fn narrow(&self, table: &Table, stamp: Stamp, side: Side) -> Result<()>;

    /// Removes what only a run needs, and residues whose rows are gone.
    ///
    /// # Errors
    /// As [`Database::write_head`].
    async fn uninstall(&self, table: &Table) -> Result<()>;

    /// Moves the next rows, with their residues and stamps, in one transaction. `None` where none is left after the
    /// batch's place.
    ///
    /// # Errors
    /// [`exuvia_core::ErrorKind::Unfit`] with the record, and nothing of the batch was written; as
    /// [`Database::write_head`].
    async fn carry(&self, batch: &Batch<'_, Self::Key>, passage: &Passage<'_>) -> Result<Option<Done<Self::Key>>>;

    /// How many rows are still to be moved.
    ///
    /// # Errors
    /// [`exuvia_core::ErrorKind::Paused`]
    async fn remaining(&self, table: &Table, stamp: Stamp, side: Side) -> Result<u64>;

    /// Begins a transaction that keeps writers out of these tables until the head is written. Bounded in time.
    ///
    /// # Errors
    /// [`exuvia_core::ErrorKind::Paused`] where the locks cannot be had.
    async fn shut(&self, tables: &[&Table]) -> Result<()>;

    /// Lets writers in again, without a head: what was done since [`Database::shut`] is undone.
    ///
    /// # Errors
    /// [`exuvia_core::ErrorKind::Paused`]
    async fn reopen(&self) -> Result<()>;

    /// Whether references hold that bound tables take part in.
    ///
    /// # Errors
    /// [`exuvia_core::ErrorKind::Validation`]
    async fn check_references(&self) -> Result<()>;

    /// The digest of all documents of a table by meaning, whatever their order.
    ///
    /// # Errors
    /// [`exuvia_core::ErrorKind::Paused`]
    async fn meaning(&self, table: &Table) -> Result<String>;

    /// Writes everything into a file, as of one moment, and answers with what was in it: for each table rows and digest.
    ///
    /// # Errors
    /// [`exuvia_core::ErrorKind::Paused`]
    async fn backup(&self, file: &Path, progress: &dyn Fn(u64, u64)) -> Result<Vec<TableFacts>>;

    /// The schema, as a text that people read.
    ///
    /// # Errors
    /// [`exuvia_core::ErrorKind::Paused`]
    async fn schema(&self) -> Result<String>;

    /// A database of its own with what is in a backup, to try things on.
    ///
    /// # Errors
    /// [`exuvia_core::ErrorKind::Snapshot`] where the backup cannot be read.
    async fn scratch(&self, file: &Path) -> Result<Self>;

    /// Removes a scratch database.
    ///
    /// # Errors
    /// [`exuvia_core::ErrorKind::Paused`]
    async fn discard(self) -> Result<()>;

    /// What is in it: for each table rows and digest.
    ///
    /// # Errors
    /// [`exuvia_core::ErrorKind::Snapshot`] where it is damaged.
    async fn facts(&self) -> Result<Vec<TableFacts>>;

    /// Makes the whole database what a backup holds, in one transaction, where what is there now is what was just saved.
    ///
    /// # Errors
    /// [`exuvia_core::ErrorKind::Snapshot`], [`exuvia_core::ErrorKind::Paused`] where others wrote since it was saved.
    async fn restore(&self, file: &Path, present: &Manifest) -> Result<()>;
}

/// The size of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measure {
    /// Rows with a document.
    pub rows: u64,
    /// Bytes of their documents, as they are stored.
    pub bytes: u64,
}

/// The next rows to move.
#[derive(Debug)]
pub struct Batch<'b, K> {
    /// Where they are.
    pub table: &'b Table,
    /// The run that moves them.
    pub stamp: Stamp,
    /// Which side of the run they are on now.
    pub side: Side,
    /// After this place.
    pub after: Option<K>,
    /// How many rows at most.
    pub rows: u32,
}

/// What a batch did.
#[derive(Debug)]
pub struct Done<K> {
    /// The place of its last row.
    pub last: K,
    /// Rows moved.
    pub rows: u64,
    /// Bytes of documents read.
    pub bytes: u64,
    /// How long other writers may have waited for it.
    pub held: Duration,
}
