use exuvia_core::ErrorKind;
use exuvia_core::chain::Version;
use exuvia_core::protocol::{Outcome, Request, Stage, State};
use exuvia_server::database::{Backups, Database, Event, Script};

use crate::kills::Project;
use crate::place::{Moments, Place, Start, chain, documents, fill, value};

pub async fn rows_go_up_and_come_down_with_what_was_written_since<P: Place>() {
    let place = P::new().await;
    fill(&place, 2_000);
    let (before, chain) = (documents(&place), chain(2));
    let status = Start::new(&place, &chain).up().await.unwrap();
    assert_eq!((status.state, status.version), (State::Current, Version(2)), "{status:?}");
    let new = documents(&place);
    let expected = r#"{"unknown":{"n":[100,1]},"role":"user","body":{"text":"t1","format":"markdown"},"at":"1970-01-01T00:00:01.5Z"}"#;
    assert_eq!(new["k00001"], value(expected));
    place.execute("UPDATE chats SET doc = '{\"role\":\"user\",\"body\":{\"text\":\"edited\",\"format\":\"plain\"}}' WHERE id = 'k00003'");
    place.execute("INSERT INTO chats (id, doc) VALUES ('new', '{\"role\":\"user\",\"body\":{\"text\":\"n\",\"format\":\"markdown\"}}')");
    let status = Start::new(&place, &chain).run(Request::Revert { to: Version(1) }).await.unwrap();
    assert_eq!((status.state, status.version), (State::Held, Version(1)), "{status:?}");
    let mut old = documents(&place);
    assert_eq!(old.remove("new").unwrap(), value(r#"{"sender":"human","text":"n"}"#));
    assert_eq!(old.remove("k00003").unwrap(), value(r#"{"sender":"human","text":"edited"}"#));
    for (key, document) in old {
        assert_eq!(document, before[&key], "{key} did not come back as it was");
    }
    let status = Start::new(&place, &chain).up().await.unwrap();
    assert_eq!(status.version, Version(2));
    assert_eq!(documents(&place)["k00003"], value(r#"{"role":"user","body":{"text":"edited","format":"plain"}}"#));
}

pub async fn a_record_that_fits_no_step_leaves_everything_as_it_was<P: Place>() {
    let place = P::new().await;
    fill(&place, 300);
    place.execute(
        "INSERT INTO chats (id, doc) VALUES ('odd', '{\"sender\":\"s\",\"text\":\"t\",\"at\":\"yesterday\"}')",
    );
    let (before, chain) = (documents(&place), chain(2));
    let status = Start::new(&place, &chain).up().await.unwrap();
    assert_eq!((status.state, status.version), (State::Refused, Version(0)), "{status:?}");
    let problem = status.problem.unwrap();
    assert_eq!(problem.record.as_deref(), Some("odd"));
    assert!(!problem.message.contains("yesterday"), "a value is in {}", problem.message);
    assert_eq!(documents(&place), before);
}

pub async fn rows_that_others_write_meanwhile_are_moved_too<P: Place>() {
    let place = P::new().await;
    fill(&place, 1_500);
    let chain = chain(2);
    // Behind the cursor, and again with the rest.
    let write = || {
        place.execute("INSERT INTO chats (id, doc) VALUES ('a-late', '{\"sender\":\"human\",\"text\":\"late\"}')");
        place.execute("UPDATE chats SET doc = '{\"sender\":\"human\",\"text\":\"rewritten\"}' WHERE id = 'k00000'");
        place.execute("DELETE FROM chats WHERE id = 'k00001'");
    };
    let moments = Moments::default().at(Stage::Apply, 600, write);
    let status = Start::new(&place, &chain).listening(moments).up().await.unwrap();
    assert_eq!(status.version, Version(2), "{status:?}");
    let found = documents(&place);
    assert_eq!(found["a-late"], value(r#"{"role":"user","body":{"text":"late","format":"markdown"}}"#));
    assert_eq!(found["k00000"], value(r#"{"role":"user","body":{"text":"rewritten","format":"markdown"}}"#));
    assert_eq!(found.len(), 1_500);
    let strange = found.iter().find(|(_, document)| (*document).clone().members().unwrap().get("role").is_none());
    assert!(strange.is_none(), "{strange:?} was not moved");
}

pub async fn a_row_that_cannot_go_turns_everything_back_and_keeps_what_others_wrote<P: Place>() {
    let place = P::new().await;
    fill(&place, 1_500);
    let (mut before, chain) = (documents(&place), chain(2));
    let write = || {
        place.execute("INSERT INTO chats (id, doc) VALUES ('z', '{\"sender\":\"s\",\"text\":\"t\",\"at\":\"odd\"}')");
        place.execute("UPDATE chats SET doc = '{\"sender\":\"human\",\"text\":\"rewritten\"}' WHERE id = 'k00000'");
    };
    let moments = Moments::default().at(Stage::Apply, 600, write);
    let status = Start::new(&place, &chain).listening(moments).up().await.unwrap();
    assert_eq!((status.state, status.version), (State::Refused, Version(0)), "{status:?}");
    assert_eq!(status.last_run.unwrap().outcome, Outcome::Restored);
    let mut found = documents(&place);
    assert_eq!(found.remove("z"), Some(value(r#"{"sender":"s","text":"t","at":"odd"}"#)));
    before.insert("k00000".into(), value(r#"{"sender":"human","text":"rewritten"}"#));
    assert_eq!(found, before);
}

pub async fn a_run_that_was_stopped_goes_on_where_it_was<P: Place>() {
    let place = P::new().await;
    fill(&place, 2_000);
    let chain = chain(2);
    let start = Start::new(&place, &chain);
    let stop = start.stop.clone();
    let moments = Moments::default().at(Stage::Apply, 900, move || stop.ask());
    let error = start.listening(moments).up().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Paused, "{error}");
    let moved =
        place.query("SELECT count(*) || '' FROM chats WHERE exuvia_stamp IS NOT NULL")[0].parse::<u64>().unwrap();
    assert!((900..2_000).contains(&moved), "{moved} rows were moved when it stopped");
    let rest = std::rc::Rc::new(Moments::default());
    let start = Start { moments: rest.clone(), ..Start::new(&place, &chain) };
    let status = start.up().await.unwrap();
    assert_eq!(status.version, Version(2));
    assert_eq!(rest.rows.get(), 2_000 - moved, "rows that were moved were moved again");
}

pub async fn a_second_run_changes_nothing<P: Place>() {
    let place = P::new().await;
    fill(&place, 100);
    let chain = chain(2);
    Start::new(&place, &chain).up().await.unwrap();
    let before = (documents(&place), place.open().await.log().await.unwrap());
    Start::new(&place, &chain).up().await.unwrap();
    assert_eq!((documents(&place), place.open().await.log().await.unwrap()), before);
}

pub async fn one_runner_at_a_time<P: Place>() {
    let place = P::new().await;
    fill(&place, 100);
    let chain = chain(2);
    let first = place.open().await;
    let lock = first.try_lock().await.unwrap().unwrap();
    let error = Start::new(&place, &chain).up().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy, "{error}");
    drop(lock);
    drop(first);
    assert_eq!(Start::new(&place, &chain).up().await.unwrap().version, Version(2));
}

pub async fn a_deleted_row_takes_its_residue_with_it<P: Place>() {
    let place = P::new().await;
    fill(&place, 30);
    let chain = chain(2);
    Start::new(&place, &chain).up().await.unwrap();
    place.execute("DELETE FROM chats WHERE id = 'k00001'");
    // Under the key of one that was "user" before: its residue would say so.
    place.execute("INSERT INTO chats (id, doc) VALUES ('k00001', '{\"role\":\"user\",\"body\":{\"text\":\"again\",\"format\":\"markdown\"}}')");
    Start::new(&place, &chain).run(Request::Revert { to: Version(1) }).await.unwrap();
    assert_eq!(documents(&place)["k00001"], value(r#"{"sender":"human","text":"again"}"#));
}

pub async fn a_backup_that_was_tampered_with_is_not_taken<P: Place>() {
    let place = P::new().await;
    fill(&place, 100);
    Start::new(&place, &chain(2)).up().await.unwrap();
    let backups = Backups::new(place.folder(), 3);
    let [manifest] = &backups.list()[..] else { panic!("expected one backup, found {:?}", backups.list()) };
    assert_eq!(backups.expect_whole(&manifest.id).unwrap().version, manifest.version);
    let file = backups.file(&manifest.id);
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let error = backups.expect_whole(&manifest.id).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Snapshot, "{error}");
}

pub async fn restoring_a_backup_brings_everything_back<P: Place>() {
    let place = P::new().await;
    fill(&place, 500);
    place.execute("CREATE TABLE others (n INTEGER); INSERT INTO others VALUES (1)");
    let before = documents(&place);
    Start::new(&place, &chain(2)).up().await.unwrap();
    place.execute("INSERT INTO others VALUES (2); DELETE FROM chats WHERE id < 'k00100'");
    let backups = Backups::new(place.folder(), 3);
    let id = backups.list()[0].id.clone();
    let database = place.open().await;
    let (_, present) = backups.make(&database, "present", 2, 0, &|_, _| {}).await.unwrap();
    place.execute("INSERT INTO others VALUES (3)");
    let error = database.restore(&backups.file(&id), &present).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Paused, "{error}: what somebody wrote since is saved nowhere");
    let (_, present) = backups.make(&database, "present", 2, 0, &|_, _| {}).await.unwrap();
    database.restore(&backups.file(&id), &present).await.unwrap();
    assert_eq!(documents(&place), before);
    assert_eq!(place.query("SELECT count(*) || '' FROM others"), ["1"]);
    let status = Start::new(&place, &chain(2)).up().await.unwrap();
    assert_eq!(status.version, Version(2), "the head that came back is of a run that had not begun to write");
}

pub async fn the_log_tells_what_happened_and_cannot_be_changed<P: Place>() {
    let place = P::new().await;
    fill(&place, 50);
    let chain = chain(2);
    Start::new(&place, &chain).up().await.unwrap();
    Start::new(&place, &chain).run(Request::Revert { to: Version(1) }).await.unwrap();
    let log = place.open().await.log().await.unwrap();
    let events: Vec<_> = log.iter().map(|entry| (entry.event, entry.from, entry.to)).collect();
    let run =
        |from, to| [Event::Started, Event::Writing, Event::Committed, Event::Finished].map(|event| (event, from, to));
    assert_eq!(events, [run(1, 2), run(2, 1)].concat());
    assert_eq!(log[2].records, r#"{"chats":50}"#);
    assert!(log[2].note.contains("exuvia down --to 1"), "{}", log[2].note);
    let before = log.len();
    let tampered =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| place.execute(&format!("DELETE FROM {}", P::LOG))));
    assert!(tampered.is_err());
    assert_eq!(place.open().await.log().await.unwrap().len(), before);
}

pub async fn an_unknown_table_or_column_is_named<P: Place>() {
    let place = P::new().await;
    fill(&place, 10);
    let chain = chain(2);
    let mut start = Start::new(&place, &chain);
    start.table.document = "body".into();
    let found = start.up().await;
    let message = found.map_or_else(
        |error| error.to_string(),
        |status| status.problem.map_or_else(String::new, |problem| problem.message),
    );
    assert!(message.contains("\"body\"") && message.contains("chats"), "{message}");
}

pub async fn a_migration_in_sql_runs_once_and_whole_or_not_at_all<P: Place>() {
    let place = P::new().await;
    fill(&place, 20);
    let chain = chain(2);
    Start::new(&place, &chain).up().await.unwrap();
    let text = "-- after: bodies\n-- up\nCREATE TABLE counted (n integer);\nINSERT INTO counted SELECT count(*) FROM chats;\n\
        -- down\nDROP TABLE counted;\n-- verify\nSELECT n = 20 FROM counted;\nSELECT count(*) = 1 FROM counted;\n";
    let script = Script::parse("0001-counted", text).unwrap();
    let wrong = Script::parse("0002-wrong", &text.replace("counted", "others").replace("n = 20", "n = 21")).unwrap();
    let both = [script.clone(), wrong];
    let error = Start::new(&place, &chain).scripts(&both).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Validation, "{error}");
    assert!(error.to_string().contains("0002-wrong.sql"), "{error}");
    let scripts = std::slice::from_ref(&script);
    assert_eq!(Start::new(&place, &chain).scripts(scripts).await.unwrap(), ["0001-counted"]);
    assert_eq!(Start::new(&place, &chain).scripts(scripts).await.unwrap(), [""; 0]);
    assert_eq!(place.query("SELECT n || '' FROM counted"), ["20"]);
    let log = place.open().await.log().await.unwrap();
    assert_eq!(log.last().unwrap().event, Event::ScriptDone);
}

/// Its way back makes a table again, but not what was in it; another has no way back.
pub async fn a_migration_in_sql_that_loses_what_was_there_runs_only_where_that_is_allowed<P: Place>() {
    let chain = chain(1);
    let drop_table = "DROP TABLE notes";
    let again = "-- down\nCREATE TABLE notes (id text PRIMARY KEY);";
    let (delete, nothing) = ("DELETE FROM notes WHERE id = 'one'", "");
    for (up, down) in [(drop_table, again), (drop_table, nothing), (delete, nothing)] {
        let place = P::new().await;
        place.execute("CREATE TABLE notes (id text PRIMARY KEY)");
        place.execute("INSERT INTO notes VALUES ('one'), ('two')");
        let text = format!("-- up\n{up};\n{down}\n-- verify\nSELECT count(*) >= 0 FROM chats;\n");
        let script = [Script::parse("0001-fewer", &text).unwrap()];
        let error = Start::new(&place, &chain).scripts(&script).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unfit, "{up}, {down:?}: {error}");
        assert!(error.to_string().contains("notes") && error.to_string().contains("--allow sql-loses"), "{error}");
        assert_eq!(place.query("SELECT count(*) || '' FROM notes"), ["2"], "{up}");
        let allowed = Start::new(&place, &chain).allowing("sql-loses");
        assert_eq!(allowed.scripts(&script).await.unwrap(), ["0001-fewer"]);
        let noted = place.open().await.log().await.unwrap().pop().unwrap().note;
        assert!(noted.contains("allowed: error[sql-loses]"), "{noted}");
    }
}

/// Stops a run half-way.
async fn stop_half_way<P: Place>(place: &P) {
    let chain = chain(2);
    let start = Start::new(place, &chain);
    let stop = start.stop.clone();
    let error = start.listening(Moments::default().at(Stage::Apply, 900, move || stop.ask())).up().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Paused, "{error}");
    // Until its connection is closed.
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
}

pub async fn a_run_whose_way_is_unknown_waits_for_whoever_knows_it<P: Place>() {
    let place = P::new().await;
    fill(&place, 2_000);
    stop_half_way(&place).await;
    place.execute(&format!("DELETE FROM {}", P::LOG.replace("log", "chain")));
    let half = documents(&place);
    let error = Start::new(&place, &chain(1)).up().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Paused, "{error}");
    assert_eq!(documents(&place), half);
    let status = Start::new(&place, &chain(2)).up().await.unwrap();
    assert_eq!((status.state, status.version), (State::Current, Version(2)), "{status:?}");
    let strange =
        documents(&place).into_values().find(|document| document.clone().members().unwrap().get("role").is_none());
    assert!(strange.is_none(), "{strange:?} was not moved");
}

pub async fn a_backup_of_half_moved_rows_brings_back_the_run_with_them<P: Place>() {
    let place = P::new().await;
    fill(&place, 2_000);
    let project = Project::new(&place);
    stop_half_way(&place).await;
    let exuvia = |arguments: &[&str]| {
        let ran = project.plain(arguments).stderr(std::process::Stdio::piped()).output().unwrap();
        assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
    };
    exuvia(&["backup"]);
    let id = Backups::new(&place.folder().join("backups/here"), 3).list()[0].id.clone();
    exuvia(&["restore", &id, "--yes"]);
    exuvia(&["up"]);
    let strange = documents(&place).into_iter().find(|(_, document)| {
        let members = document.clone().members().unwrap();
        members.get("body").is_none_or(|body| body.clone().members().unwrap().get("format").is_none())
    });
    assert!(strange.is_none(), "{strange:?} was not moved");
    exuvia(&["down", "--to", "1"]);
    let (before, found) = (P::new().await, documents(&place));
    fill(&before, 2_000);
    assert_eq!(found, documents(&before));
}

pub async fn what_is_saved_half_way_is_not_called_what_was_before<P: Place>() {
    let place = P::new().await;
    fill(&place, 2_000);
    stop_half_way(&place).await;
    let backups = Backups::new(place.folder(), 3);
    std::fs::remove_dir_all(backups.place(&backups.list()[0].id)).unwrap();
    assert_eq!(Start::new(&place, &chain(2)).up().await.unwrap().version, Version(2));
    let log = place.open().await.log().await.unwrap();
    let committed = log.iter().find(|entry| entry.event == Event::Committed).unwrap();
    assert!(!committed.note.contains("exuvia restore"), "{}", committed.note);
    assert_eq!(backups.list().len(), 1, "what was saved half-way is kept");
}

pub async fn what_refused_runs_saved_pushes_no_backup_out<P: Place>() {
    let place = P::new().await;
    fill(&place, 100);
    let chain = chain(2);
    Start::new(&place, &chain).up().await.unwrap();
    let backups = Backups::new(place.folder(), 3);
    let good = backups.list()[0].id.clone();
    place.execute("INSERT INTO chats (id, doc) VALUES ('odd', '{\"role\":\"user\",\"body\":\"none\"}')");
    for _ in 0..4 {
        let refused = Start::new(&place, &chain).run(Request::Revert { to: Version(1) }).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Unfit, "{refused}");
    }
    let ids: Vec<_> = backups.list().into_iter().map(|manifest| manifest.id).collect();
    assert_eq!(ids, [good]);
}

pub async fn a_row_whose_document_was_cleared_is_a_new_record_afterwards<P: Place>() {
    let place = P::new().await;
    fill(&place, 30);
    let chain = chain(2);
    Start::new(&place, &chain).up().await.unwrap();
    place.execute("UPDATE chats SET doc = NULL WHERE id = 'k00001'");
    // One that was "user" before: its residue would say so.
    place.execute("UPDATE chats SET doc = '{\"role\":\"user\",\"body\":{\"text\":\"again\",\"format\":\"markdown\"}}' WHERE id = 'k00001'");
    Start::new(&place, &chain).run(Request::Revert { to: Version(1) }).await.unwrap();
    assert_eq!(documents(&place)["k00001"], value(r#"{"sender":"human","text":"again"}"#));
}

pub async fn rows_that_something_keeps_from_being_moved_forbid_the_run<P: Place>() {
    let place = P::new().await;
    fill(&place, 30);
    place.keep_as_it_is("k00007");
    let before = documents(&place);
    let status = Start::new(&place, &chain(2)).up().await.unwrap();
    assert_eq!((status.state, status.version), (State::Refused, Version(0)), "{status:?}");
    assert_eq!(documents(&place), before);
}

pub async fn a_key_column_that_is_not_there_is_refused_by_its_name<P: Place>() {
    let place = P::new().await;
    fill(&place, 10);
    let chain = chain(2);
    let mut start = Start::new(&place, &chain);
    start.table.key = "uuid".into();
    let found = start.up().await;
    let message = found.map_or_else(
        |error| error.to_string(),
        |status| status.problem.map_or_else(String::new, |problem| problem.message),
    );
    assert!(message.contains("expected a column \"uuid\"") && message.contains("chats"), "{message}");
    assert_eq!(Start::new(&place, &chain).up().await.unwrap().version, Version(2));
}
