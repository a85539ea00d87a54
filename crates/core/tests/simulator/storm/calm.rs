//! After the storm: everything comes to rest by itself, and what rests is held against what it may be.

use exuvia_core::protocol::{Request, State, Status, run};
use pollster::block_on;

use super::asks::{Ask, carry_out};
use super::oracle::{form_of, has_residues_more, same_data};
use super::{Build, Plain, Storm, Verdict};

impl<B: Build> Storm<'_, B> {
    /// After the storm everything comes to rest by itself. Answers whether the scenario ends here.
    pub(super) fn calm_down(&mut self) -> Verdict<bool> {
        self.machine.schedule.replace(None);
        let build =
            if self.weather.builds { self.asks[self.rng.usize(..self.asks.len())].build() } else { self.world.tip() };
        self.settle(build, false)
    }

    pub(super) fn settle(&mut self, build: usize, last: bool) -> Verdict<bool> {
        if !self.machine.stored.borrow().contains_key("exuvia") {
            // A run may have filled the room that the control key left. Where it does not fit again, all that can be had is
            // the error.
            self.machine.quota.set(None);
        }
        let mut status = self.open(build, false)?;
        // The faults end, and what was refused because of them is asked for again.
        self.machine.quota.set(None);
        self.machine.damage.set(None);
        let excused = self.weather.tight || self.weather.damage;
        if matches!(status.state, State::Refused | State::Stuck) && excused {
            self.tally.refused += 1;
            status = self.open(build, true)?;
        }
        match status.state {
            State::Current | State::Newer => {}
            // What a newer build's import leaves behind only a build that knows its version can tell.
            State::Moving if self.weather.deeds && build < self.world.tip() => {
                return self.settle(self.world.tip(), last);
            }
            State::Lost if self.forgotten => return self.recover(build),
            State::Stuck if self.rotten && (self.weather.deeds || self.weather.builds) => {
                self.tally.stuck += 1;
                return Ok(true);
            }
            state => return Err(format!("the data rests as {state:?}: {:?}", status.problem)),
        }
        if self.forgotten && !last {
            return Ok(true);
        }
        self.check()?;
        let before = self.machine.stored.borrow().clone();
        let again = self.open(build, false)?;
        if again.state != status.state || *self.machine.stored.borrow() != before {
            return Err("a second start changes what the first one left".into());
        }
        self.check_snapshots(&status)?;
        self.tally.committed += 1;
        Ok(false)
    }

    /// Opens without faults. What cannot go on by itself within a few starts never does.
    pub(super) fn open(&mut self, build: usize, retry: bool) -> Verdict<Status> {
        let chain = &self.world.builds[build];
        let mut answer = None;
        for _ in 0..4 {
            let process = self.machine.process();
            let status = block_on(carry_out::<B>(process, chain, &Ask::Migrate(build, retry)));
            self.note(|| format!("a start finds {:?}", status.as_ref().map(|status| (status.state, &status.problem))));
            let resting = status.as_ref().is_ok_and(|status| !matches!(status.state, State::Moving | State::Stuck));
            answer = Some(status);
            if resting {
                break;
            }
        }
        answer.expect("at least one start").map_err(|error| format!("a start without faults fails: {error}"))
    }

    /// Where the head is gone nothing is written, and a snapshot is the way out.
    pub(super) fn recover(&mut self, build: usize) -> Verdict<bool> {
        let before = self.machine.stored.borrow().clone();
        self.open(build, false)?;
        if *self.machine.stored.borrow() != before {
            return Err("data that nobody knows was written to".into());
        }
        let chain = &self.world.builds[build];
        let records = B::target(self.machine.process(), chain);
        let whole = Plain::target(self.machine.process(), chain);
        let mut snapshots = block_on(whole.snapshots()).unwrap();
        // One of data that nobody knew helps nobody.
        snapshots.retain(|snapshot| !self.spoilt.contains(&snapshot.id) && !snapshot.line.is_empty());
        let Some(snapshot) = snapshots.into_iter().next() else { return Ok(true) };
        let (seal, line) = block_on(whole.find_snapshot(&snapshot.id)).unwrap();
        match block_on(run(&records, chain, Request::Restore { seal, line })) {
            Ok(_) => {
                let data = form_of(&self.machine).data;
                let has_more = |form| !self.spoilt.is_empty() && has_residues_more(&data, form);
                match self.history.iter().any(|form| same_data(&form.data, &data) || has_more(form)) {
                    true => Ok(true),
                    false => Err("data that nobody knows was restored to what it never was".into()),
                }
            }
            Err(error) => Err(format!("data that nobody knows cannot be restored: {error}")),
        }
    }

    /// Each snapshot that the vault keeps is one of the forms that the data has had.
    pub(super) fn check_snapshots(&self, status: &Status) -> Verdict {
        let chain = &self.world.builds[self.world.tip()];
        let records = Plain::target(self.machine.process(), chain);
        let Some(report) = status.last_run.as_ref() else { return Ok(()) };
        let Some(id) = report.snapshot.as_deref().filter(|id| !self.spoilt.contains(*id)) else { return Ok(()) };
        let Ok((seal, line)) = block_on(records.find_snapshot(id)) else {
            return Err("the last run's snapshot is gone".into());
        };
        let copy = self.machine.copy();
        let records = Plain::target(copy.process(), chain);
        block_on(run(&records, chain, Request::Restore { seal, line }))
            .map_err(|error| format!("the last run's snapshot does not restore: {error}"))?;
        // A snapshot that was taken from half-written data has residues more, which by the laws lead to the same place.
        let data = copy.data();
        match self.history.iter().any(|form| same_data(&form.records(), &data)) {
            true => Ok(()),
            false => Err("the last run's snapshot is not what the data was".into()),
        }
    }
}
