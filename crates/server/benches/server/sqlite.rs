use std::path::{Path, PathBuf};

use exuvia_server::sqlite::Sqlite;
use rusqlite::Connection;

use crate::contest::{BATCH, Contestant, DOCUMENT};

/// A file.
pub struct Table {
    path: PathBuf,
}

const UPDATE: &str = "UPDATE documents SET doc = json_set(json_remove(doc, '$.model', '$.mode'), '$.settings',
    json_object('model', doc -> '$.model', 'mode', doc -> '$.mode', 'auto', json('false')))";

impl Table {
    pub fn new(folder: &Path) -> Self {
        Self { path: folder.join("app.db") }
    }

    fn connect(&self) -> Connection {
        let connection = Connection::open(&self.path).unwrap();
        // As durable as Exuvia is.
        connection.pragma_update(None, "synchronous", "FULL").unwrap();
        connection
    }
}

impl Contestant for Table {
    type Database = Sqlite;

    fn fill(&self, rows: usize) {
        let _ = std::fs::remove_file(&self.path);
        let mut connection = self.connect();
        connection.execute_batch("CREATE TABLE documents (id INTEGER PRIMARY KEY, doc TEXT NOT NULL)").unwrap();
        let filling = connection.transaction().unwrap();
        for id in 0..rows {
            let sql = "INSERT INTO documents VALUES (?, ?)";
            filling.prepare_cached(sql).unwrap().execute((id as i64, DOCUMENT)).unwrap();
        }
        filling.commit().unwrap();
    }

    fn update(&self) {
        self.connect().execute_batch(UPDATE).unwrap();
    }

    fn batches(&self, rows: usize) {
        let connection = self.connect();
        for start in (0..rows).step_by(BATCH) {
            let sql = format!("{UPDATE} WHERE id >= {start} AND id < {}", start + BATCH);
            connection.execute_batch(&sql).unwrap();
        }
    }

    async fn open(&self) -> Sqlite {
        Sqlite::open(&self.path).unwrap()
    }
}
