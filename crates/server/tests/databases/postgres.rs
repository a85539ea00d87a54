use std::path::Path;
use std::sync::{Arc, Mutex, Weak};

use ::postgres::{Client, NoTls, SimpleQueryMessage};
use exuvia_server::postgres::Postgres;
use tempfile::TempDir;

use crate::place::Place;
use crate::server::Server;

/// One server for all that run at the same time.
static SERVER: Mutex<Weak<Server>> = Mutex::new(Weak::new());

/// A database of its own on it.
pub struct Hosted {
    pub server: Arc<Server>,
    pub database: String,
    folder: TempDir,
}

impl Hosted {
    pub fn on(server: Arc<Server>) -> Self {
        let database = format!("case_{:016x}", fastrand::u64(..));
        apart(&server.url(), |client| client.batch_execute(&format!("CREATE DATABASE {database}"))).unwrap();
        let hosted = Self { server, database, folder: TempDir::new().unwrap() };
        hosted.execute("CREATE TABLE chats (id text PRIMARY KEY, doc jsonb)");
        hosted
    }

    pub fn address(&self) -> String {
        self.server.url().replace("/postgres", &format!("/{}", self.database))
    }
}

/// The client blocks, which a runtime's own thread may not.
pub fn apart<T: Send>(
    url: &str,
    work: impl FnOnce(&mut Client) -> Result<T, ::postgres::Error> + Send,
) -> Result<T, ::postgres::Error> {
    let asked = || Client::connect(url, NoTls).and_then(|mut client| work(&mut client));
    std::thread::scope(|scope| scope.spawn(asked).join()).unwrap()
}

impl Place for Hosted {
    type Database = Postgres;

    const LOG: &str = "exuvia.log";

    async fn new() -> Self {
        let mut known = SERVER.lock().unwrap();
        let server = known.upgrade().unwrap_or_else(|| Arc::new(Server::start().unwrap()));
        *known = Arc::downgrade(&server);
        drop(known);
        Self::on(server)
    }

    async fn open(&self) -> Postgres {
        Postgres::connect(&self.address()).await.unwrap()
    }

    fn execute(&self, sql: &str) {
        apart(&self.address(), |client| client.batch_execute(sql)).unwrap();
    }

    fn query(&self, sql: &str) -> Vec<String> {
        let messages = apart(&self.address(), |client| client.simple_query(sql)).unwrap();
        let texts = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        });
        texts.collect()
    }

    fn environment(&self) -> String {
        "url-env = \"DATABASE_URL\"".to_owned()
    }

    fn url(&self) -> Option<String> {
        Some(self.address())
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }
}

crate::every_case!(Hosted);
