//! A store and a vault in memory that die, tear, fill up and rot where a test says so.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use exuvia_core::document::Value;
use exuvia_core::protocol::{Progress, Stage};
use exuvia_core::records::{Host, Shape, Store, Vault};
use exuvia_core::{Error, ErrorKind, Result};

/// The machine: what survives a process, and how long the process lives.
#[derive(Default)]
pub struct Machine {
    pub stored: RefCell<BTreeMap<String, String>>,
    sealed: RefCell<BTreeMap<String, Vec<u8>>>,
    pub manifests: RefCell<BTreeMap<String, String>>,
    pub mirror: RefCell<Option<String>>,
    /// Operations until the process dies; `None`: it lives.
    pub fuel: Cell<Option<usize>>,
    pub operations: Cell<usize>,
    /// Whether the `set` in which the process dies leaves half of its keys written.
    pub torn: Cell<bool>,
    /// Bytes that may be stored.
    pub quota: Cell<Option<u64>>,
    /// Damages a value on its way into the store.
    pub damage: Cell<Option<Damage>>,
    /// Whether the vault refuses to let go of anything.
    pub clinging: Cell<bool>,
    pub clock: Cell<i64>,
    tokens: Cell<u64>,
    pub stages: RefCell<Vec<Stage>>,
}

/// A key and the text that it gets instead.
pub type Damage = fn(&str, &str) -> Option<String>;

/// A process on the machine. What it had begun dies with it.
#[derive(Clone)]
pub struct Process {
    machine: Rc<Machine>,
    begun: Rc<RefCell<BTreeMap<String, Vec<u8>>>>,
}

fn died() -> Error {
    Error::new(ErrorKind::Fenced, "the process died")
}

impl Machine {
    pub fn holding(entries: &[(&str, &str)]) -> Rc<Self> {
        let machine = Rc::new(Self::default());
        machine.stored.replace(entries.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect());
        machine
    }

    pub fn process(self: &Rc<Self>) -> Process {
        Process { machine: Rc::clone(self), begun: Rc::default() }
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

    /// Flips a bit in each snapshot that is sealed.
    pub fn rot(&self) {
        for bytes in self.sealed.borrow_mut().values_mut() {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        }
    }

    fn live(&self) -> Result<()> {
        self.operations.set(self.operations.get() + 1);
        match self.fuel.get() {
            Some(0) => Err(died()),
            Some(left) => {
                self.fuel.set(Some(left - 1));
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl Store for Process {
    type Value = String;

    async fn keys(&self) -> Result<Vec<String>> {
        self.machine.live()?;
        Ok(self.machine.stored.borrow().keys().cloned().collect())
    }

    async fn get(&self, keys: &[String]) -> Result<Vec<(String, String)>> {
        self.machine.live()?;
        let stored = self.machine.stored.borrow();
        Ok(keys.iter().filter_map(|key| Some((key.clone(), stored.get(key)?.clone()))).collect())
    }

    async fn set(&self, entries: Vec<(String, String)>) -> Result<()> {
        let alive = self.machine.live();
        let written = match alive {
            Ok(()) => entries.len(),
            // Once: after that the dead write nothing.
            Err(_) if self.machine.torn.replace(false) => entries.len() / 2,
            Err(_) => 0,
        };
        let mut next = self.machine.stored.borrow().clone();
        for (key, text) in entries.into_iter().take(written) {
            let text = self.machine.damage.get().and_then(|damage| damage(&key, &text)).unwrap_or(text);
            next.insert(key, text);
        }
        let size = next.iter().map(|(key, text)| (key.len() + text.len()) as u64).sum::<u64>();
        if self.machine.quota.get().is_some_and(|quota| size > quota) {
            return Err(Error::new(ErrorKind::Quota, "the store is full"));
        }
        self.machine.stored.replace(next);
        alive
    }

    async fn remove(&self, keys: &[String]) -> Result<()> {
        self.machine.live()?;
        self.machine.stored.borrow_mut().retain(|key, _| !keys.contains(key));
        Ok(())
    }

    async fn room(&self) -> Result<Option<u64>> {
        let used = self.machine.stored.borrow().iter().map(|(key, text)| (key.len() + text.len()) as u64).sum::<u64>();
        Ok(self.machine.quota.get().map(|quota| quota.saturating_sub(used)))
    }

    fn read(&self, value: &String) -> Result<String> {
        Ok(value.clone())
    }

    fn write(&self, text: &str) -> Result<String> {
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
        self.machine.live()?;
        self.machine.sealed.borrow_mut().remove(id);
        self.begun.borrow_mut().insert(id.to_owned(), Vec::new());
        Ok(())
    }

    async fn append(&self, id: &str, bytes: &[u8]) -> Result<()> {
        self.machine.live()?;
        self.begun.borrow_mut().get_mut(id).unwrap().extend_from_slice(bytes);
        Ok(())
    }

    async fn close(&self, id: &str) -> Result<()> {
        self.machine.live()?;
        let bytes = self.begun.borrow_mut().remove(id).unwrap();
        self.machine.sealed.borrow_mut().insert(id.to_owned(), bytes);
        Ok(())
    }

    async fn read(&self, id: &str, offset: u64, length: u64) -> Result<Vec<u8>> {
        self.machine.live()?;
        let sealed = self.machine.sealed.borrow();
        let bytes = sealed.get(id).and_then(|bytes| bytes.get(offset as usize..(offset + length) as usize));
        bytes.map(<[u8]>::to_vec).ok_or_else(|| Error::new(ErrorKind::Snapshot, "no such bytes"))
    }

    async fn put_manifest(&self, id: &str, text: &str) -> Result<()> {
        self.machine.live()?;
        self.machine.manifests.borrow_mut().insert(id.to_owned(), text.to_owned());
        Ok(())
    }

    async fn manifests(&self) -> Result<Vec<(String, String)>> {
        self.machine.live()?;
        Ok(self.machine.manifests.borrow().clone().into_iter().collect())
    }

    async fn delete(&self, id: &str) -> Result<()> {
        self.machine.live()?;
        if self.machine.clinging.get() {
            return Err(Error::new(ErrorKind::Snapshot, "the vault lets go of nothing"));
        }
        self.machine.sealed.borrow_mut().remove(id);
        self.machine.manifests.borrow_mut().remove(id);
        Ok(())
    }

    async fn mirror(&self) -> Result<Option<String>> {
        self.machine.live()?;
        Ok(self.machine.mirror.borrow().clone())
    }

    async fn put_mirror(&self, text: &str) -> Result<()> {
        self.machine.live()?;
        self.machine.mirror.replace(Some(text.to_owned()));
        Ok(())
    }
}

impl Host for Process {
    type Guard = ();

    async fn lock(&self) -> Result<()> {
        self.machine.live()
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
