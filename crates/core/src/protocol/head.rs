use litemap::LiteMap;

use super::report::{Cause, Outcome, Problem, Report};
use crate::chain::{Chain, Collections, Layout, Link, Route, Version, aside_prefix, residue_prefix};
use crate::{json_object, json_variants, json_words};

/// What a store says of its data, written in one piece. Whoever reads the data reads this first.
#[derive(Clone, Debug, PartialEq)]
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
    pub lost: bool,
    /// The last attempt that was refused, until facts change.
    pub refused: Option<Refusal>,
    /// The chain, by the head that it leads to, that must not move the data until somebody asks for it: the data was
    /// reverted by hand. Forgotten once another chain has opened it.
    pub held: Option<String>,
    /// The run under way. While there is one, the data is between two forms.
    pub run: Option<Run>,
    /// What the last run did.
    pub last_run: Option<Report>,
}

json_object!(Head { "format": format, "version": version, "head": head, "line": line, "epoch": epoch, "lost": lost, "refused": refused, "held": held, "run": run, "lastRun": last_run });

/// Why a way was not gone, and which.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// The head that the chain leads to. Another chain is another fact.
    pub tip: String,
    /// Why.
    pub problem: Problem,
    /// How often in a row it was for something that may pass.
    pub tries: u32,
}

json_object!(Refusal { "tip": tip, "problem": problem, "tries": tries });

/// One run, from the first note in the head to the last.
#[derive(Clone, Debug, PartialEq)]
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
    /// The name of the chain that alone is kept beside the data in the end. Nothing: whatever is there.
    pub keeps: Option<String>,
    /// What the head holds the data against when the run is committed.
    pub holds: Option<String>,
    /// The snapshot to go back to, once it is there.
    pub seal: Option<Seal>,
    /// Storage that the new version leaves. Noted here so that any build can sweep.
    pub leaves: Vec<Reach>,
    /// Storage that the new version uses.
    pub uses: Vec<Reach>,
    /// Records by collection, once they were counted.
    pub records: LiteMap<String, u64>,
    /// Bytes of records, as JSON text in UTF-8.
    pub bytes: u64,
    /// Remarks for the report.
    pub notes: Vec<String>,
    /// Why it goes back.
    pub problem: Option<Problem>,
    /// Storage keys under which is kept what the store itself has made of the run's writes: of no use to anybody when the
    /// old data is back.
    pub damage: Vec<String>,
    /// Why the way back is not finished yet.
    pub stuck: Option<Problem>,
    /// The runs that could not be finished and whose place this one takes, the last one last: each goes on where it stood
    /// unless this one is committed.
    pub over: Vec<Run>,
}

json_object!(Run { "id": id, "token": token, "attempts": attempts, "cause": cause, "from": from, "to_line": to_line, "source": source, "now": now, "phase": phase, "keeps": keeps, "holds": holds, "seal": seal, "leaves": leaves, "uses": uses, "records": records, "bytes": bytes, "notes": notes, "problem": problem, "stuck": stuck; "damage": damage, "over": over });

/// Where the records of a run come from.
#[derive(Clone, Debug, PartialEq)]
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

json_variants!(Source {
    "chain": Chain {},
    "staged": Staged { seal: seal, merge: merge },
    "snapshot": Snapshot { seal: seal },
});

/// How imported records meet what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    /// The collections hold exactly what is imported.
    Replace,
    /// What is there wins.
    Keep,
    /// What is imported wins.
    Take,
}

json_words!(Merge { "replace": Replace, "keep": Keep, "take": Take });

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

json_words!(Phase { "capture": Capture, "up": Up, "back": Back, "sweep": Sweep });

/// A snapshot, bound by the digest of its manifest: another one under the same name is not it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// The snapshot's name.
    pub id: String,
    /// The digest of its manifest, in hexadecimal.
    pub digest: String,
}

json_object!(Seal { "id": id, "digest": digest });

/// A storage key, or all that start with a prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// One key.
    Key(String),
    /// Each key with this prefix.
    Prefix(String),
}

json_variants!(Reach { "key": Key { 0: key }, "prefix": Prefix { 0: prefix } });

impl Run {
    /// A run as it starts, under a name that nobody else has; `now` in milliseconds since 1970.
    #[must_use]
    pub fn new(id: String, now: i64, cause: Cause, from: Version, to_line: Vec<Link>, source: Source) -> Self {
        Self {
            token: id.clone(),
            id,
            attempts: 1,
            cause,
            from,
            to_line,
            source,
            now,
            phase: Phase::Capture,
            keeps: None,
            holds: None,
            seal: None,
            leaves: Vec::new(),
            uses: Vec::new(),
            records: LiteMap::new(),
            bytes: 0,
            notes: Vec::new(),
            problem: None,
            damage: Vec::new(),
            stuck: None,
            over: Vec::new(),
        }
    }

    /// Takes the place of a run that could not be finished.
    pub(super) fn replace(&mut self, mut unfinished: Run) {
        self.over = std::mem::take(&mut unfinished.over);
        self.over.push(unfinished);
    }

    /// The run whose place this one has taken, as it stood.
    pub(super) fn replaced(mut self) -> Option<Run> {
        let before = self.over.pop();
        before.map(|before| Run { over: self.over, ..before })
    }

    /// Where the records wait that it brings in.
    pub(crate) fn staged(&self) -> Option<&Seal> {
        match &self.source {
            Source::Staged { seal, .. } => Some(seal),
            Source::Chain | Source::Snapshot { .. } => None,
        }
    }

    /// Whether nobody knows what the data is that it finds: what it saves may be of use to whoever goes on after it.
    pub(crate) fn finds_unknown(&self) -> bool {
        self.from == Version(0)
    }

    /// The line of data that nobody had marked when the run began: it is taken for the first version of the chain that
    /// the run leads along, whoever finishes it.
    pub(crate) fn baseline(&self) -> Option<Vec<Link>> {
        (self.source == Source::Chain).then(|| self.to_line.iter().take(1).cloned().collect())
    }

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

    /// The storage that collections use.
    #[must_use]
    pub fn of_all(collections: &Collections) -> Vec<Self> {
        collections.values().map(|collection| Self::of(&collection.layout)).collect()
    }

    /// The storage that any version of a chain uses.
    pub(super) fn of_any(chain: &Chain) -> Vec<Self> {
        let mut all = Vec::new();
        for reach in (1..=chain.tip().0).flat_map(|version| Self::of_all(chain.collections(Version(version)))) {
            if !all.contains(&reach) {
                all.push(reach);
            }
        }
        all
    }

    /// The storage that is of no use where a route ends: that of the collections where it starts; the residues of those
    /// that end on the way, and what was set aside of those that are there again.
    #[must_use]
    pub fn left_by(route: &Route<'_>) -> Vec<Self> {
        let mut left = Self::of_all(route.before());
        if route.rehomes() {
            let (before, after) = (route.before(), route.after());
            let ended = before.keys().filter(|name| !after.contains_key(*name)).map(|name| residue_prefix(name));
            let begun = after.keys().filter(|name| !before.contains_key(*name)).map(|name| aside_prefix(name));
            let recalled = route.recalled().map(aside_prefix);
            left.extend(ended.chain(begun).chain(recalled).map(Reach::Prefix));
        }
        left
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
            held: None,
            run: None,
            last_run: None,
        }
    }

    /// Whether somebody knows what the data is.
    pub(super) fn is_known(&self) -> bool {
        !self.lost && self.run.is_none()
    }

    /// The same data, said to have run another line.
    #[must_use]
    pub(crate) fn on_line(mut self, line: Vec<Link>) -> Self {
        self.move_to(line);
        self
    }

    /// Says that the data has run another line.
    pub(super) fn move_to(&mut self, line: Vec<Link>) {
        self.version = Version(line.len() as u32);
        self.head = line.last().map(|link| link.head.clone()).unwrap_or_default();
        self.line = line;
    }
}
