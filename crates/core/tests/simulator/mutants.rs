//! Protocols that are broken on purpose: the simulator must catch each, or it proves nothing of the one that is not.

use std::cell::RefCell;
use std::rc::Rc;

use exuvia_core::Result;
use exuvia_core::chain::{Chain, Route};
use exuvia_core::protocol::{Found, Head, Phase, Progress, Run, Seal, Source, Target};
use exuvia_core::records::{Records, Shape, Store};

use crate::machine::{Held, Process};
use crate::storm::{Build, Plain};

type Sound<'c> = Records<'c, Process, Process, Process>;

/// What is done wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The version changes before the data does.
    VersionFirst,
    /// A snapshot is taken for whole without a look.
    NothingVerified,
    /// What was written is not read back.
    NothingValidated,
    /// The old form is removed before the new one is written.
    RemoveFirst,
    /// The gate opens before what only the old form needed is gone.
    OpenBeforeSweep,
    /// A restore adds what was there, and leaves what came later.
    RestoreMerges,
    /// The snapshot of a committed run is let go of at once.
    SnapshotDropped,
    /// A run that died half-way is forgotten, as if nothing had been written.
    RunForgotten,
    /// The way back of a run is noted as done before it is gone.
    BackForgotten,
}

/// The protocol's operations, one of them wrong.
pub struct Mutant<'c> {
    sound: Sound<'c>,
    process: Process,
    fault: Fault,
}

impl Mutant<'_> {
    fn committed(head: &Head, run: &Run) -> Head {
        Head {
            head: run.to_line.last().map(|link| link.head.clone()).unwrap_or_default(),
            line: run.to_line.clone(),
            ..head.clone()
        }
    }
}

impl Target for Mutant<'_> {
    type Guard = Held;

    async fn acquire(&self) -> Result<Held> {
        self.sound.acquire().await
    }

    async fn find(&self) -> Result<Found> {
        let found = self.sound.find().await?;
        match found {
            Found::Marked(head)
                if self.fault == Fault::RunForgotten && head.run.as_ref().is_some_and(|run| run.phase == Phase::Up) =>
            {
                Ok(Found::Marked(Box::new(Head { run: None, ..*head })))
            }
            found => Ok(found),
        }
    }

    async fn put(&self, head: &Head) -> Result<()> {
        match (&head.run, self.fault) {
            (Some(run), Fault::VersionFirst) if run.phase == Phase::Up => {
                self.sound.put(&Self::committed(head, run)).await
            }
            (Some(run), Fault::OpenBeforeSweep) if run.phase == Phase::Sweep => {
                self.sound.put(&Head { run: None, ..head.clone() }).await?;
                self.sound.put(head).await
            }
            (Some(run), Fault::BackForgotten) if run.phase == Phase::Back => {
                self.sound.put(&Head { run: None, ..head.clone() }).await?;
                self.sound.put(head).await
            }
            _ => self.sound.put(head).await,
        }
    }

    async fn chains(&self) -> Result<Vec<String>> {
        self.sound.chains().await
    }

    async fn keep(&self, chain: &Chain) -> Result<String> {
        self.sound.keep(chain).await
    }

    async fn inspect(&self, run: &mut Run, route: &Route<'_>) -> Result<()> {
        self.sound.inspect(run, route).await
    }

    async fn capture(&self, run: &mut Run, route: &Route<'_>) -> Result<Seal> {
        self.sound.capture(run, route).await
    }

    async fn recapture(&self, run: &Run, route: &Route<'_>) -> Result<Seal> {
        self.sound.recapture(run, route).await
    }

    async fn verify(&self, seal: &Seal) -> Result<bool> {
        match self.fault {
            Fault::NothingVerified => Ok(true),
            _ => self.sound.verify(seal).await,
        }
    }

    async fn apply(&self, run: &Run, route: &Route<'_>) -> Result<()> {
        if self.fault == Fault::RemoveFirst && run.source == Source::Chain {
            self.sound.sweep(&Run { phase: Phase::Sweep, ..run.clone() }, route).await?;
        }
        self.sound.apply(run, route).await
    }

    async fn validate(&self, run: &Run, route: &Route<'_>) -> Result<()> {
        match self.fault {
            Fault::NothingValidated => Ok(()),
            _ => self.sound.validate(run, route).await,
        }
    }

    async fn restore(&self, run: &Run, route: &Route<'_>) -> Result<()> {
        let before = self.process.machine.stored.borrow().clone();
        self.sound.restore(run, route).await?;
        if self.fault == Fault::RestoreMerges {
            let mut stored = self.process.machine.stored.borrow_mut();
            for (key, text) in before {
                stored.entry(key).or_insert(text);
            }
        }
        Ok(())
    }

    async fn sweep(&self, run: &Run, route: &Route<'_>) -> Result<()> {
        self.sound.sweep(run, route).await
    }

    fn damage(&self) -> Vec<String> {
        self.sound.damage()
    }

    async fn retain(&self, run: &Run) -> Result<()> {
        if self.fault == Fault::SnapshotDropped {
            self.process.machine.manifests.borrow_mut().clear();
        }
        self.sound.retain(run).await
    }

    fn now(&self) -> i64 {
        self.sound.now()
    }

    fn token(&self) -> String {
        self.sound.token()
    }

    fn progress(&self, run: &Run, progress: Progress) {
        self.sound.progress(run, progress);
    }
}

/// A build for each fault: types, since a scenario is run by a type.
macro_rules! mutants {
    ($($name:ident),* $(,)?) => {
        $(
            pub struct $name;

            impl Build for $name {
                type Target<'c> = Mutant<'c>;

                fn target(process: Process, chain: &Chain) -> Mutant<'_> {
                    Mutant { sound: Plain::target(process.clone(), chain), process, fault: Fault::$name }
                }
            }
        )*
    };
}

mutants!(
    VersionFirst,
    NothingVerified,
    NothingValidated,
    RemoveFirst,
    OpenBeforeSweep,
    RestoreMerges,
    SnapshotDropped,
    RunForgotten,
    BackForgotten,
);

/// A store that does one thing wrong on the way to the machine.
#[derive(Clone)]
pub struct Bent {
    process: Process,
    bend: Bend,
    /// The control key as this process wrote it last.
    own: Rc<RefCell<Option<String>>>,
}

/// What a store does wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Bend {
    /// The runner hears of its own token, whoever has taken over.
    TokenIgnored,
    /// The marker of a batch is written after it.
    MarkerApart,
    /// No marker is written.
    NoMarkers,
    /// Residues are written after their records.
    ResidueApart,
}

impl Store for Bent {
    type Value = String;

    async fn keys(&self) -> Result<Vec<String>> {
        self.process.keys().await
    }

    async fn get(&self, keys: &[String]) -> Result<Vec<(String, String)>> {
        let mut found = self.process.get(keys).await?;
        if self.bend == Bend::TokenIgnored
            && let (Some(own), Some((key, text))) = (&*self.own.borrow(), found.first_mut())
            && key == "exuvia"
        {
            own.clone_into(text);
        }
        Ok(found)
    }

    async fn set(&self, entries: Vec<(String, String)>) -> Result<()> {
        if let [(key, text)] = &*entries
            && key == "exuvia"
        {
            self.own.replace(Some(text.clone()));
        }
        let prefix = match self.bend {
            Bend::MarkerApart | Bend::NoMarkers => "exuvia:b:",
            Bend::ResidueApart => "exuvia:r:",
            Bend::TokenIgnored => return self.process.set(entries).await,
        };
        let (apart, entries): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(key, _)| key.starts_with(prefix));
        if !entries.is_empty() {
            self.process.set(entries).await?;
        }
        match apart.is_empty() || self.bend == Bend::NoMarkers {
            true => Ok(()),
            false => self.process.set(apart).await,
        }
    }

    async fn remove(&self, keys: &[String]) -> Result<()> {
        self.process.remove(keys).await
    }

    async fn room(&self) -> Result<Option<u64>> {
        self.process.room().await
    }

    async fn bytes(&self, keys: &[String]) -> Result<Option<u64>> {
        self.process.bytes(keys).await
    }

    fn read(&self, value: &String) -> Result<String> {
        self.process.read(value)
    }

    fn write(&self, text: &str) -> Result<String> {
        self.process.write(text)
    }

    fn shape(&self, value: &String) -> Shape {
        self.process.shape(value)
    }

    fn slice(&self, value: &String, start: usize, budget: usize) -> Result<(String, usize)> {
        self.process.slice(value, start, budget)
    }

    fn extend(&self, value: &mut String, text: &str) -> Result<()> {
        self.process.extend(value, text)
    }

    fn reorder(&self, value: &mut String, order: &[u32]) {
        self.process.reorder(value, order);
    }
}

macro_rules! bent {
    ($($name:ident),* $(,)?) => {
        $(
            pub struct $name;

            impl Build for $name {
                type Target<'c> = Records<'c, Bent, Process, Process>;

                fn target(process: Process, chain: &Chain) -> Self::Target<'_> {
                    let store = Bent { process: process.clone(), bend: Bend::$name, own: Rc::default() };
                    Records::new(chain, store, process.clone(), process, 3).in_chunks(crate::storm::CHUNK)
                }
            }
        )*
    };
}

bent!(TokenIgnored, MarkerApart, NoMarkers, ResidueApart);
