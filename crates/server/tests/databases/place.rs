//! A database with one table, `chats (id, doc)`, and what a case does to it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use exuvia_core::Result;
use exuvia_core::chain::{Chain, Lock, Migration};
use exuvia_core::document::Value;
use exuvia_core::protocol::{Progress, Request, Run, Stage, Status, Target, run};
use exuvia_server::database::{
    Backups, Database, Finding, Limits, Listener, Pace, Policy, Script, Stop, Table, Tables,
};

/// A database of its own for each case.
pub trait Place: Sized {
    /// The database.
    type Database: Database;

    /// The log's name in statements.
    const LOG: &str;

    /// An empty one, with the table.
    async fn new() -> Self;

    /// Opens it, as a runner does.
    async fn open(&self) -> Self::Database;

    /// Somebody else's statements.
    fn execute(&self, sql: &str);

    /// Somebody else's look at a column of text.
    fn query(&self, sql: &str) -> Vec<String>;

    /// Lets nobody change a row any more, and says nothing.
    fn keep_as_it_is(&self, key: &str);

    /// Where it is, as a line of `exuvia.toml`.
    fn environment(&self) -> String;

    /// What that line takes from `DATABASE_URL`.
    fn url(&self) -> Option<String>;

    /// A folder of its own.
    fn folder(&self) -> &Path;
}

pub fn block_on<F: Future>(work: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

pub const BASELINE: &str = r#"{ "exuvia": 1, "id": "baseline", "collections": { "chats": {
    "layout": { "prefix": "chat:" },
    "schema": { "type": "object", "required": ["sender", "text"], "properties": {
        "sender": { "type": "string" }, "text": { "type": "string" }, "at": { "type": "number" } } } } } }"#;

pub const BODIES: &str = r#"{ "exuvia": 1, "id": "bodies", "parents": ["baseline"], "change": { "chats": [
    { "map": "/sender", "table": { "human": "user" }, "else": "keep", "back": { "user": "human" } },
    { "rename": "/sender", "to": "/role" },
    { "nest": ["/text"], "under": "/body" },
    { "add": "/body/format", "value": "markdown" },
    { "convert": "/at", "from": "epoch-s", "to": "iso" } ] } }"#;

/// The first so many versions of the chain.
pub fn chain(length: usize) -> Chain {
    let migrations = [BASELINE, BODIES][..length].iter().map(|text| Migration::parse(text).unwrap()).collect();
    Chain::arrange(migrations, &Lock::default()).unwrap()
}

/// Records at version 1, some of which only the residue brings back as they were.
pub fn fill(place: &impl Place, count: usize) {
    let rows: Vec<_> = (0..count).map(|index| {
        let sender = ["human", "user", "assistant"][index % 3];
        format!(r#"('k{index:05}', '{{"sender":"{sender}","text":"t{index}","at":{index}.5,"unknown":{{"n":[1e2,{index}]}}}}')"#)
    }).collect();
    for rows in rows.chunks(500) {
        place.execute(&format!("INSERT INTO chats (id, doc) VALUES {}", rows.join(", ")));
    }
}

/// The documents by key, whatever the database's spelling.
pub fn documents(place: &impl Place) -> BTreeMap<String, Value<'static>> {
    let keys = place.query("SELECT id FROM chats ORDER BY id");
    let documents = place.query("SELECT doc FROM chats ORDER BY id");
    let parsed = documents.iter().map(|text| Value::parse(text).unwrap().into_owned().unwrap());
    keys.into_iter().zip(parsed).collect()
}

pub fn value(text: &str) -> Value<'static> {
    Value::parse(text).unwrap().into_owned().unwrap()
}

type Deed<'d> = Box<dyn FnMut() + 'd>;
type Heard<'d> = Box<dyn FnMut(&str) + 'd>;

/// Does something at a moment of a run.
#[derive(Default)]
pub struct Moments<'d> {
    /// What it does when the run waits.
    wait: RefCell<Option<Heard<'d>>>,
    deeds: RefCell<Vec<(Stage, u64, Deed<'d>)>>,
    pub rows: Cell<u64>,
}

impl<'d> Moments<'d> {
    /// When a stage has so many rows behind it.
    pub fn at(self, stage: Stage, done: u64, deed: impl FnMut() + 'd) -> Self {
        self.deeds.borrow_mut().push((stage, done, Box::new(deed)));
        self
    }
}

impl<'d> Moments<'d> {
    /// When the run waits, and for what.
    pub fn on_wait(self, deed: impl FnMut(&str) + 'd) -> Self {
        Self { wait: RefCell::new(Some(Box::new(deed))), ..self }
    }
}

impl Listener for Moments<'_> {
    fn progress(&self, _: &Run, progress: Progress) {
        let mut deeds = self.deeds.borrow_mut();
        let due = deeds.iter().position(|(stage, done, _)| *stage == progress.stage && progress.done >= *done);
        if let Some(index) = due {
            let (_, _, mut deed) = deeds.remove(index);
            drop(deeds);
            deed();
        }
    }

    fn batch(&self, _: &Run, _: &str, rows: u64, _: Duration) {
        self.rows.set(self.rows.get() + rows);
    }

    fn findings(&self, _: &Run, _: &[Finding]) {}

    fn waits(&self, _: &Run, cause: &str) {
        if let Some(deed) = &mut *self.wait.borrow_mut() {
            deed(cause);
        }
    }
}

/// One runner's start.
pub struct Start<'s, P: Place> {
    pub place: &'s P,
    pub chain: &'s Chain,
    pub stop: Stop,
    pub moments: Rc<dyn Listener + 's>,
    pub table: Table,
    pub allowed: Vec<String>,
    pub limits: Limits,
}

impl<'s, P: Place> Start<'s, P> {
    pub fn new(place: &'s P, chain: &'s Chain) -> Self {
        let table =
            Table { collection: "chats".into(), name: "chats".into(), key: "id".into(), document: "doc".into() };
        Self {
            place,
            chain,
            stop: Stop::default(),
            moments: Rc::new(Moments::default()),
            table,
            allowed: Vec::new(),
            limits: Limits::default(),
        }
    }

    pub fn allowing(self, rule: &str) -> Self {
        Self { allowed: vec![rule.to_owned()], ..self }
    }

    pub fn within(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    pub fn listening(self, moments: Moments<'s>) -> Self {
        Self { moments: Rc::new(moments), ..self }
    }

    pub async fn run(self, request: Request) -> Result<Status> {
        let chain = self.chain;
        self.with(async |target| run(&target, chain, request).await).await
    }

    /// Does something with the target of this start.
    pub async fn with<T>(self, work: impl AsyncFnOnce(Tables<'_, P::Database>) -> Result<T>) -> Result<T> {
        let database = self.place.open().await;
        let tables = [self.table];
        let backups = Backups::new(self.place.folder(), 3);
        let policy = Policy {
            allowed: self.allowed,
            pace: Pace { batch: Duration::from_millis(2), share: 1.0, limits: self.limits },
            wait: Duration::from_millis(500),
            who: "a test".into(),
        };
        let target = Tables {
            database: &database,
            tables: &tables,
            backups: &backups,
            policy: &policy,
            stop: self.stop,
            listener: self.moments,
            findings: RefCell::default(),
        };
        work(target).await
    }

    pub async fn up(self) -> Result<Status> {
        self.run(Request::Migrate { retry: true }).await
    }

    /// Does the scripts that wait.
    pub async fn scripts(self, scripts: &[Script]) -> Result<Vec<String>> {
        let (chain, version) = (self.chain, self.chain.tip());
        let work = async |target: Tables<'_, P::Database>| {
            let _lock = target.acquire().await?;
            let pending = target.scripts_up(scripts, chain, version).await?;
            target.run_scripts(&pending, version).await?;
            Ok(pending.scripts.into_iter().map(|script| script.name).collect())
        };
        self.with(work).await
    }
}
