use std::rc::Rc;

use ::postgres::{Client, NoTls};
use exuvia_server::postgres::Postgres;

use crate::contest::{BATCH, Contestant, DOCUMENT};
use crate::server::Server;

/// A database on a server of its own.
pub struct Table {
    server: Rc<Server>,
}

const UPDATE: &str = "UPDATE documents SET doc = (doc - '{model,mode}'::text[]) || jsonb_build_object('settings',
    jsonb_build_object('model', doc -> 'model', 'mode', doc -> 'mode', 'auto', false))";

impl Table {
    pub fn on(server: &Rc<Server>) -> Self {
        Self { server: server.clone() }
    }

    fn connect(&self) -> Client {
        Client::connect(&self.server.url(), NoTls).unwrap()
    }
}

impl Contestant for Table {
    type Database = Postgres;

    fn fill(&self, rows: usize) {
        let mut client = self.connect();
        let sql = format!(
            "DROP SCHEMA IF EXISTS exuvia CASCADE; DROP TABLE IF EXISTS documents;
             CREATE TABLE documents (id bigint PRIMARY KEY, doc jsonb NOT NULL);
             INSERT INTO documents SELECT n, '{DOCUMENT}' FROM generate_series(0, {rows} - 1) AS n;"
        );
        client.batch_execute(&sql).unwrap();
        // Each by itself: texts of several statements are one transaction, which VACUUM cannot be in.
        client.batch_execute("VACUUM ANALYZE documents").unwrap();
        client.batch_execute("CHECKPOINT").unwrap();
    }

    fn update(&self) {
        self.connect().batch_execute(UPDATE).unwrap();
    }

    fn batches(&self, rows: usize) {
        let mut client = self.connect();
        for start in (0..rows).step_by(BATCH) {
            client.batch_execute(&format!("{UPDATE} WHERE id >= {start} AND id < {}", start + BATCH)).unwrap();
        }
    }

    async fn open(&self) -> Postgres {
        Postgres::connect(&self.server.url()).await.unwrap()
    }
}
