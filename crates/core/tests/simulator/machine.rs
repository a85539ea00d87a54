//! A store and a vault in memory that die, tear, fill up and rot where a test says so.
//!
//! Without a schedule every operation happens at once. With one it waits until the schedule names its fate.

#![allow(dead_code, reason = "each of the test programs that share it needs a part")]

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::task::Poll;

use exuvia_core::document::Value;
use exuvia_core::protocol::{Progress, Stage};
use exuvia_core::records::{Host, Shape, Store, Vault};
use exuvia_core::{Error, ErrorKind, Result};

/// The machine: what survives a process, and how long the process lives.
#[derive(Default)]
pub struct Machine {
    pub stored: RefCell<BTreeMap<String, String>>,
    pub sealed: RefCell<BTreeMap<String, Vec<u8>>>,
    pub manifests: RefCell<BTreeMap<String, String>>,
    pub mirror: RefCell<Option<String>>,
    /// Operations until the process dies; `None`: it lives.
    pub fuel: Cell<Option<usize>>,
    pub operations: Cell<usize>,
    /// Whether the `set` in which the process dies leaves half of its keys written.
    pub torn: Cell<bool>,
    /// Bytes that may be stored.
    pub quota: Cell<Option<u64>>,
    /// The most bytes that were stored at a time.
    pub peak: Cell<u64>,
    /// Bytes that the vault may keep.
    pub vault_quota: Cell<Option<u64>>,
    /// The most bytes that the vault kept at a time.
    pub vault_peak: Cell<u64>,
    /// Damages a value on its way into the store.
    pub damage: Cell<Option<Damage>>,
    /// Whether the vault refuses to let go of anything.
    pub clinging: Cell<bool>,
    pub clock: Cell<i64>,
    pub tokens: Cell<u64>,
    pub stages: RefCell<Vec<Stage>>,
    /// Keys whose values are corrupt: a read that asks for any of them fails.
    pub unreadable: RefCell<BTreeSet<String>>,
    /// Bytes of the longest text that crossed between store and core.
    pub crossed: Cell<usize>,
    pub schedule: RefCell<Option<Schedule>>,
}

/// A key and the text that it gets instead.
pub type Damage = fn(&str, &str) -> Option<String>;

/// What becomes of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It happens, and the process hears of it.
    Happens,
    /// The process dies of it. Of a `set`, so many keys are written.
    Kills(usize),
    /// It happens, and the process sleeps before it hears of it.
    Sleeps,
    /// It fails; whether it happened all the same is the flag.
    Fails(bool),
}

/// An operation that waits for its fate.
#[derive(Clone, Debug)]
pub struct Operation {
    pub process: usize,
    pub name: &'static str,
    pub keys: Vec<String>,
    pub wants: Wants,
    fate: Option<Fate>,
}

/// What must be free before an operation can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wants {
    Nothing,
    /// The lock, for itself.
    Alone,
    /// The lock, with others who share it.
    Shared,
}

/// Operations that wait, and who holds the lock.
#[derive(Default)]
pub struct Schedule {
    waiting: BTreeMap<u64, Operation>,
    named: u64,
    holders: Vec<(usize, Wants)>,
}

impl Schedule {
    /// The operations that can happen now, the oldest first.
    pub fn ready(&self) -> Vec<(u64, Operation)> {
        let free = |operation: &Operation| match operation.wants {
            Wants::Nothing => true,
            Wants::Alone => self.holders.is_empty(),
            Wants::Shared => self.holders.iter().all(|(_, held)| *held == Wants::Shared),
        };
        let open = self.waiting.iter().filter(|(_, operation)| operation.fate.is_none() && free(operation));
        open.map(|(ticket, operation)| (*ticket, operation.clone())).collect()
    }

    /// The operations that wait for the lock while somebody has it.
    pub fn blocked(&self) -> Vec<(u64, Operation)> {
        let wanting = self.waiting.iter().filter(|(_, operation)| operation.wants != Wants::Nothing);
        wanting.map(|(ticket, operation)| (*ticket, operation.clone())).collect()
    }

    pub fn decide(&mut self, ticket: u64, fate: Fate) {
        if let Some(operation) = self.waiting.get_mut(&ticket) {
            operation.fate = Some(fate);
            if operation.wants != Wants::Nothing && fate == Fate::Happens {
                self.holders.push((operation.process, operation.wants));
            }
        }
    }

    /// Takes the lock from the runner that has it, and names it.
    pub fn break_lock(&mut self) -> Option<usize> {
        let held = self.holders.iter().find(|(_, wants)| *wants == Wants::Alone).map(|(process, _)| *process);
        self.holders.retain(|(_, wants)| *wants != Wants::Alone);
        held
    }
}

/// A process on the machine. What it had begun dies with it.
#[derive(Clone)]
pub struct Process {
    pub machine: Rc<Machine>,
    pub number: usize,
    begun: Rc<RefCell<BTreeMap<String, Vec<u8>>>>,
    /// Whether its writes land as they are, whatever damages others.
    spared: bool,
}

fn died() -> Error {
    Error::new(ErrorKind::Fenced, "the process died")
}

/// The lock, until it is dropped.
pub struct Held {
    machine: Rc<Machine>,
    process: usize,
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(schedule) = &mut *self.machine.schedule.borrow_mut() {
            schedule.holders.retain(|(process, _)| *process != self.process);
        }
    }
}

/// Forgets an operation whose process is no more.
struct Ticket<'m>(&'m Machine, u64);

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        if let Some(schedule) = &mut *self.0.schedule.borrow_mut() {
            schedule.waiting.remove(&self.1);
        }
    }
}

impl Machine {
    pub fn holding(entries: &[(&str, &str)]) -> Rc<Self> {
        let machine = Rc::new(Self::default());
        machine.stored.replace(entries.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect());
        machine
    }

    /// The same disk in another machine, without faults or schedule.
    pub fn copy(&self) -> Rc<Self> {
        Rc::new(Self {
            stored: self.stored.clone(),
            sealed: self.sealed.clone(),
            manifests: self.manifests.clone(),
            mirror: self.mirror.clone(),
            clock: self.clock.clone(),
            vault_quota: self.vault_quota.clone(),
            tokens: Cell::new(self.tokens.get() + 1_000),
            ..Self::default()
        })
    }

    pub fn process(self: &Rc<Self>) -> Process {
        self.numbered(0)
    }

    pub fn numbered(self: &Rc<Self>, number: usize) -> Process {
        Process { machine: Rc::clone(self), number, begun: Rc::default(), spared: false }
    }

    /// What the store holds beside what is Exuvia's own.
    pub fn data(&self) -> BTreeMap<String, String> {
        let stored = self.stored.borrow();
        stored
            .iter()
            .filter(|(key, _)| !key.starts_with("exuvia"))
            .map(|(key, text)| (key.clone(), text.clone()))
            .collect()
    }

    pub fn own_keys(&self) -> Vec<String> {
        self.stored.borrow().keys().filter(|key| key.starts_with("exuvia")).cloned().collect()
    }

    /// How many byte strings the vault keeps.
    pub fn kept(&self) -> usize {
        self.sealed.borrow().len()
    }

    /// Bytes that the vault keeps, manifests among them.
    pub fn vault_bytes(&self) -> u64 {
        let texts = self.manifests.borrow().values().map(String::len).sum::<usize>();
        (texts + self.sealed.borrow().values().map(Vec::len).sum::<usize>()) as u64
    }

    /// Whether the vault has room for more bytes.
    fn take_in(&self, more: usize) -> Result<()> {
        let bytes = self.vault_bytes() + more as u64;
        if self.vault_quota.get().is_some_and(|quota| bytes > quota) {
            return Err(Error::new(ErrorKind::Quota, "the vault is full"));
        }
        self.vault_peak.set(self.vault_peak.get().max(bytes));
        Ok(())
    }

    /// Damages a byte of each snapshot that is sealed.
    pub fn rot(&self) {
        for bytes in self.sealed.borrow_mut().values_mut() {
            let middle = bytes.len() / 2;
            // A bit that flips twice would be whole again.
            bytes[middle] = bytes[middle].wrapping_add(1);
        }
    }

    /// Waits for an operation's fate.
    async fn turn(&self, process: usize, name: &'static str, keys: &[String], wants: Wants) -> Fate {
        self.operations.set(self.operations.get() + 1);
        let ticket = match &mut *self.schedule.borrow_mut() {
            None => return self.burn(),
            Some(schedule) => {
                schedule.named += 1;
                let operation = Operation { process, name, keys: keys.to_vec(), wants, fate: None };
                schedule.waiting.insert(schedule.named, operation);
                Ticket(self, schedule.named)
            }
        };
        poll_fn(|_| {
            let schedule = self.schedule.borrow();
            let fate = schedule.as_ref().and_then(|schedule| schedule.waiting.get(&ticket.1)?.fate);
            fate.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    /// The fate of an operation where there is no schedule.
    fn burn(&self) -> Fate {
        match self.fuel.get() {
            // Half of the keys, once: after that the dead write nothing.
            Some(0) if self.torn.replace(false) => Fate::Kills(usize::MAX),
            Some(0) => Fate::Kills(0),
            left => {
                self.fuel.set(left.map(|left| left - 1));
                Fate::Happens
            }
        }
    }
}

impl Process {
    /// One operation: it has its effect, or not, or fails, as its fate says. The effect is told of how many keys it is.
    async fn operate<T>(
        &self,
        name: &'static str,
        keys: &[String],
        failure: ErrorKind,
        effect: impl FnOnce(usize) -> Result<T>,
    ) -> Result<T> {
        match self.machine.turn(self.number, name, keys, Wants::Nothing).await {
            Fate::Happens => effect(keys.len()),
            Fate::Sleeps => {
                let result = effect(keys.len());
                self.machine.turn(self.number, "hear", keys, Wants::Nothing).await;
                result
            }
            Fate::Kills(written) => {
                if name == "set" && written > 0 {
                    let _ = effect(if written == usize::MAX { keys.len() / 2 } else { written });
                }
                Err(self.death().await)
            }
            Fate::Fails(happened) => {
                if happened {
                    let _ = effect(keys.len());
                }
                Err(Error::new(failure, "the operation failed"))
            }
        }
    }

    /// The dead hear nothing; without a schedule their last operation is told apart by its error.
    async fn death(&self) -> Error {
        if self.machine.schedule.borrow().is_some() {
            pending::<()>().await;
        }
        died()
    }

    /// The same process where nothing damages what it writes.
    pub fn spared(self) -> Self {
        Self { spared: true, ..self }
    }

    fn cross(&self, text: &str) {
        self.machine.crossed.set(self.machine.crossed.get().max(text.len()));
    }

    fn write_all(&self, entries: &[(String, String)]) -> Result<()> {
        let mut next = self.machine.stored.borrow().clone();
        for (key, text) in entries {
            let damage = self.machine.damage.get().filter(|_| !self.spared);
            let text = damage.and_then(|damage| damage(key, text)).unwrap_or_else(|| text.clone());
            next.insert(key.clone(), text);
        }
        let size = next.iter().map(|(key, text)| key.len() as u64 + self.weigh(text)).sum::<u64>();
        if self.machine.quota.get().is_some_and(|quota| size > quota) {
            return Err(Error::new(ErrorKind::Quota, "the store is full"));
        }
        self.machine.peak.set(self.machine.peak.get().max(size));
        self.machine.stored.replace(next);
        Ok(())
    }

    /// The lock, shared with others: what a writer holds.
    pub async fn share(&self) -> Result<Held> {
        self.hold("share the lock", Wants::Shared).await
    }

    async fn hold(&self, name: &'static str, wants: Wants) -> Result<Held> {
        match self.machine.turn(self.number, name, &[], wants).await {
            Fate::Happens => Ok(Held { machine: Rc::clone(&self.machine), process: self.number }),
            Fate::Kills(_) => Err(self.death().await),
            Fate::Fails(_) | Fate::Sleeps => Err(Error::new(ErrorKind::Busy, "another one goes on")),
        }
    }
}

impl Store for Process {
    type Value = String;

    async fn keys(&self) -> Result<Vec<String>> {
        self.operate("keys", &[], ErrorKind::Store, |_| Ok(self.machine.stored.borrow().keys().cloned().collect()))
            .await
    }

    async fn get(&self, keys: &[String]) -> Result<Vec<(String, String)>> {
        self.operate("get", keys, ErrorKind::Store, |_| {
            let unreadable = self.machine.unreadable.borrow();
            if keys.iter().any(|key| unreadable.contains(key)) {
                return Err(Error::new(ErrorKind::Store, "corruption"));
            }
            let stored = self.machine.stored.borrow();
            Ok(keys.iter().filter_map(|key| Some((key.clone(), stored.get(key)?.clone()))).collect())
        })
        .await
    }

    async fn set(&self, entries: Vec<(String, String)>) -> Result<()> {
        let keys: Vec<_> = entries.iter().map(|(key, _)| key.clone()).collect();
        self.operate("set", &keys, ErrorKind::Store, |written| self.write_all(&entries[..written.min(entries.len())]))
            .await
    }

    async fn remove(&self, keys: &[String]) -> Result<()> {
        self.operate("remove", keys, ErrorKind::Store, |_| {
            self.machine.stored.borrow_mut().retain(|key, _| !keys.contains(key));
            Ok(())
        })
        .await
    }

    async fn room(&self) -> Result<Option<u64>> {
        let stored = self.machine.stored.borrow();
        let used = stored.iter().map(|(key, text)| key.len() as u64 + self.weigh(text)).sum::<u64>();
        Ok(self.machine.quota.get().map(|quota| quota.saturating_sub(used)))
    }

    async fn bytes(&self, keys: &[String]) -> Result<Option<u64>> {
        let stored = self.machine.stored.borrow();
        let size = |key: &String| stored.get(key).map_or(0, |text| key.len() as u64 + self.weigh(text));
        Ok(Some(keys.iter().map(size).sum()))
    }

    fn read(&self, value: &String) -> Result<String> {
        self.cross(value);
        Ok(value.clone())
    }

    fn write(&self, text: &str) -> Result<String> {
        self.cross(text);
        Ok(text.to_owned())
    }

    fn shape(&self, value: &String) -> Shape {
        match Value::parse(value).unwrap().opened().unwrap() {
            Value::Array(items) => Shape::Array(items.len()),
            Value::Object(object) => Shape::Object(object.len()),
            _ => Shape::Scalar,
        }
    }

    fn slice(&self, value: &String, start: usize, _budget: usize) -> Result<(String, usize)> {
        // Two at a time, so that small stores have slices.
        Ok(match Value::parse(value)?.opened()? {
            Value::Array(items) => {
                let slice: Vec<_> = items.into_iter().skip(start).take(2).collect();
                let count = slice.len();
                (Value::Array(slice).to_json(), count)
            }
            Value::Object(object) => {
                let slice: Vec<_> = object.into_iter().skip(start).take(2).collect();
                let count = slice.len();
                (Value::Object(slice.into_iter().collect()).to_json(), count)
            }
            _ => unreachable!("only arrays and objects are sliced"),
        })
    }

    fn extend(&self, value: &mut String, text: &str) -> Result<()> {
        self.cross(text);
        let more = text[1..text.len() - 1].trim();
        if !more.is_empty() {
            let close = value.pop().unwrap();
            if value.len() > 1 {
                value.push(',');
            }
            value.push_str(more);
            value.push(close);
        }
        Ok(())
    }

    fn reorder(&self, value: &mut String, order: &[u32]) {
        let reordered = {
            let Value::Array(items) = Value::parse(value).unwrap().opened().unwrap() else {
                unreachable!("only arrays have an order")
            };
            Value::Array(order.iter().map(|&index| items[index as usize].clone()).collect()).to_json()
        };
        *value = reordered;
    }
}

impl Vault for Process {
    async fn create(&self, id: &str) -> Result<()> {
        self.operate("create", &[id.to_owned()], ErrorKind::Store, |_| {
            self.machine.sealed.borrow_mut().remove(id);
            self.begun.borrow_mut().insert(id.to_owned(), Vec::new());
            Ok(())
        })
        .await
    }

    async fn append(&self, id: &str, bytes: &[u8]) -> Result<()> {
        self.operate("append", &[id.to_owned()], ErrorKind::Store, |_| {
            let mut begun = self.begun.borrow_mut();
            let begun = begun.get_mut(id).ok_or_else(|| Error::new(ErrorKind::Snapshot, "nothing was begun"))?;
            self.machine.take_in(begun.len() + bytes.len())?;
            begun.extend_from_slice(bytes);
            Ok(())
        })
        .await
    }

    async fn close(&self, id: &str) -> Result<()> {
        self.operate("close", &[id.to_owned()], ErrorKind::Store, |_| {
            let bytes = self.begun.borrow_mut().remove(id);
            let bytes = bytes.ok_or_else(|| Error::new(ErrorKind::Snapshot, "nothing was begun"))?;
            self.machine.sealed.borrow_mut().insert(id.to_owned(), bytes);
            Ok(())
        })
        .await
    }

    async fn read(&self, id: &str, offset: u64, length: u64) -> Result<Vec<u8>> {
        self.operate("read", &[id.to_owned()], ErrorKind::Store, |_| {
            let sealed = self.machine.sealed.borrow();
            let bytes = sealed.get(id).and_then(|bytes| bytes.get(offset as usize..(offset + length) as usize));
            bytes.map(<[u8]>::to_vec).ok_or_else(|| Error::new(ErrorKind::Snapshot, "no such bytes"))
        })
        .await
    }

    async fn put_manifest(&self, id: &str, text: &str) -> Result<()> {
        self.operate("put manifest", &[id.to_owned()], ErrorKind::Store, |_| {
            self.machine.take_in(text.len())?;
            self.machine.manifests.borrow_mut().insert(id.to_owned(), text.to_owned());
            Ok(())
        })
        .await
    }

    async fn manifests(&self) -> Result<Vec<(String, String)>> {
        self.operate("manifests", &[], ErrorKind::Store, |_| {
            Ok(self.machine.manifests.borrow().clone().into_iter().collect())
        })
        .await
    }

    async fn delete(&self, id: &str) -> Result<()> {
        self.operate("delete", &[id.to_owned()], ErrorKind::Store, |_| {
            if self.machine.clinging.get() {
                return Err(Error::new(ErrorKind::Snapshot, "the vault lets go of nothing"));
            }
            self.machine.sealed.borrow_mut().remove(id);
            self.machine.manifests.borrow_mut().remove(id);
            Ok(())
        })
        .await
    }

    async fn mirror(&self) -> Result<Option<String>> {
        self.operate("mirror", &[], ErrorKind::Store, |_| Ok(self.machine.mirror.borrow().clone())).await
    }

    async fn put_mirror(&self, text: &str) -> Result<()> {
        self.operate("put mirror", &[], ErrorKind::Store, |_| {
            self.machine.mirror.replace(Some(text.to_owned()));
            Ok(())
        })
        .await
    }
}

impl Host for Process {
    type Guard = Held;

    async fn lock(&self) -> Result<Held> {
        self.hold("lock", Wants::Alone).await
    }

    fn now(&self) -> i64 {
        self.machine.clock.set(self.machine.clock.get() + 1);
        1_700_000_000_000 + self.machine.clock.get()
    }

    fn token(&self) -> String {
        self.machine.tokens.set(self.machine.tokens.get() + 1);
        format!("token-{:04}", self.machine.tokens.get())
    }

    fn progress(&self, _run: &str, progress: Progress) {
        let mut stages = self.machine.stages.borrow_mut();
        if stages.last() != Some(&progress.stage) {
            stages.push(progress.stage);
        }
    }
}
