//! The one error of this crate: what was expected, what was found, what to do, and where. Never a user's values.

use std::fmt;

use serde::Serialize;

/// Result with the error of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of thing went wrong. Stable words; callers decide by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A text is not JSON.
    Json,
    /// A chain file is malformed, or its steps do not fit the schema before them.
    Chain,
    /// A migration that is locked, or that stored data has run, was edited.
    Edited,
    /// Stored data ran a line that the chain does not know.
    Fork,
    /// Stored data was written by a newer chain.
    Newer,
    /// The control key is gone, and what is there cannot be version 1.
    Lost,
    /// A record does not fit a step or its schema.
    Unfit,
    /// Two records would get the same key, or a record a key that is not its own.
    Collision,
    /// There is no room for the run.
    Quota,
    /// The store, or the place for snapshots, failed.
    Store,
    /// A snapshot is missing or damaged.
    Snapshot,
    /// An import file is malformed, truncated or too large.
    Import,
    /// Another context holds the data.
    Busy,
    /// Another runner took over.
    Fenced,
    /// The run pauses where it is: somebody asked it to, or its place does not answer. The next start goes on.
    Paused,
    /// A restore could not finish.
    Stuck,
    /// What was written is not what was meant.
    Validation,
}

impl ErrorKind {
    /// The word for it, as reports and the npm package's `Problem` have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ErrorKind::Json => "json",
            ErrorKind::Chain => "chain",
            ErrorKind::Edited => "edited",
            ErrorKind::Fork => "fork",
            ErrorKind::Newer => "newer",
            ErrorKind::Lost => "lost",
            ErrorKind::Unfit => "unfit",
            ErrorKind::Collision => "collision",
            ErrorKind::Quota => "quota",
            ErrorKind::Store => "store",
            ErrorKind::Snapshot => "snapshot",
            ErrorKind::Import => "import",
            ErrorKind::Busy => "busy",
            ErrorKind::Fenced => "fenced",
            ErrorKind::Paused => "paused",
            ErrorKind::Stuck => "stuck",
            ErrorKind::Validation => "validation",
        }
    }
}

/// Where it went wrong. All of it is the author's or the extension's own naming.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Context {
    /// The migration's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub migration: Option<String>,
    /// The collection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// The record's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// The step, as its place in the migration, counted from 1, and its verb: `2 (rename)` or `3 (each) > 1 (map)`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The path inside the record, a JSON Pointer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// What was expected, what was found and what to do, with the place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Error(Box<Parts>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Parts {
    kind: ErrorKind,
    message: String,
    context: Context,
}

impl Error {
    /// An error without a place; callers on the way up add what they know.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Parts { kind, message: message.into(), context: Context::default() }))
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The message without the place.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The place.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.0.context
    }

    /// The same error as another kind.
    #[must_use]
    pub fn of_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Puts the number of a file's line before the message.
    #[must_use]
    pub fn at_line(mut self, number: usize) -> Self {
        self.0.message.insert_str(0, &format!("line {number}: "));
        self
    }

    /// Names the migration, unless a place further in did.
    #[must_use]
    pub fn in_migration(mut self, id: &str) -> Self {
        self.0.context.migration.get_or_insert_with(|| id.to_owned());
        self
    }

    /// Names the collection, unless a place further in did.
    #[must_use]
    pub fn in_collection(mut self, name: &str) -> Self {
        self.0.context.collection.get_or_insert_with(|| name.to_owned());
        self
    }

    /// Names the record, unless a place further in did.
    #[must_use]
    pub fn in_record(mut self, key: &str) -> Self {
        self.0.context.record.get_or_insert_with(|| key.to_owned());
        self
    }

    /// Names the step, unless a place further in did.
    #[must_use]
    pub fn in_step(mut self, place: &str) -> Self {
        self.0.context.step.get_or_insert_with(|| place.to_owned());
        self
    }

    /// Puts the place of the enclosing step before the step's.
    #[must_use]
    pub fn under_step(mut self, outer: impl fmt::Display) -> Self {
        let step = &mut self.0.context.step;
        *step = Some(step.take().map_or_else(|| outer.to_string(), |inner| format!("{outer} > {inner}")));
        self
    }

    /// Puts `outer` before the path.
    #[must_use]
    pub fn under_path(mut self, outer: impl fmt::Display) -> Self {
        let inner = self.0.context.path.take().unwrap_or_default();
        self.0.context.path = Some(format!("{outer}{inner}"));
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Context { migration, collection, record, step, path } = &self.0.context;
        let places =
            [("migration", migration), ("collection", collection), ("record", record), ("step", step), ("path", path)];
        for (name, place) in places {
            if let Some(place) = place {
                write!(f, "{name} {place}, ")?;
            }
        }
        f.write_str(&self.0.message)
    }
}
