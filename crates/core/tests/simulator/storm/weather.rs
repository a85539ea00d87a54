//! What goes wrong, and when.

use fastrand::Rng;

use super::asks::Ask;
use super::{Build, Storm, Verdict};
use crate::machine::{Damage, Fate, Operation, Schedule, Wants};

/// What may go wrong in a scenario. Few things at once, so that each is seen by itself as well.
#[derive(Clone, Debug, Default)]
pub struct Weather {
    /// Deaths in a thousand operations.
    pub deaths: u32,
    /// Whether a death may tear a `set`.
    pub tears: bool,
    /// Operations that fail, and come back, in a round.
    pub hiccups: u32,
    /// Whether the vault loses something.
    pub rot: bool,
    /// Whether the control key vanishes.
    pub amnesia: bool,
    /// Whether the store is nearly full.
    pub tight: bool,
    /// Whether writes land damaged.
    pub damage: bool,
    /// Whether a runner may lose its lock while it sleeps.
    pub drowsy: bool,
    pub runners: usize,
    pub writers: usize,
    /// Whether builds of other lengths take part.
    pub builds: bool,
    /// Whether something is imported or restored.
    pub deeds: bool,
}

impl Weather {
    pub fn of(rng: &mut Rng) -> Self {
        let mut some = |of: u32| rng.u32(..of) == 0;
        let (tears, damage) = (some(3), some(8));
        Self {
            deaths: if some(4) { 0 } else { 30 },
            tears,
            hiccups: if some(4) { 2 } else { 0 },
            // What the store damages or tears can be told from the snapshot only.
            rot: !tears && !damage && some(3),
            amnesia: some(16),
            tight: some(8),
            damage,
            drowsy: some(6),
            runners: 1 + usize::from(some(2)) + usize::from(some(4)),
            writers: if some(3) { 2 } else { 0 },
            builds: some(3),
            deeds: some(3),
        }
    }
}

/// Writes that land damaged, under one key each.
pub(super) const DAMAGES: [Damage; 4] = [
    |key, text| (key == "conversation:b").then(|| text.replace("hi", "ho").replace("title", "tit1e")),
    |key, text| (key == "user_preferences").then(|| text.replace("dark", "light")),
    |key, text| (key == "deck").then(|| text.replace('s', "z")),
    |key, _| (key == "settings").then(|| "{}".to_owned()),
];

impl<B: Build> Storm<'_, B> {
    pub(super) fn fate(&mut self, operation: &Operation) -> Fate {
        if operation.wants == Wants::Nothing && self.hiccups > 0 && self.rng.u32(..50) == 0 {
            self.hiccups -= 1;
            self.tally.hiccups += 1;
            return Fate::Fails(self.rng.bool());
        }
        Fate::Happens
    }

    /// What the weather does between two operations.
    pub(super) fn strike(&mut self) -> Verdict {
        if self.weather.deaths > 0 && self.rng.u32(..1_000) < self.weather.deaths {
            let all = self.rng.u8(..4) == 0;
            let victims: Vec<_> = self.tasks.keys().copied().collect();
            match victims.get(self.rng.usize(..victims.len().max(1))) {
                _ if all => victims.into_iter().try_for_each(|victim| self.kill(victim))?,
                Some(victim) => self.kill(*victim)?,
                None => {}
            }
            if self.rng.bool() {
                let build = if self.weather.builds { self.rng.usize(..=self.world.tip()) } else { self.world.tip() };
                let ask = Ask::Migrate(build, false);
                if self.asks.iter().all(|known| known.is_deed() || known.build() != build) {
                    self.asks.push(ask.clone());
                    // What the run under way may come to was reckoned before it began; a new build adds to it.
                    self.allow(self.reachable_from(self.allowed.clone()));
                }
                self.start(ask);
            }
        }
        if self.weather.rot && !self.rotten && !self.forgotten && self.rng.u32(..150) == 0 {
            self.rot();
        }
        if self.weather.amnesia && !self.rotten && !self.forgotten && self.rng.u32(..300) == 0 {
            self.forget();
        }
        if self.weather.drowsy && self.asleep.is_none() && self.rng.u32(..200) == 0 {
            self.doze();
        }
        Ok(())
    }

    /// A process dies. What it had sent may have arrived, or part of it.
    pub(super) fn kill(&mut self, victim: usize) -> Verdict {
        self.tally.deaths += 1;
        for (ticket, operation) in self.sent_by(victim) {
            let fate = match self.rng.u8(..3) {
                2 if !self.writers.contains(&victim) => Fate::Happens,
                0..2 if self.weather.tears && operation.name == "set" && operation.keys.len() > 1 => {
                    self.tally.torn += 1;
                    Fate::Kills(1 + self.rng.usize(..operation.keys.len() - 1))
                }
                _ => Fate::Kills(0),
            };
            self.note(|| format!("{victim} dies at {} {:?} {fate:?}", operation.name, operation.keys));
            if let Some(schedule) = &mut *self.machine.schedule.borrow_mut() {
                schedule.decide(ticket, fate);
            }
            self.poll(victim);
        }
        self.tasks.remove(&victim);
        self.check()
    }

    /// The vault loses all, the bytes, the manifests or a bit.
    pub(super) fn rot(&mut self) {
        self.rotten = true;
        self.tally.rotten += 1;
        self.spoilt.extend(self.machine.manifests.borrow().keys().cloned());
        self.spoilt.extend(self.machine.sealed.borrow().keys().cloned());
        let how = self.rng.u8(..4);
        self.note(|| format!("the vault rots, kind {how}"));
        match how {
            0 => {
                self.machine.sealed.borrow_mut().clear();
                self.machine.manifests.borrow_mut().clear();
                self.machine.mirror.replace(None);
            }
            1 => self.machine.sealed.borrow_mut().clear(),
            2 => self.machine.manifests.borrow_mut().values_mut().for_each(|text| *text = text.replacen('0', "1", 1)),
            _ => self.machine.rot(),
        }
    }

    /// The control key vanishes.
    pub(super) fn forget(&mut self) {
        if self.machine.stored.borrow_mut().remove("exuvia").is_some() {
            self.forgotten = true;
            self.tally.forgotten += 1;
            self.note(|| "the control key vanishes".to_owned());
        }
    }

    /// The runner that has the lock loses it and falls asleep: what it sent arrives, and it hears of that when it wakes.
    pub(super) fn doze(&mut self) {
        let sleeper = self.machine.schedule.borrow_mut().as_mut().and_then(Schedule::break_lock);
        let Some(sleeper) = sleeper.filter(|sleeper| self.tasks.contains_key(sleeper)) else { return };
        self.note(|| format!("{sleeper} loses its lock and sleeps"));
        self.tally.slept += 1;
        for (ticket, _) in self.sent_by(sleeper) {
            if let Some(schedule) = &mut *self.machine.schedule.borrow_mut() {
                schedule.decide(ticket, Fate::Sleeps);
            }
            self.poll(sleeper);
        }
        self.machine.clock.set(self.machine.clock.get() + 3_600_000);
        self.asleep = Some((sleeper, self.rng.u32(..200)));
        self.late.push(sleeper);
    }

    pub(super) fn sent_by(&self, process: usize) -> Vec<(u64, Operation)> {
        let schedule = self.machine.schedule.borrow();
        let ready = schedule.as_ref().expect("a storm has a schedule").ready();
        ready.into_iter().filter(|(_, operation)| operation.process == process).collect()
    }

    /// What may happen next. Sleepers wait; what a runner without the lock has sent arrives before anything else does.
    pub(super) fn open_to(&mut self, mut ready: Vec<(u64, Operation)>) -> Vec<(u64, Operation)> {
        let urgent = ready.iter().find(|(_, operation)| {
            self.late.contains(&operation.process) && matches!(operation.name, "set" | "remove")
        });
        if let Some(urgent) = urgent {
            return vec![urgent.clone()];
        }
        if let Some((sleeper, left)) = self.asleep {
            self.asleep = left.checked_sub(1).map(|left| (sleeper, left));
            if ready.iter().any(|(_, operation)| operation.process != sleeper) {
                ready.retain(|(_, operation)| operation.process != sleeper);
            }
        }
        ready
    }
}
