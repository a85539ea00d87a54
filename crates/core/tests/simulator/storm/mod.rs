//! One scenario: processes on one machine, in an order and with faults that follow from a seed, and what must hold.

mod asks;
mod calm;
mod oracle;
mod weather;

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use asks::{Answer, Ask};
use exuvia_core::chain::Chain;
use exuvia_core::protocol::Target;
use exuvia_core::records::Records;
use fastrand::Rng;
use oracle::Form;
pub use oracle::Memory;
use weather::{DAMAGES, Weather};

use crate::machine::{Fate, Machine, Operation, Process, Schedule};
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

    fn note(&mut self, text: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(text());
        }
    }
}
