//! A run as somebody watches it: bars on a terminal, plain lines elsewhere, and its timeline on the disk.

use std::cell::{Cell, RefCell};
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use exuvia_core::protocol::{Progress, Run, Stage};
use exuvia_server::database::{Finding, Listener};
use indicatif::{ProgressBar, ProgressStyle};

use super::timeline::{Moment, Timeline, word};

/// Between two plain lines.
const QUIET: Duration = Duration::from_secs(10);

/// Whoever watches.
pub(crate) struct Watch {
    view: View,
    stage: Cell<Option<Stage>>,
    /// When the stage, or the last line, began.
    since: Cell<Instant>,
    begun: Cell<Instant>,
    backups: Option<PathBuf>,
    timeline: RefCell<Option<Timeline>>,
}

enum View {
    Nothing,
    Bar(ProgressBar),
    Lines,
}

impl Watch {
    /// For what is over at once.
    pub(crate) fn silent() -> Self {
        Self::new(View::Nothing, None)
    }

    /// For a run whose timeline goes into a folder of its own among the backups.
    pub(crate) fn of_runs(backups: PathBuf, is_quiet: bool) -> Self {
        let view = match is_quiet {
            true => View::Nothing,
            false if io::stderr().is_terminal() => View::Bar(ProgressBar::no_length()),
            false => View::Lines,
        };
        Self::new(view, Some(backups))
    }

    fn new(view: View, backups: Option<PathBuf>) -> Self {
        let now = Instant::now();
        let (stage, since, begun) = (Cell::new(None), Cell::new(now), Cell::new(now));
        Self { view, stage, since, begun, backups, timeline: RefCell::new(None) }
    }

    /// Shows how far something is that is no run.
    pub(crate) fn tell(&self, progress: Progress) {
        if self.stage.replace(Some(progress.stage)) != Some(progress.stage) {
            self.show_stage(progress.stage);
        }
        self.show(progress);
    }

    fn note(&self, run: &Run, moment: &Moment) {
        let Some(backups) = &self.backups else { return };
        let mut timeline = self.timeline.borrow_mut();
        timeline.get_or_insert_with(|| Timeline::open(&backups.join(&run.id))).note(moment);
    }

    fn show_stage(&self, stage: Stage) {
        self.begun.set(Instant::now());
        self.since.set(Instant::now());
        match &self.view {
            View::Nothing => {}
            View::Bar(bar) => {
                let template = "{msg:>9} {wide_bar} {human_pos}/{human_len} {per_sec} {eta} left";
                if let Ok(style) = ProgressStyle::with_template(template) {
                    bar.set_style(style);
                }
                bar.reset();
                bar.set_message(word(stage));
            }
            View::Lines => say(word(stage)),
        }
    }

    fn show(&self, Progress { stage, done, of, .. }: Progress) {
        match &self.view {
            View::Nothing => {}
            View::Bar(bar) => {
                bar.set_length(of);
                bar.set_position(done);
            }
            View::Lines if self.since.get().elapsed() < QUIET || done == 0 => {}
            View::Lines => {
                self.since.set(Instant::now());
                let rate = done as f64 / self.begun.get().elapsed().as_secs_f64();
                let left = of.saturating_sub(done) as f64 / rate.max(1.0);
                say(&format!("{} {done} of {of}, {rate:.0} a second, {left:.0} s left", word(stage)));
            }
        }
    }
}

impl Listener for Watch {
    fn progress(&self, run: &Run, progress: Progress) {
        if self.stage.get() != Some(progress.stage) {
            self.note(run, &Moment::Stage { at: now(), stage: word(progress.stage).to_owned() });
        }
        self.tell(progress);
    }

    fn batch(&self, run: &Run, collection: &str, rows: u64, held: Duration) {
        let stage = self.stage.get().map_or("", word).to_owned();
        let held = held.as_secs_f64() * 1e3;
        self.note(run, &Moment::Batch { at: now(), stage, collection: collection.to_owned(), rows, held });
    }

    fn findings(&self, run: &Run, findings: &[Finding]) {
        for finding in findings {
            let (rule, level) = (finding.rule.clone().into_owned(), finding.level.name().to_owned());
            self.note(run, &Moment::Finding { at: now(), rule, level, message: finding.message.clone() });
        }
    }

    fn waits(&self, run: &Run, cause: &str) {
        self.note(run, &Moment::Wait { at: now(), cause: cause.to_owned() });
        match &self.view {
            View::Nothing => {}
            View::Bar(bar) => bar.println(format!("waiting: {cause}")),
            View::Lines => say(&format!("waiting: {cause}")),
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let View::Bar(bar) = &self.view {
            bar.finish_and_clear();
        }
    }
}

/// Tells whoever watches what was found, beside the results.
pub(crate) fn tell(findings: &[Finding]) {
    findings.iter().for_each(|finding| say(&finding.to_string()));
}

/// Nobody can be told where standard error is gone.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
