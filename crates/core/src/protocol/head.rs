use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::report::{Cause, Outcome, Problem, Report};
use crate::chain::{Chain, Layout, Link, Version};
use crate::error::Result;

/// What a store says of its data, written in one piece. Whoever reads the data reads this first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// The format of this record: 1.
    pub format: u32,
    /// How many migrations the data has run; 0 where nobody knows.
    pub version: Version,
    /// The head of the line, empty at version 0. Readers compare it with the chain's.
    pub head: String,
    /// The line the data has run.
    pub line: Vec<Link>,
    /// Counts the heads that were written.
    pub epoch: u64,
    /// Nobody knows what the data is: the head before this one was lost.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lost: bool,
    /// The last attempt that was refused, until facts change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refusal>,
    /// The run under way. While there is one, the data is between two forms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
    /// What the last run did.
    #[serde(rename = "lastRun", skip_serializing_if = "Option::is_none")]
    pub last_run: Option<Report>,
}

/// Why a way was not gone, and which.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refusal {
    /// The head that the chain leads to. Another chain is another fact.
    pub tip: String,
    /// Why.
    pub problem: Problem,
}

/// One run, from the first note in the head to the last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its name.
    pub id: String,
    /// Who runs it: the fencing token of the runner that adopted it last.
    pub token: String,
    /// How often it was taken up.
    pub attempts: u32,
    /// What it is for.
    pub cause: Cause,
    /// The version that the records are read at.
    pub from: Version,
    /// The line after it.
    pub to_line: Vec<Link>,
    /// What is written.
    pub source: Source,
    /// The time that every step of the run sees, in milliseconds since 1970.
    pub now: i64,
    /// Where it stands.
    pub phase: Phase,
    /// The snapshot to go back to, once it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seal: Option<Seal>,
    /// Storage that the new version leaves. Noted here so that any build can sweep.
    pub leaves: Vec<Reach>,
    /// Storage that the new version uses.
    pub uses: Vec<Reach>,
    /// Records by collection, once they were counted.
    #[serde(default)]
    pub records: BTreeMap<String, u64>,
    /// Bytes of records, as JSON text in UTF-8.
    #[serde(default)]
    pub bytes: u64,
    /// Remarks for the report.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Why it goes back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
    /// Why the way back is not finished yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stuck: Option<Problem>,
}

/// Where the records of a run come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The run's own snapshot, moved along the chain.
    Chain,
    /// Records that were staged at the chain's tip.
    Staged {
        /// Where they wait.
        seal: Seal,
        /// How they meet what is there.
        merge: Merge,
    },
    /// Another snapshot, as it is.
    Snapshot {
        /// Which.
        seal: Seal,
    },
}

/// How imported records meet what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Merge {
    /// The collections hold exactly what is imported.
    Replace,
    /// What is there wins.
    Keep,
    /// What is imported wins.
    Take,
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// The snapshot is being made. Nothing was written; the run can be forgotten.
    Capture,
    /// New records are being written.
    Up,
    /// The old records are being written back.
    Back,
    /// The new records stand; what only the old form needed is being removed.
    Sweep,
}

/// A snapshot, bound by the digest of its manifest: another one under the same name is not it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// The snapshot's name.
    pub id: String,
    /// The digest of its manifest, in hexadecimal.
    pub digest: String,
}

/// A storage key, or all that start with a prefix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// One key.
    Key(String),
    /// Each key with this prefix.
    Prefix(String),
}

impl Run {
    /// What is told of it when it ends.
    pub(super) fn report(&self, outcome: Outcome, now: i64, problem: Option<Problem>) -> Report {
        Report {
            run: self.id.clone(),
            cause: self.cause,
            outcome,
            from: self.from,
            to: Version(self.to_line.len() as u32),
            records: self.records.clone(),
            bytes: self.bytes,
            started_at: self.now,
            took_ms: now - self.now,
            snapshot: self.seal.as_ref().map(|seal| seal.id.clone()),
            problem,
            notes: self.notes.clone(),
        }
    }
}

impl Reach {
    /// Whether a storage key is within.
    #[must_use]
    pub fn covers(&self, storage_key: &str) -> bool {
        match self {
            Reach::Key(key) => storage_key == key,
            Reach::Prefix(prefix) => storage_key.starts_with(&**prefix),
        }
    }

    fn of(layout: &Layout) -> Self {
        match layout.reach() {
            (key, false) => Reach::Key(key.to_owned()),
            (prefix, true) => Reach::Prefix(prefix.to_owned()),
        }
    }

    /// The storage that a version's collections use.
    #[must_use]
    pub fn of_version(chain: &Chain, version: Version) -> Vec<Self> {
        chain.collections(version).values().map(|collection| Self::of(&collection.layout)).collect()
    }
}

impl Head {
    /// The head of a store that nobody has marked.
    #[must_use]
    pub fn unmarked() -> Self {
        Self {
            format: 1,
            version: Version(0),
            head: String::new(),
            line: Vec::new(),
            epoch: 0,
            lost: false,
            refused: None,
            run: None,
            last_run: None,
        }
    }

    /// The same data, said to have run another line.
    #[must_use]
    pub(super) fn on_line(mut self, line: Vec<Link>) -> Self {
        self.version = Version(line.len() as u32);
        self.head = line.last().map(|link| link.head.clone()).unwrap_or_default();
        self.line = line;
        self
    }

    /// The head as JSON text.
    ///
    /// # Errors
    /// Never in practice: every part of a head is JSON.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| {
            crate::Error::new(crate::ErrorKind::Store, format!("expected a head that is JSON: {error}"))
        })
    }
}
