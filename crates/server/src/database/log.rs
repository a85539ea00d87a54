use exuvia_core::protocol::{Cause, Head, Outcome, Phase, Run};
use serde::{Deserialize, Serialize};

/// A line of the log in the database: what happened to its data. Nobody changes one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Milliseconds since 1970.
    pub at: i64,
    /// The run.
    pub run: String,
    /// What happened.
    pub event: Event,
    /// What the run is for.
    pub cause: String,
    /// The version before.
    pub from: u32,
    /// The version that it leads to.
    pub to: u32,
    /// The last migration of the line that it leads to.
    pub migration: String,
    /// The hash of the whole line that it leads to: what ran elsewhere under the same hash is the same.
    pub fingerprint: String,
    /// Who started it, and where.
    pub who: String,
    /// Records by collection, as JSON, once they are counted.
    pub records: String,
    /// Why, or the way back.
    pub note: String,
}

/// What the log knows of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// A run began; nothing is written yet.
    Started,
    /// Somebody took up what another one left.
    TakenUp,
    /// It is saved and rehearsed, and begins to write.
    Writing,
    /// The new data stands.
    Committed,
    /// What only the run needed is gone.
    Finished,
    /// Something failed, and what was moved goes back.
    TurnedBack,
    /// The old data stands again.
    Restored,
    /// Nothing was written, since something forbade it.
    Refused,
    /// Nothing was written, since the runner died.
    Forgotten,
    /// The way back could not be finished; each start tries again.
    Stuck,
    /// A backup took the place of everything.
    BroughtBack,
    /// A migration in SQL was done.
    ScriptDone,
    /// A migration in SQL was undone.
    ScriptUndone,
}

impl Event {
    /// The word for it, as the log has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Event::Started => "started",
            Event::TakenUp => "taken-up",
            Event::Writing => "writing",
            Event::Committed => "committed",
            Event::Finished => "finished",
            Event::TurnedBack => "turned-back",
            Event::Restored => "restored",
            Event::Refused => "refused",
            Event::Forgotten => "forgotten",
            Event::Stuck => "stuck",
            Event::BroughtBack => "brought-back",
            Event::ScriptDone => "script-done",
            Event::ScriptUndone => "script-undone",
        }
    }

    /// The event of a word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        serde_json::from_value(word.into()).ok()
    }
}

/// What one head says that the one before did not.
pub(super) fn told(before: &Head, after: &Head, at: i64, who: &str) -> Vec<Entry> {
    let entry = |run: &Run, event, note: String| Entry {
        at,
        run: run.id.clone(),
        event,
        cause: cause(run.cause).to_owned(),
        from: run.from.0,
        to: run.to_line.len() as u32,
        migration: run.to_line.last().map(|link| link.id.clone()).unwrap_or_default(),
        fingerprint: run.to_line.last().map(|link| link.head.clone()).unwrap_or_default(),
        who: who.to_owned(),
        records: records(run),
        note,
    };
    match (&before.run, &after.run) {
        (None, None) => Vec::new(),
        (Some(run), None) => vec![entry(run, ended(run, after), note_of_end(run, after))],
        (before, Some(run)) => {
            let before = before.as_ref().filter(|before| before.id == run.id);
            let mut entries = Vec::new();
            match before {
                None => entries.push(entry(run, Event::Started, String::new())),
                Some(before) if before.token != run.token => entries.push(entry(run, Event::TakenUp, String::new())),
                Some(_) => {}
            }
            let phase = before.map_or(Phase::Capture, |before| before.phase);
            if phase != run.phase {
                entries.extend(entered(run).map(|(event, note)| entry(run, event, note)));
            }
            if let Some(stuck) = run.stuck.as_ref().filter(|_| before.is_some_and(|before| before.stuck.is_none())) {
                entries.push(entry(run, Event::Stuck, stuck.message.clone()));
            }
            entries
        }
    }
}

fn entered(run: &Run) -> Option<(Event, String)> {
    match run.phase {
        Phase::Capture => None,
        Phase::Up => Some((Event::Writing, String::new())),
        Phase::Back => {
            Some((Event::TurnedBack, run.problem.as_ref().map(|problem| problem.message.clone()).unwrap_or_default()))
        }
        Phase::Sweep => Some((Event::Committed, way_back(run))),
    }
}

fn ended(run: &Run, after: &Head) -> Event {
    let report = after.last_run.as_ref().filter(|report| report.run == run.id);
    match report.map(|report| report.outcome) {
        None => Event::Forgotten,
        Some(Outcome::Committed) => Event::Finished,
        Some(Outcome::Restored) => Event::Restored,
        Some(Outcome::Refused) => Event::Refused,
    }
}

fn note_of_end(run: &Run, after: &Head) -> String {
    let report = after.last_run.as_ref().filter(|report| report.run == run.id);
    let problem = report.and_then(|report| report.problem.as_ref());
    problem.map(|problem| problem.message.clone()).unwrap_or_default()
}

fn way_back(run: &Run) -> String {
    let (from, to) = (run.from.0, run.to_line.len() as u32);
    let back = if from < to { format!("exuvia down --to {from}") } else { "exuvia up".to_owned() };
    // What was saved half-way is not as it was before.
    let before = run.seal.as_ref().filter(|seal| seal.id == run.id);
    let backup = before.map(|seal| format!("; or all as it was before, `exuvia restore {}`", seal.id));
    format!("with what is written since, `{back}`{}", backup.unwrap_or_default())
}

fn records(run: &Run) -> String {
    let members: serde_json::Map<_, _> =
        run.records.iter().map(|(name, count)| (name.clone(), (*count).into())).collect();
    serde_json::Value::Object(members).to_string()
}

fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::Migrate => "migrate",
        Cause::Import => "import",
        Cause::Restore => "restore",
        Cause::Revert => "revert",
    }
}
