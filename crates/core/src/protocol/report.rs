use litemap::LiteMap;

use crate::chain::Version;
use crate::error::Error;
use crate::{json_object, json_words};

/// An error as it is kept and shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// A stable word for the kind.
    pub kind: String,
    /// What was expected, what was found and what to do.
    pub message: String,
    /// The migration.
    pub migration: Option<String>,
    /// The collection.
    pub collection: Option<String>,
    /// The record's key.
    pub record: Option<String>,
    /// The step.
    pub step: Option<String>,
    /// The path inside the record.
    pub path: Option<String>,
}

json_object!(Problem { "kind": kind, "message": message, "migration": migration, "collection": collection, "record": record, "step": step, "path": path });

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        let context = error.context().clone();
        Self {
            kind: error.kind().name().to_owned(),
            message: error.message().to_owned(),
            migration: context.migration,
            collection: context.collection,
            record: context.record,
            step: context.step,
            path: context.path,
        }
    }
}

/// What a run is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// To bring the data to the chain's tip.
    Migrate,
    /// To bring in a file.
    Import,
    /// To go back to a snapshot, by hand.
    Restore,
    /// To go to another version of the chain, by hand.
    Revert,
}

json_words!(Cause { "migrate": Migrate, "import": Import, "restore": Restore, "revert": Revert });

/// What a run came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The new data stands.
    Committed,
    /// Writing began, failed, and the old data is back.
    Restored,
    /// Nothing was written.
    Refused,
}

json_words!(Outcome { "committed": Committed, "restored": Restored, "refused": Refused });

/// What the last run did.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The run.
    pub run: String,
    /// What it was for.
    pub cause: Cause,
    /// What it came to.
    pub outcome: Outcome,
    /// The version before.
    pub from: Version,
    /// The version it was to lead to.
    pub to: Version,
    /// Records by collection.
    pub records: LiteMap<String, u64>,
    /// Bytes of records, as JSON text in UTF-8.
    pub bytes: u64,
    /// Milliseconds since 1970.
    pub started_at: i64,
    /// Milliseconds.
    pub took_ms: i64,
    /// The snapshot made before the first write.
    pub snapshot: Option<String>,
    /// Why it was refused or restored.
    pub problem: Option<Problem>,
    /// Remarks.
    pub notes: Vec<String>,
}

json_object!(Report { "run": run, "cause": cause, "outcome": outcome, "from": from, "to": to, "records": records, "bytes": bytes, "startedAt": started_at, "tookMs": took_ms, "snapshot": snapshot, "problem": problem, "notes": notes });

/// What stored data is, seen from a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// At the chain's tip.
    Current,
    /// Older than the chain's tip.
    Behind,
    /// Newer than the chain's tip, or on another branch, and the chain that is kept beside the data knows the way.
    Ahead,
    /// Nothing is stored.
    Fresh,
    /// A run is under way or was interrupted.
    Moving,
    /// Written by a newer chain.
    Newer,
    /// On a line that the chain does not know.
    Fork,
    /// On a line with a migration that was edited since.
    Edited,
    /// The head is gone, and there was one.
    Lost,
    /// The last attempt was refused; the data is as it was.
    Refused,
    /// At another version of the chain, where somebody wanted it to stay.
    Held,
    /// A way back could not be finished yet.
    Stuck,
    /// Another context holds the data.
    Busy,
}

json_words!(State { "current": Current, "behind": Behind, "ahead": Ahead, "fresh": Fresh, "moving": Moving, "newer": Newer, "fork": Fork, "edited": Edited, "lost": Lost, "refused": Refused, "held": Held, "stuck": Stuck, "busy": Busy });

/// The state of the stored data, with what a person needs to act on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// The state.
    pub state: State,
    /// The version of the data; 0 where there is none or nobody knows.
    pub version: Version,
    /// The version that the chain leads to.
    pub target: Version,
    /// What is wrong.
    pub problem: Option<Problem>,
    /// What the last run did.
    pub last_run: Option<Report>,
}

json_object!(Status { "state": state, "version": version, "target": target, "problem": problem, "lastRun": last_run });

/// The stages of a run, as a person follows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// What is there?
    Inspect,
    /// May it be done?
    Assess,
    /// Everything is saved; every record goes up and down again, and nothing is written.
    Snapshot,
    /// What was saved is read back: it is what was rehearsed.
    Rehearse,
    /// The new records are written.
    Apply,
    /// They are read back.
    Validate,
    /// The version changes.
    Commit,
    /// The old data is written back.
    Restore,
    /// What only the old form needed is removed.
    Sweep,
}

json_words!(Stage { "inspect": Inspect, "assess": Assess, "snapshot": Snapshot, "rehearse": Rehearse, "apply": Apply, "validate": Validate, "commit": Commit, "restore": Restore, "sweep": Sweep });

/// Where a stage stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The stage.
    pub stage: Stage,
    /// Records done.
    pub done: u64,
    /// Records in all; 0 while unknown.
    pub of: u64,
    /// Bytes done, as JSON text in UTF-8.
    pub bytes: u64,
}
