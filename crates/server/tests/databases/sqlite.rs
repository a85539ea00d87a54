use std::path::Path;

use exuvia_server::sqlite::Sqlite;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::place::Place;

/// A file in a folder of its own.
pub struct File {
    folder: TempDir,
}

impl File {
    fn connect(&self) -> Connection {
        let connection = Connection::open(self.folder.path().join("app.db")).unwrap();
        connection.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
        connection
    }
}

impl Place for File {
    type Database = Sqlite;

    async fn new() -> Self {
        let file = Self { folder: TempDir::new().unwrap() };
        file.execute("CREATE TABLE chats (id TEXT PRIMARY KEY, doc TEXT)");
        file
    }

    async fn open(&self) -> Sqlite {
        Sqlite::open(&self.folder.path().join("app.db")).unwrap()
    }

    fn execute(&self, sql: &str) {
        self.connect().execute_batch(sql).unwrap();
    }

    fn query(&self, sql: &str) -> Vec<String> {
        let connection = self.connect();
        let mut select = connection.prepare(sql).unwrap();
        let rows = select.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    fn environment(&self) -> String {
        "file = \"app.db\"".to_owned()
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }
}

crate::every_case!(File);
