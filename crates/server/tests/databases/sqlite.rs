use std::path::Path;

use exuvia_core::ErrorKind;
use exuvia_core::chain::Version;
use exuvia_core::protocol::{Request, Stage};
use exuvia_server::database::{Backups, Database};
use exuvia_server::sqlite::Sqlite;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::kills::Project;
use crate::place::{Moments, Place, Start, chain, documents, fill};

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

    fn keep_as_it_is(&self, key: &str) {
        self.execute(&format!(
            "CREATE TRIGGER kept BEFORE UPDATE ON chats WHEN OLD.id = '{key}' BEGIN SELECT RAISE(IGNORE); END"
        ));
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

#[test]
fn json_that_lies_in_a_blob_as_text_stays_text() {
    let place = crate::place::block_on(File::new());
    place.execute("DROP TABLE chats; CREATE TABLE chats (id BLOB PRIMARY KEY, doc BLOB)");
    place.execute(
        "INSERT INTO chats VALUES (x'00ff', CAST('{\"sender\":\"human\",\"text\":\"t\"}' AS BLOB)), (x'01', jsonb('{\"sender\":\"human\",\"text\":\"b\"}'))",
    );
    let chain = chain(2);
    let status = crate::place::block_on(Start::new(&place, &chain).up()).unwrap();
    assert_eq!(status.version, Version(2), "{status:?}");
    let found = place.query("SELECT typeof(doc) || json_valid(doc, 8) || CASE json_valid(doc, 8) WHEN 0 THEN CAST(doc AS TEXT) ELSE json(doc) END FROM chats ORDER BY id");
    let document = |text| format!(r#"{{"role":"user","body":{{"text":"{text}","format":"markdown"}}}}"#);
    assert_eq!(found, [format!("blob0{}", document("t")), format!("blob1{}", document("b"))]);
}

#[test]
fn what_is_remembered_of_a_record_follows_its_key_and_stays_with_no_other() {
    let place = crate::place::block_on(File::new());
    place.execute("DROP TABLE chats; CREATE TABLE chats (id TEXT PRIMARY KEY COLLATE NOCASE, doc TEXT)");
    fill(&place, 9);
    let (before, chain) = (documents(&place), chain(2));
    let run = |request| crate::place::block_on(Start::new(&place, &chain).run(request)).unwrap();
    run(Request::Migrate { retry: true });
    // One that was "user" before is renamed; one that was "human" takes the place of another that was "user".
    place.execute("UPDATE chats SET id = 'K00001' WHERE id = 'k00001'");
    place.execute("UPDATE OR REPLACE chats SET id = 'k00004' WHERE id = 'k00003'");
    place.execute("UPDATE chats SET rowid = rowid + 100 WHERE id = 'k00007'");
    run(Request::Revert { to: Version(1) });
    let after = documents(&place);
    for (now, then) in [("K00001", "k00001"), ("k00004", "k00003"), ("k00007", "k00007")] {
        assert_eq!(after[now], before[then], "{now}, which was {then}");
    }
}

#[test]
fn what_is_remembered_follows_a_key_that_is_changed_under_another_name() {
    let place = crate::place::block_on(File::new());
    place.execute("DROP TABLE chats; CREATE TABLE chats (id INTEGER PRIMARY KEY, doc TEXT)");
    let names = ["id", "rowid", "oid", "_ROWID_"];
    for key in 1..=names.len() {
        place.execute(&format!("INSERT INTO chats VALUES ({key}, '{{\"sender\":\"user\",\"text\":\"t\"}}')"));
    }
    let chain = chain(2);
    let run = |request| crate::place::block_on(Start::new(&place, &chain).run(request)).unwrap();
    run(Request::Migrate { retry: true });
    for (index, name) in names.iter().enumerate() {
        place.execute(&format!("UPDATE chats SET {name} = {name} + 100 WHERE id = {}", index + 1));
    }
    run(Request::Revert { to: Version(1) });
    // Without its residue a "user" would have become "human".
    let left = place.query("SELECT id || '' FROM chats WHERE doc ->> '$.sender' <> 'user'");
    assert_eq!(left, [""; 0]);
    assert_eq!(place.query("SELECT count(*) || '' FROM chats WHERE id > 100"), ["4"]);
}

#[test]
fn a_file_in_wal_mode_is_restored_while_others_have_it_open() {
    let place = crate::place::block_on(File::new());
    place.execute("PRAGMA journal_mode = WAL");
    fill(&place, 500);
    let before = documents(&place);
    let idle = place.connect();
    idle.query_row("SELECT count(*) FROM chats", [], |_| Ok(())).unwrap();
    let backups = Backups::new(place.folder(), 3);
    crate::place::block_on(async {
        let database = place.open().await;
        let _lock = database.try_lock().await.unwrap().unwrap();
        let (old, _) = backups.make(&database, "old", 1, 0, &|_, _| {}).await.unwrap();
        place.execute("DELETE FROM chats WHERE id > 'k00100'");
        let (_, present) = backups.make(&database, "present", 1, 0, &|_, _| {}).await.unwrap();
        database.restore(&backups.file(&old.id), &present).await.unwrap();
        drop(place.query("SELECT id FROM chats LIMIT 1"));
        database.write_head("{}", &[]).await.unwrap();
    });
    assert_eq!(documents(&place), before);
    assert_eq!(place.query("PRAGMA journal_mode"), ["wal"]);
    place.execute("INSERT INTO chats (id) VALUES ('later')");
    assert_eq!(idle.query_row("SELECT count(*) FROM chats", [], |row| row.get::<_, i64>(0)).unwrap(), 501);
}

#[test]
fn rows_without_a_key_forbid_the_run() {
    let place = crate::place::block_on(File::new());
    place.execute("INSERT INTO chats (id, doc) VALUES (NULL, '{\"sender\":\"human\",\"text\":\"t\"}')");
    let status = crate::place::block_on(Start::new(&place, &chain(2)).up()).unwrap();
    let problem = status.problem.unwrap().message;
    assert!(problem.contains("without a key") && problem.contains("chats.id"), "{problem}");
}

#[test]
fn a_runner_whose_lock_was_taken_away_writes_no_more() {
    let place = crate::place::block_on(File::new());
    fill(&place, 2_000);
    let chain = chain(2);
    let second = || {
        std::fs::remove_file(place.folder().join("app.db.exuvia-lock")).unwrap();
        std::thread::scope(|scope| {
            let status = scope.spawn(|| crate::place::block_on(Start::new(&place, &chain).up()).unwrap().version);
            assert_eq!(status.join().unwrap(), Version(2));
        });
    };
    let moments = Moments::default().at(Stage::Apply, 900, second);
    let first = crate::place::block_on(Start::new(&place, &chain).listening(moments).up());
    assert_eq!(first.unwrap_err().kind(), ErrorKind::Fenced);
}

#[cfg(unix)]
#[test]
fn one_runner_at_a_time_by_whatever_name() {
    let place = crate::place::block_on(File::new());
    let link = place.folder().join("link.db");
    std::os::unix::fs::symlink("app.db", &link).unwrap();
    let (first, second) = (crate::place::block_on(place.open()), Sqlite::open(&link).unwrap());
    let _lock = crate::place::block_on(first.try_lock()).unwrap().unwrap();
    assert!(crate::place::block_on(second.try_lock()).unwrap().is_none());
}

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
