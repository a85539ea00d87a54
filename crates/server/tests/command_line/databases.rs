//! A project with a SQLite database, from outside.

use rusqlite::Connection;
use serde_json::json;

use super::{Folder, Ran, SECRET};

const PROJECT: &str = r#"
[collections.notes]
table = "notes"
key = "id"
document = "doc"

[environments.staging]
file = "staging.db"

[environments.production]
file = "production.db"
after = "staging"
confirm = true
"#;

/// A folder with a locked chain, a project and two databases.
fn project() -> Folder {
    let folder = Folder::with_chain();
    assert_eq!(folder.run("lock --chain chain").code, 0);
    folder.write("exuvia.toml", PROJECT);
    for name in ["staging.db", "production.db"] {
        let database = Connection::open(folder.path(name)).unwrap();
        database.execute_batch("CREATE TABLE notes (id TEXT PRIMARY KEY, doc TEXT)").unwrap();
        for index in 0..50 {
            let note =
                json!({ "id": format!("n{index}"), "title": SECRET, "mode": "open", "time": 1.5, "legacy": SECRET });
            database
                .execute("INSERT INTO notes (id, doc) VALUES (?, ?)", (format!("n{index}"), note.to_string()))
                .unwrap();
        }
    }
    folder
}

fn documents(folder: &Folder, name: &str) -> Vec<serde_json::Value> {
    let database = Connection::open(folder.path(name)).unwrap();
    let mut select = database.prepare("SELECT doc FROM notes ORDER BY id").unwrap();
    let rows = select.query_map([], |row| row.get::<_, String>(0)).unwrap();
    rows.map(|text| serde_json::from_str(&text.unwrap()).unwrap()).collect()
}

fn fine(ran: Ran) -> Ran {
    assert_eq!(ran.code, 0, "{ran}");
    assert!(!ran.to_string().contains(SECRET), "a user's value is in {ran}");
    ran
}

#[test]
fn a_database_goes_up_down_and_is_restored_by_commands() {
    let folder = project();
    let before = documents(&folder, "staging.db");
    assert_eq!(fine(folder.run("status -e staging --json")).report()["state"], "behind");
    let plan = fine(folder.run("plan -e staging --json")).report();
    assert_eq!((&plan["from"], &plan["to"], &plan["collections"][0]["rows"]), (&json!(1), &json!(3), &json!(50)));
    assert_eq!((&plan["estimate"], &plan["way_back"]), (&json!(null), &json!("kept")));
    let rehearsed = fine(folder.run("rehearse -e staging --json")).report();
    assert_eq!(rehearsed["rows"], 50);
    assert_eq!(documents(&folder, "staging.db"), before, "a rehearsal changes nothing");
    let plan = fine(folder.run("plan -e staging --json")).report();
    assert!(plan["estimate"]["seconds"].as_f64().unwrap() > 0.0, "{plan}");
    let up = fine(folder.run("up -e staging --json")).report();
    assert_eq!((&up["state"], &up["version"]), (&json!("current"), &json!(3)));
    let note = &documents(&folder, "staging.db")[0];
    assert_eq!(*note, json!({ "id": "n0", "name": SECRET, "mode": "public", "time": "1970-01-01T00:00:01.5Z" }));
    fine(folder.run("down -e staging --to 1"));
    assert_eq!(documents(&folder, "staging.db"), before);
    fine(folder.run("up -e staging"));
    let backup = up["lastRun"]["snapshot"].as_str().unwrap().to_owned();
    assert_eq!(fine(folder.run(&format!("verify -e staging {backup} --json"))).report()["verified"], true);
    fine(folder.run(&format!("restore -e staging {backup} --yes")));
    assert_eq!(documents(&folder, "staging.db"), before);
    let log = fine(folder.run("log -e staging"));
    assert!(log.stdout.contains("brought-back"), "{log}");
    assert_eq!(fine(folder.run("up -e staging --json")).report()["version"], 3);
}

#[test]
fn a_run_leaves_a_report_that_people_and_programs_read() {
    let folder = project();
    fine(folder.run("up -e staging"));
    let written = fine(folder.run("report -e staging --json")).report();
    let page = std::fs::read_to_string(folder.path(written["html"].as_str().unwrap())).unwrap();
    assert!(page.contains("exuvia down --to 1") && page.contains("/name"), "{page}");
    let report: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.path(written["json"].as_str().unwrap())).unwrap())
            .unwrap();
    assert_eq!(report["wayBack"][0]["command"], "exuvia down --to 1");
    let stages: Vec<_> =
        report["stages"].as_array().unwrap().iter().map(|span| span["stage"].as_str().unwrap()).collect();
    assert_eq!(stages, ["inspect", "assess", "snapshot", "rehearse", "apply", "validate", "commit", "sweep"]);
    assert!(!page.contains(SECRET));
}

#[test]
fn production_takes_only_what_staging_has_run() {
    let folder = project();
    let refused = folder.run("up -e production --yes");
    assert_eq!(refused.code, 1, "{refused}");
    assert!(refused.to_string().contains("run it there first"), "{refused}");
    assert_eq!(folder.run("plan -e production").code, 1);
    fine(folder.run("up -e staging"));
    fine(folder.run("up -e production --yes"));
    assert_eq!(documents(&folder, "production.db"), documents(&folder, "staging.db"));
}

#[test]
fn what_is_allowed_against_a_rule_is_remembered() {
    let folder = project();
    let report = fine(folder.run("up -e production --yes --allow not-run-before --json")).report();
    let notes = report["lastRun"]["notes"].to_string();
    assert!(notes.contains("allowed: error[not-run-before]"), "{notes}");
}

#[test]
fn production_asks_and_nobody_is_there() {
    let folder = project();
    fine(folder.run("up -e staging"));
    let before = documents(&folder, "production.db");
    let asked = folder.run("up -e production");
    assert_eq!(asked.code, 2, "{asked}");
    assert!(asked.to_string().contains("--yes"), "{asked}");
    assert_eq!(documents(&folder, "production.db"), before);
}

const INDEX: &str = "-- after: names\n-- up\nCREATE INDEX by_name ON notes (doc ->> '$.name');\n-- down\nDROP INDEX by_name;\n\
    -- verify\nSELECT count(*) = 1 FROM sqlite_schema WHERE name = 'by_name';\n";

fn indexes(folder: &Folder) -> i64 {
    let database = Connection::open(folder.path("staging.db")).unwrap();
    database.query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'by_name'", [], |row| row.get(0)).unwrap()
}

#[test]
fn a_migration_in_sql_is_done_after_the_data_and_undone_before_it() {
    let folder = project();
    folder.write("sql/0001-by-name.sql", INDEX);
    assert_eq!(fine(folder.run("plan -e staging --json")).report()["scripts"], json!(["0001-by-name"]));
    fine(folder.run("up -e staging"));
    assert_eq!(indexes(&folder), 1);
    fine(folder.run("up -e staging"));
    folder.write("sql/0001-by-name.sql", &INDEX.replace("by_name", "by_title"));
    let edited = folder.run("up -e staging");
    assert_eq!(edited.code, 1, "{edited}");
    assert!(edited.to_string().contains("0001-by-name.sql") && edited.to_string().contains("edited since"), "{edited}");
    folder.write("sql/0001-by-name.sql", INDEX);
    fine(folder.run("down -e staging --to 2"));
    assert_eq!(indexes(&folder), 1, "version 2 has what the script waits for");
    fine(folder.run("down -e staging --to 1"));
    assert_eq!(indexes(&folder), 0);
    let log = fine(folder.run("log -e staging"));
    assert!(log.stdout.contains("script-done") && log.stdout.contains("script-undone"), "{log}");
}

#[test]
fn who_has_no_project_yet_is_told_how_to_come_by_one() {
    let nowhere = Folder::empty().run("status");
    assert_eq!(nowhere.code, 3, "{nowhere}");
    assert!(
        nowhere.to_string().contains("exuvia.toml: expected the project's file")
            && nowhere.to_string().contains("exuvia demo"),
        "{nowhere}"
    );
}

#[test]
fn a_migration_in_sql_is_tried_before_it_is_done_and_what_it_loses_must_be_allowed() {
    let folder = project();
    fine(folder.run("up -e staging"));
    let drop_notes = "-- after: names\n-- up\nDELETE FROM notes;\n-- verify\nSELECT count(*) = 0 FROM notes;\n";
    folder.write("sql/0001-empty.sql", drop_notes);
    let plan = fine(folder.run("plan -e staging"));
    assert!(plan.stdout.contains("sql 0001-empty: not done yet") && plan.stdout.contains("sql-no-way-back"), "{plan}");
    let before = documents(&folder, "staging.db");
    let rehearsed = fine(folder.run("rehearse -e staging"));
    assert!(rehearsed.stdout.contains("0001-empty") && rehearsed.stdout.contains("error[sql-loses]"), "{rehearsed}");
    let refused = folder.run("up -e staging");
    assert_eq!(refused.code, 1, "{refused}");
    assert!(refused.to_string().contains("--allow sql-loses"), "{refused}");
    assert_eq!(documents(&folder, "staging.db"), before);
    fine(folder.run("up -e staging --allow sql-loses"));
    assert!(documents(&folder, "staging.db").is_empty());
}

#[test]
fn a_migration_in_sql_that_fails_on_the_copy_never_meets_the_database() {
    for (name, text, expected) in [
        ("a statement", INDEX.replace("ON notes", "ON nots"), "nots"),
        ("a question", INDEX.replace("= 1 FROM", "= 2 FROM"), "-- verify"),
        ("a way back", INDEX.replace("DROP INDEX by_name", "SELECT 1"), "`down`"),
        ("its transaction", INDEX.replace("-- down", "COMMIT;\n-- down"), "COMMIT"),
    ] {
        let folder = project();
        folder.write("sql/0001-by-name.sql", &text);
        let refused = folder.run("up -e staging");
        assert_eq!(refused.code, 1, "{name}: {refused}");
        assert!(refused.to_string().contains(expected), "{name}: {refused}");
        assert_eq!(indexes(&folder), 0, "{name}");
        assert_eq!(
            fine(folder.run("status -e staging --json")).report()["version"],
            3,
            "the data has moved all the same"
        );
    }
}

#[test]
fn wrong_places_are_named() {
    let folder = project();
    for (arguments, code, expected) in [
        ("up -e nowhere", 1, "production, staging"),
        ("up -e staging --config other.toml", 3, "other.toml"),
        ("down -e staging --to 9", 1, "9"),
        ("restore -e staging ../../x --yes", 1, "backup --list"),
        ("report -e staging nothing", 2, "nothing"),
        ("up -e staging --share 0", 2, "share"),
    ] {
        let ran = folder.run(arguments);
        assert_eq!(ran.code, code, "{arguments}: {ran}");
        assert!(ran.to_string().contains(expected), "{arguments}: {ran}");
    }
    folder.write("exuvia.toml", &PROJECT.replace("table =", "tabel ="));
    let ran = folder.run("status -e staging");
    assert_eq!(ran.code, 1, "{ran}");
    assert!(ran.to_string().contains("tabel"), "{ran}");
}

#[test]
fn the_demo_runs_without_any_set_up() {
    let folder = Folder::empty();
    let ran = fine(folder.run("demo there --conversations 40"));
    assert!(ran.stdout.contains("title of c-1 at version 1: Renamed since"), "{ran}");
    assert!(ran.stdout.contains("current, version 5 of 5"), "{ran}");
    assert_eq!(folder.run("demo there").code, 3, "a second demo does not write into the first");
}
