//! One scenario: processes on one machine, in an order and with faults that follow from a seed, and what must hold.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use exuvia_core::chain::Chain;
use exuvia_core::document::{Json, Value};
use exuvia_core::protocol::{Merge, Request, State, Status, Target, run};
use exuvia_core::records::{Bytes, Records, Sink, Store};
use exuvia_core::{Error, ErrorKind, Result};
use fastrand::Rng;
use pollster::block_on;

use crate::machine::{Damage, Fate, Machine, Operation, Process, Schedule, Wants};
use crate::world::World;

/// Batches are about so large, so that small stores have several.
pub const CHUNK: usize = 120;

/// How many first stores there are of a world.
const STORES: u64 = 48;

/// What is under test: how a process reaches its data.
pub trait Build {
    type Target<'c>: Target;
    fn target(process: Process, chain: &Chain) -> Self::Target<'_>;
}

/// Exuvia as it is.
pub struct Plain;

impl Build for Plain {
    type Target<'c> = Records<'c, Process, Process, Process>;

    fn target(process: Process, chain: &Chain) -> Self::Target<'_> {
        Records::new(chain, process.clone(), process.clone(), process, 3).in_chunks(CHUNK)
    }
}

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

/// What a runner is asked to do.
#[derive(Clone, Debug)]
pub enum Ask {
    /// By the build of this index.
    Migrate(usize, bool),
    Import(usize, Rc<str>, Merge),
    Restore(usize, String),
}

impl Ask {
    fn build(&self) -> usize {
        match self {
            Ask::Migrate(build, _) | Ask::Import(build, ..) | Ask::Restore(build, _) => *build,
        }
    }

    fn is_deed(&self) -> bool {
        !matches!(self, Ask::Migrate(..))
    }
}

/// What an actor came back with.
enum Answer {
    Ran(Ask, Box<Result<Status>>),
    Wrote(Result<()>),
}

/// The data at rest: the head of the line it has run, and everything but the control key and markers.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Form {
    head: String,
    data: BTreeMap<String, String>,
    /// Whether a deed has been done to it.
    done: bool,
}

impl Form {
    /// Without residues.
    fn records(&self) -> BTreeMap<String, String> {
        let kept = self.data.iter().filter(|(key, _)| !key.starts_with("exuvia"));
        kept.map(|(key, text)| (key.clone(), text.clone())).collect()
    }
}

/// What scenarios came through, to see that nothing is left out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub scenarios: u64,
    pub operations: u64,
    pub deaths: u64,
    pub torn: u64,
    pub slept: u64,
    pub hiccups: u64,
    pub rotten: u64,
    pub forgotten: u64,
    pub writes: u64,
    pub committed: u64,
    pub refused: u64,
    pub stuck: u64,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.scenarios += other.scenarios;
        self.operations += other.operations;
        self.deaths += other.deaths;
        self.torn += other.torn;
        self.slept += other.slept;
        self.hiccups += other.hiccups;
        self.rotten += other.rotten;
        self.forgotten += other.forgotten;
        self.writes += other.writes;
        self.committed += other.committed;
        self.refused += other.refused;
        self.stuck += other.stuck;
    }
}

/// What was violated, and the operations before.
#[derive(Debug)]
pub struct Violation {
    pub what: String,
    pub trace: Vec<String>,
}

type Verdict<T = ()> = std::result::Result<T, String>;

type Task<'w> = Pin<Box<dyn Future<Output = Answer> + 'w>>;

/// What comes of a migration by a build where nothing goes wrong: by world, head, data and build, the head and the data.
pub type Memory =
    RefCell<HashMap<(&'static str, String, BTreeMap<String, String>, usize), (String, BTreeMap<String, String>)>>;

/// A scenario under way.
pub struct Storm<'w, B> {
    world: &'w World,
    memory: &'w Memory,
    pub machine: Rc<Machine>,
    rng: Rng,
    weather: Weather,
    tasks: BTreeMap<usize, Task<'w>>,
    asks: Vec<Ask>,
    allowed: Vec<Form>,
    /// All that was allowed at some time.
    history: Vec<Form>,
    processes: usize,
    writers: Vec<usize>,
    asleep: Option<(usize, u32)>,
    /// Runners that go on without the lock.
    late: Vec<usize>,
    hiccups: u32,
    /// Whether the vault lost something in this round.
    rotten: bool,
    /// Snapshots that were damaged.
    spoilt: BTreeSet<String>,
    forgotten: bool,
    done: bool,
    tally: Tally,
    trace: Option<Vec<String>>,
    under_test: std::marker::PhantomData<B>,
}

/// Runs the scenario of a seed.
pub fn storm<B: Build>(
    worlds: &[World],
    memory: &Memory,
    seed: u64,
    traced: bool,
) -> std::result::Result<Tally, Violation> {
    let mut rng = Rng::with_seed(seed);
    let world = &worlds[rng.usize(..worlds.len())];
    let weather = Weather::of(&mut rng);
    let mut storm = Storm::<B>::new(world, memory, rng, weather, traced);
    match storm.rage() {
        Ok(()) => Ok(storm.tally),
        Err(what) => Err(Violation { what, trace: storm.trace.unwrap_or_default() }),
    }
}

impl<'w, B: Build> Storm<'w, B> {
    pub fn new(world: &'w World, memory: &'w Memory, mut rng: Rng, weather: Weather, traced: bool) -> Self {
        let machine = Rc::new(Machine::default());
        // Of few stores, so that what comes of them is known.
        machine.stored.replace(world.store(&mut Rng::with_seed(rng.u64(..STORES))));
        let mut storm = Self {
            world,
            memory,
            machine,
            rng,
            weather,
            tasks: BTreeMap::new(),
            asks: Vec::new(),
            allowed: Vec::new(),
            history: Vec::new(),
            processes: 0,
            writers: Vec::new(),
            asleep: None,
            late: Vec::new(),
            hiccups: 0,
            rotten: false,
            spoilt: BTreeSet::new(),
            forgotten: false,
            done: false,
            tally: Tally { scenarios: 1, ..Tally::default() },
            trace: traced.then(Vec::new),
            under_test: std::marker::PhantomData,
        };
        let weather = format!("{}: {:?}", world.name, storm.weather);
        storm.note(|| weather);
        storm
    }

    fn rage(&mut self) -> Verdict {
        for round in 0..1 + self.rng.usize(..3) {
            self.note(|| format!("round {round}"));
            self.begin();
            self.go_on()?;
            if self.calm_down()? {
                return Ok(());
            }
        }
        self.asks = vec![Ask::Migrate(self.world.tip(), true)];
        self.allow(self.reachable());
        self.settle(self.world.tip(), true).map(drop)
    }

    /// Chooses who takes part, and what they want.
    fn begin(&mut self) {
        self.hiccups = self.weather.hiccups;
        (self.rotten, self.forgotten, self.done) = (false, false, false);
        let tip = self.world.tip();
        let mut asks = Vec::new();
        for _ in 0..self.weather.runners {
            let build = if self.weather.builds { self.rng.usize(..=tip) } else { tip };
            asks.push(Ask::Migrate(build, self.rng.u8(..4) == 0));
        }
        if self.weather.deeds
            && let Some(deed) = self.deed()
        {
            asks[0] = deed;
        }
        self.asks = asks.clone();
        // Whoever settles it after the storm.
        self.asks.push(Ask::Migrate(tip, true));
        self.allow(self.reachable());
        if self.weather.tight {
            let stored = self.machine.stored.borrow();
            let used = stored.iter().map(|(key, text)| (key.len() + text.len()) as u64).sum::<u64>();
            let head = if stored.contains_key("exuvia") { 0 } else { 17_000 };
            self.machine.quota.set(Some(used + head + self.rng.u64(..3_000)));
        }
        self.machine.damage.set(self.weather.damage.then(|| DAMAGES[self.rng.usize(..DAMAGES.len())]));
        self.machine.schedule.replace(Some(Schedule::default()));
        for ask in asks {
            self.start(ask);
        }
        for _ in 0..self.weather.writers {
            self.start_writer();
        }
    }

    /// An import or a restore that makes sense now.
    fn deed(&mut self) -> Option<Ask> {
        let tip = self.world.tip();
        let build = &self.world.builds[tip];
        let records = Plain::target(self.machine.process(), build);
        let snapshots = block_on(records.snapshots()).unwrap();
        if !snapshots.is_empty() && self.rng.bool() {
            return Some(Ask::Restore(tip, snapshots[self.rng.usize(..snapshots.len())].id.clone()));
        }
        // What another installation has.
        let other = Rc::new(Machine::default());
        other.stored.replace(self.world.store(&mut Rng::with_seed(self.rng.u64(..STORES))));
        let exporting = &self.world.builds[self.rng.usize(..=tip)];
        let records = Plain::target(other.process(), exporting);
        block_on(run(&records, exporting, Request::Migrate { retry: false })).unwrap();
        let mut file = Export(String::new());
        block_on(records.export(&mut file)).unwrap();
        let merge = [Merge::Replace, Merge::Keep, Merge::Take][self.rng.usize(..3)];
        Some(Ask::Import(tip, file.0.into(), merge))
    }

    fn start(&mut self, ask: Ask) {
        self.processes += 1;
        let number = self.processes;
        self.note(|| format!("{number} starts: {}", named(&ask)));
        let process = self.machine.numbered(number);
        let build = &self.world.builds[ask.build()];
        let task = async move {
            let answer = carry_out::<B>(process, build, &ask).await;
            Answer::Ran(ask, Box::new(answer))
        };
        self.tasks.insert(number, Box::pin(task));
        self.poll(number);
    }

    fn start_writer(&mut self) {
        self.processes += 1;
        let number = self.processes;
        self.note(|| format!("{number} starts: write"));
        self.writers.push(number);
        // Nobody reads back what the app writes.
        let process = self.machine.numbered(number).spared();
        let tip = &self.world.builds[self.world.tip()];
        let head = tip.lock().line.last().map(|link| link.head.clone()).unwrap_or_default();
        let choice = self.rng.usize(..);
        self.tasks.insert(number, Box::pin(async move { Answer::Wrote(write(process, &head, choice).await) }));
        self.poll(number);
    }

    /// Everything that can happen, in the seed's order, until nobody is left.
    fn go_on(&mut self) -> Verdict {
        for _ in 0..20_000 {
            if self.tasks.is_empty() {
                return Ok(());
            }
            self.strike()?;
            let (ready, blocked) = {
                let schedule = self.machine.schedule.borrow();
                let schedule = schedule.as_ref().expect("a storm has a schedule");
                (schedule.ready(), schedule.blocked())
            };
            let ready = self.open_to(ready);
            // Now and then one gives up waiting for the lock, and always when nothing else can happen.
            let gives_up = ready.is_empty() || self.rng.u32(..400) == 0;
            match blocked.first().filter(|_| gives_up) {
                Some((ticket, operation)) => self.happen(*ticket, operation, Fate::Fails(false))?,
                None if ready.is_empty() => return self.end_of_tasks(),
                None => {
                    let (ticket, operation) = &ready[self.rng.usize(..ready.len())];
                    let fate = self.fate(operation);
                    self.happen(*ticket, operation, fate)?;
                }
            }
        }
        Err("the processes do not come to an end".into())
    }

    fn end_of_tasks(&self) -> Verdict {
        match self.tasks.is_empty() {
            true => Ok(()),
            false => Err("a process waits for nothing".into()),
        }
    }

    fn fate(&mut self, operation: &Operation) -> Fate {
        if operation.wants == Wants::Nothing && self.hiccups > 0 && self.rng.u32(..50) == 0 {
            self.hiccups -= 1;
            self.tally.hiccups += 1;
            return Fate::Fails(self.rng.bool());
        }
        Fate::Happens
    }

    fn happen(&mut self, ticket: u64, operation: &Operation, fate: Fate) -> Verdict {
        self.tally.operations += 1;
        self.note(|| format!("{} {} {:?} {fate:?}", operation.process, operation.name, operation.keys));
        if let Some(schedule) = &mut *self.machine.schedule.borrow_mut() {
            schedule.decide(ticket, fate);
        }
        let writes = self.writers.contains(&operation.process) && matches!(operation.name, "set" | "remove");
        let was_open = !writes || self.form().is_some();
        self.poll(operation.process);
        let landed = matches!(fate, Fate::Happens | Fate::Sleeps | Fate::Fails(true));
        if writes && landed {
            if !was_open {
                return Err(format!("a write of {:?} was let in while the gate was shut", operation.keys));
            }
            self.tally.writes += 1;
            self.allow(self.reachable());
        }
        // Only writes change what is there.
        if matches!(operation.name, "set" | "remove") { self.check() } else { Ok(()) }
    }

    /// Lets a process go on after what happened to it.
    fn poll(&mut self, number: usize) {
        let Some(task) = self.tasks.get_mut(&number) else { return };
        let Poll::Ready(answer) = task.as_mut().poll(&mut Context::from_waker(Waker::noop())) else { return };
        self.tasks.remove(&number);
        self.note(|| match &answer {
            Answer::Ran(_, answer) => match &**answer {
                Ok(status) => format!("{number} ends: {:?} at {}", status.state, status.version),
                Err(error) => format!("{number} ends: {}: {error}", error.kind().name()),
            },
            Answer::Wrote(Ok(())) => format!("{number} ends: written"),
            Answer::Wrote(Err(error)) => format!("{number} ends: not written: {error}"),
        });
        if let Answer::Ran(ask, answer) = answer {
            self.done |= ask.is_deed() && answer.is_ok();
        }
    }

    /// What the weather does between two operations.
    fn strike(&mut self) -> Verdict {
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
    fn kill(&mut self, victim: usize) -> Verdict {
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
    fn rot(&mut self) {
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
    fn forget(&mut self) {
        if self.machine.stored.borrow_mut().remove("exuvia").is_some() {
            self.forgotten = true;
            self.tally.forgotten += 1;
            self.note(|| "the control key vanishes".to_owned());
        }
    }

    /// The runner that has the lock loses it and falls asleep: what it sent arrives, and it hears of that when it wakes.
    fn doze(&mut self) {
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

    fn sent_by(&self, process: usize) -> Vec<(u64, Operation)> {
        let schedule = self.machine.schedule.borrow();
        let ready = schedule.as_ref().expect("a storm has a schedule").ready();
        ready.into_iter().filter(|(_, operation)| operation.process == process).collect()
    }

    /// What may happen next. Sleepers wait; what a runner without the lock has sent arrives before anything else does.
    fn open_to(&mut self, mut ready: Vec<(u64, Operation)>) -> Vec<(u64, Operation)> {
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

    /// What stands in the store while the gate is open.
    fn form(&self) -> Option<Form> {
        let stored = self.machine.stored.borrow();
        let control = stored.get("exuvia");
        if control.is_some_and(|control| control.contains("\"run\":{") || control.contains("\"lost\":true")) {
            return None;
        }
        Some(form_of(&self.machine))
    }

    /// The gate is open only over data that is whole.
    fn check(&self) -> Verdict {
        if self.forgotten && !self.machine.stored.borrow().contains_key("exuvia") {
            return Ok(());
        }
        let Some(form) = self.form() else { return Ok(()) };
        let fits = |allowed: &Form| match !self.spoilt.is_empty() {
            // What is told from half-written data comes with residues more, which by the laws lead to the same place.
            true => same(allowed, &form) || allowed.head == form.head && same_data(&allowed.records(), &form.records()),
            false => same(allowed, &form),
        };
        match self.allowed.iter().any(|allowed| fits(allowed) && (allowed.done || !self.done)) {
            true => Ok(()),
            false => Err(format!("the gate is open over data that nobody meant: {}", self.difference(&form))),
        }
    }

    fn difference(&self, form: &Form) -> String {
        let mut text = format!("\nhead {}", form.head);
        for (key, value) in &form.data {
            text.push_str(&format!("\n  {key} = {value}"));
        }
        for allowed in &self.allowed {
            text.push_str(&format!("\nallowed, head {}{}", allowed.head, if allowed.done { ", done" } else { "" }));
            let keys = allowed.data.keys().chain(form.data.keys());
            for key in keys.collect::<BTreeSet<_>>() {
                let (meant, found) = (allowed.data.get(key), form.data.get(key));
                if !equal(meant, found) {
                    text.push_str(&format!("\n  {key}: meant {meant:?}, found {found:?}"));
                }
            }
        }
        text
    }

    fn allow(&mut self, forms: Vec<Form>) {
        self.history.extend(forms.iter().cloned());
        self.allowed = forms;
    }

    /// All that the data at rest may become by what was asked, each deed done once at most.
    fn reachable(&self) -> Vec<Form> {
        self.reachable_from(vec![Form { done: self.done, ..form_of(&self.machine) }])
    }

    fn reachable_from(&self, mut forms: Vec<Form>) -> Vec<Form> {
        let mut index = 0;
        while index < forms.len() {
            for ask in &self.asks {
                if ask.is_deed() && forms[index].done {
                    continue;
                }
                if let Some(next) = self.outcome(&forms[index], ask)
                    && !forms.contains(&next)
                {
                    forms.push(next);
                }
            }
            index += 1;
        }
        forms
    }

    /// What comes of an ask where nothing goes wrong.
    fn outcome(&self, form: &Form, ask: &Ask) -> Option<Form> {
        let build = &self.world.builds[ask.build()];
        let known = (self.world.name, form.head.clone(), form.data.clone(), ask.build());
        if !ask.is_deed()
            && let Some((head, data)) = self.memory.borrow().get(&known)
        {
            return Some(Form { head: head.clone(), data: data.clone(), done: form.done });
        }
        let machine = self.machine.copy();
        machine.stored.replace(form.data.clone());
        if !form.head.is_empty() {
            machine.stored.borrow_mut().insert("exuvia".into(), self.head_text(&form.head));
            let whole = &self.world.builds[self.world.tip()];
            block_on(Plain::target(machine.process(), whole).keep(whole)).unwrap();
        } else if let Ask::Migrate(..) = ask {
            machine.mirror.replace(None);
        }
        block_on(carry_out::<Plain>(machine.process(), build, ask)).ok()?;
        let next = Form { done: form.done || ask.is_deed(), ..form_of(&machine) };
        if !ask.is_deed() {
            self.memory.borrow_mut().insert(known, (next.head.clone(), next.data.clone()));
        }
        Some(next)
    }

    fn head_text(&self, head: &str) -> String {
        let line = self.world.builds[self.world.tip()].lock().line;
        let length = line.iter().position(|link| link.head == head).map_or(0, |index| index + 1);
        let line = line[..length].to_vec().to_json();
        format!(r#"{{"format":1,"version":{length},"head":"{head}","line":{line},"epoch":1}}"#)
    }

    /// After the storm everything comes to rest by itself. Answers whether the scenario ends here.
    fn calm_down(&mut self) -> Verdict<bool> {
        self.machine.schedule.replace(None);
        let build =
            if self.weather.builds { self.asks[self.rng.usize(..self.asks.len())].build() } else { self.world.tip() };
        self.settle(build, false)
    }

    fn settle(&mut self, build: usize, last: bool) -> Verdict<bool> {
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
    fn open(&mut self, build: usize, retry: bool) -> Verdict<Status> {
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
    fn recover(&mut self, build: usize) -> Verdict<bool> {
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
                match self.history.iter().any(|form| same_data(&form.data, &data)) {
                    true => Ok(true),
                    false => Err("data that nobody knows was restored to what it never was".into()),
                }
            }
            Err(error) => Err(format!("data that nobody knows cannot be restored: {error}")),
        }
    }

    /// Each snapshot that the vault keeps is one of the forms that the data has had.
    fn check_snapshots(&self, status: &Status) -> Verdict {
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

    fn note(&mut self, text: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(text());
        }
    }
}

/// Writes that land damaged, under one key each.
const DAMAGES: [Damage; 4] = [
    |key, text| (key == "conversation:b").then(|| text.replace("hi", "ho").replace("title", "tit1e")),
    |key, text| (key == "user_preferences").then(|| text.replace("dark", "light")),
    |key, text| (key == "deck").then(|| text.replace('s', "z")),
    |key, _| (key == "settings").then(|| "{}".to_owned()),
];

fn named(ask: &Ask) -> String {
    match ask {
        Ask::Import(build, _, merge) => format!("import {merge:?} by build {build}"),
        ask => format!("{ask:?}"),
    }
}

/// What a runner does with an ask.
async fn carry_out<B: Build>(process: Process, chain: &Chain, ask: &Ask) -> Result<Status> {
    let records = Plain::target(process.clone(), chain);
    let request = match ask {
        Ask::Migrate(_, retry) => Request::Migrate { retry: *retry },
        Ask::Import(_, file, merge) => {
            let staged = records.stage(Text(Some(file.as_bytes().to_vec()))).await?;
            Request::Import { staged, merge: *merge }
        }
        Ask::Restore(_, id) => {
            let (seal, line) = records.find_snapshot(id).await?;
            Request::Restore { seal, line }
        }
    };
    run(&B::target(process, chain), chain, request).await
}

/// What the package's `write` does, around an edit that every version takes: an unknown member more.
async fn write(process: Process, head: &str, choice: usize) -> Result<()> {
    let _held = process.share().await?;
    let control = process.get(&["exuvia".to_owned()]).await?;
    let settled = |text: &str| {
        text.contains(&format!("\"head\":\"{head}\"")) && !text.contains("\"run\":{") && !text.contains("\"lost\":true")
    };
    if !control.first().is_some_and(|(_, text)| settled(text)) {
        return Err(Error::new(ErrorKind::Busy, "the gate is shut"));
    }
    let keys: Vec<_> = process.keys().await?.into_iter().filter(|key| !key.starts_with("exuvia")).collect();
    if keys.is_empty() {
        return Ok(());
    }
    let key = keys[choice % keys.len()].clone();
    if choice.is_multiple_of(5) && key.contains(':') {
        return process.remove(&[key]).await;
    }
    let Some((_, text)) = process.get(std::slice::from_ref(&key)).await?.into_iter().next() else { return Ok(()) };
    let member = format!("{{\"w{}\":0", choice % 3);
    let edited = match text.find('{') {
        Some(at) if text[at + 1..].trim_start().starts_with('}') => {
            format!("{}{member}{}", &text[..at], &text[at + 1..])
        }
        Some(at) if !text.contains(&member[1..]) => format!("{}{member},{}", &text[..at], &text[at + 1..]),
        _ => text,
    };
    process.set(vec![(key, edited)]).await
}

fn form_of(machine: &Machine) -> Form {
    let stored = machine.stored.borrow();
    let head = stored.get("exuvia").and_then(|text| text.split_once("\"head\":\"")).map_or("", |(_, rest)| rest);
    let head = head.split('"').next().unwrap_or_default().to_owned();
    // An empty residue is none.
    let kept = stored.iter().filter(|(key, text)| {
        *key != "exuvia"
            && !key.starts_with("exuvia:b:")
            && !key.starts_with("exuvia:c:")
            && !key.starts_with("exuvia:s:")
            && key.strip_prefix("exuvia:r:").is_none_or(|record| *text != "{}" && is_there(&stored, record))
    });
    Form { head, data: kept.map(|(key, text)| (key.clone(), text.clone())).collect(), done: false }
}

/// Whether there is a record for this residue. One whose record was deleted says nothing any more, and may be swept.
fn is_there(stored: &BTreeMap<String, String>, residue: &str) -> bool {
    let Some((collection, key)) = residue.split_once(':') else { return true };
    let (own, inside) = (format!(":{key}"), format!("\"{key}\""));
    let data = || stored.iter().filter(|(name, _)| !name.starts_with("exuvia"));
    collection == key || data().any(|(name, text)| name.ends_with(&own) || text.contains(&inside))
}

fn same(one: &Form, other: &Form) -> bool {
    one.head == other.head && same_data(&one.data, &other.data)
}

fn same_data(one: &BTreeMap<String, String>, other: &BTreeMap<String, String>) -> bool {
    let equals =
        |(one, other): ((&String, &String), (&String, &String))| one.0 == other.0 && equal(Some(one.1), Some(other.1));
    one.len() == other.len() && one.iter().zip(other).all(equals)
}

fn equal(one: Option<&String>, other: Option<&String>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one == other || Value::parse(one).unwrap() == Value::parse(other).unwrap(),
        (None, None) => true,
        _ => false,
    }
}

struct Text(Option<Vec<u8>>);

impl Bytes for Text {
    async fn next(&mut self) -> Result<Vec<u8>> {
        Ok(self.0.take().unwrap_or_default())
    }
}

struct Export(String);

impl Sink for Export {
    fn take(&mut self, text: &str) -> Result<()> {
        self.0.push_str(text);
        Ok(())
    }
}
