//! What processes are asked to do, and how they do it.

use std::rc::Rc;

use exuvia_core::chain::Chain;
use exuvia_core::protocol::{Merge, Request, Status, run};
use exuvia_core::records::{Bytes, Sink, Store};
use exuvia_core::{Error, ErrorKind, Result};
use fastrand::Rng;
use pollster::block_on;

use super::{Build, Plain, STORES, Storm};
use crate::machine::{Machine, Process};

/// What a runner is asked to do.
#[derive(Clone, Debug)]
pub enum Ask {
    /// By the build of this index.
    Migrate(usize, bool),
    Import(usize, Rc<str>, Merge),
    Restore(usize, String),
}

impl Ask {
    pub(super) fn build(&self) -> usize {
        match self {
            Ask::Migrate(build, _) | Ask::Import(build, ..) | Ask::Restore(build, _) => *build,
        }
    }

    pub(super) fn is_deed(&self) -> bool {
        !matches!(self, Ask::Migrate(..))
    }
}

/// What an actor came back with.
pub(super) enum Answer {
    Ran(Ask, Box<Result<Status>>),
    Wrote(Result<()>),
}

pub(super) fn named(ask: &Ask) -> String {
    match ask {
        Ask::Import(build, _, merge) => format!("import {merge:?} by build {build}"),
        ask => format!("{ask:?}"),
    }
}

/// What a runner does with an ask.
pub(super) async fn carry_out<B: Build>(process: Process, chain: &Chain, ask: &Ask) -> Result<Status> {
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
pub(super) async fn write(process: Process, head: &str, choice: usize) -> Result<()> {
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

pub(super) struct Text(Option<Vec<u8>>);

impl Bytes for Text {
    async fn next(&mut self) -> Result<Vec<u8>> {
        Ok(self.0.take().unwrap_or_default())
    }
}

pub(super) struct Export(String);

impl Sink for Export {
    fn take(&mut self, text: &str) -> Result<()> {
        self.0.push_str(text);
        Ok(())
    }
}

impl<'w, B: Build> Storm<'w, B> {
    /// An import or a restore that makes sense now.
    pub(super) fn deed(&mut self) -> Option<Ask> {
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

    pub(super) fn start(&mut self, ask: Ask) {
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

    pub(super) fn start_writer(&mut self) {
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
}
