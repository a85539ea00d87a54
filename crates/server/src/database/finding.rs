use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

/// What was found before a run, and what it means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// A stable word; `--allow` names it.
    pub rule: Cow<'static, str>,
    /// Whether it is in the way.
    pub level: Level,
    /// What was expected, what was found and what to do.
    pub message: String,
}

/// What a finding means for the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Good to know.
    Note,
    /// To be thought about.
    Warning,
    /// Forbids the run, unless somebody allows it by its rule.
    Error,
    /// Forbids the run, whatever is allowed: it would lose rows.
    Refusal,
}

impl Level {
    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Error => "error",
            Level::Refusal => "refusal",
        }
    }
}

impl Finding {
    /// A finding.
    #[must_use]
    pub fn new(rule: impl Into<Cow<'static, str>>, level: Level, message: impl Into<String>) -> Self {
        Self { rule: rule.into(), level, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]: {}", self.level.name(), self.rule, self.message)
    }
}
