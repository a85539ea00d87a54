use std::path::Path;

use exuvia_server::sqlite::Sqlite;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::kills::Project;
use crate::place::{Place, documents, fill};

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

    const LOG: &str = "exuvia_log";

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

    fn url(&self) -> Option<String> {
        None
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }
}

crate::every_case!(File);

/// Files that may not grow stand for a full disk.
#[cfg(unix)]
#[test]
fn a_full_disk_pauses_the_run_and_it_goes_on_when_there_is_room() {
    let place = crate::place::block_on(File::new());
    fill(&place, 3_000);
    let project = Project::new(&place);
    let blocks = std::fs::metadata(place.folder().join("app.db")).unwrap().len() / 512;
    let before = documents(&place);
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", blocks + 40);
    let run = |limit: &[&str]| {
        let exuvia = [env!("CARGO_BIN_EXE_exuvia"), "up", "--config", project.file.to_str().unwrap()];
        let words: Vec<_> = limit.iter().copied().chain(exuvia).collect();
        std::process::Command::new(words[0]).args(&words[1..]).output().unwrap()
    };
    let full = run(&["sh", "-c", &script, "sh"]);
    let told = String::from_utf8_lossy(&full.stderr);
    assert_eq!(full.status.code(), Some(4), "{told}");
    assert!(told.contains("run it again"), "{told}");
    assert_eq!(documents(&place).len(), before.len());
    assert_eq!(run(&["env"]).status.code(), Some(0));
    let moved = documents(&place);
    assert!(moved.values().all(|document| document.clone().members().unwrap().get("role").is_some()));
}
