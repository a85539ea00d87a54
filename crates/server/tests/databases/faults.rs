//! What befalls a server and the way to it.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use exuvia_core::ErrorKind;
use exuvia_core::chain::Version;
use exuvia_core::protocol::{Stage, State};
use exuvia_server::database::{Database, Limits};
use exuvia_server::postgres::Postgres;

use crate::place::{Moments, Place, Start, block_on, chain, documents, fill};
use crate::postgres::{Hosted, apart};
use crate::server::Server;

/// A run that `fault` meets half-way pauses, and the next one ends in what an undisturbed one makes of the data.
async fn goes_on_after(place: &Hosted, fault: impl FnMut(), repair: impl FnOnce()) {
    let oracle = Hosted::on(Arc::clone(&place.server));
    fill(&oracle, 1_500);
    fill(place, 1_500);
    let chain = chain(2);
    assert_eq!(Start::new(&oracle, &chain).up().await.unwrap().version, Version(2));
    let expected = documents(&oracle);
    let moments = Moments::default().at(Stage::Apply, 600, fault);
    let error = Start::new(place, &chain).listening(moments).up().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Paused, "{error}");
    assert!(error.message().contains("run it again"), "{error}");
    repair();
    let status = Start::new(place, &chain).up().await.unwrap();
    assert_eq!((status.state, status.version), (State::Current, Version(2)), "{status:?}");
    assert_eq!(documents(place), expected);
}

#[test]
fn a_connection_that_is_cut_pauses_the_run_and_the_next_one_goes_on() {
    block_on(async {
        let place = Hosted::new().await;
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE application_name = 'exuvia' AND datname = current_database()";
        goes_on_after(&place, || place.execute(cut), || {}).await;
    });
}

#[test]
fn a_server_that_is_killed_pauses_the_run_and_the_next_one_goes_on() {
    block_on(async {
        // Nobody else's server.
        let place = Hosted::on(Arc::new(Server::start().unwrap()));
        let server = &place.server;
        goes_on_after(&place, || server.kill().unwrap(), || server.restart().unwrap()).await;
    });
}

#[test]
fn a_table_that_somebody_holds_pauses_the_run_in_bounded_time() {
    block_on(async {
        let place = Hosted::new().await;
        fill(&place, 300);
        let before = documents(&place);
        let chain = chain(2);
        let mut holder = std::thread::scope(|scope| {
            let connect = || ::postgres::Client::connect(&place.address(), ::postgres::NoTls);
            scope.spawn(connect).join().unwrap().unwrap()
        });
        let hold = |sql: &'static str, client: &mut ::postgres::Client| {
            std::thread::scope(|scope| scope.spawn(|| client.batch_execute(sql)).join().unwrap().unwrap());
        };
        // A writer that does not commit: neither the column nor the trigger can be made.
        hold("BEGIN; UPDATE chats SET doc = doc WHERE id = 'k00000'", &mut holder);
        let begun = std::time::Instant::now();
        let error = Start::new(&place, &chain).up().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Paused, "{error}");
        assert!(error.message().contains("pg_blocking_pids"), "{error}");
        assert!(begun.elapsed().as_secs() < 60, "it waited {} s", begun.elapsed().as_secs());
        hold("ROLLBACK", &mut holder);
        assert_eq!(documents(&place), before);
        assert_eq!(Start::new(&place, &chain).up().await.unwrap().version, Version(2));
        std::thread::spawn(move || drop(holder)).join().unwrap();
    });
}

#[test]
fn a_lock_that_somebody_holds_is_told_with_its_holder() {
    block_on(async {
        let place = Hosted::new().await;
        fill(&place, 10);
        let first = place.open().await;
        let _lock = first.try_lock().await.unwrap().unwrap();
        let error = Start::new(&place, &chain(2)).up().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Busy, "{error}");
        assert!(error.message().contains("exuvia as exuvia from 127.0.0.1, process "), "{error}");
    });
}

#[test]
fn a_runner_that_lost_its_lease_writes_nothing() {
    block_on(async {
        let place = Hosted::new().await;
        fill(&place, 1_500);
        let chain = chain(2);
        // As behind a pooler, where two runners have the advisory lock of one session.
        let take = || place.execute("UPDATE exuvia.lease SET holder = 'another'");
        let moments = Moments::default().at(Stage::Apply, 600, take);
        let error = Start::new(&place, &chain).listening(moments).up().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Fenced, "{error}");
        let moved = place.query("SELECT count(*) FROM chats WHERE exuvia_stamp IS NOT NULL");
        assert!(moved[0].parse::<u32>().unwrap() < 1_500, "{moved:?}");
        assert_eq!(Start::new(&place, &chain).up().await.unwrap().version, Version(2));
    });
}

const PASSWORD: &str = "correct-horse-7f3a";
const WRONG: &str = "battery-staple-9c1e";

/// Nobody enters as this one without a password.
fn guard(place: &Hosted) -> String {
    place.execute(&format!("CREATE ROLE guarded LOGIN SUPERUSER PASSWORD '{PASSWORD}'"));
    let file = &place.query("SHOW hba_file")[0];
    place.execute(&format!(
        "COPY (VALUES ('host all guarded 127.0.0.1/32 scram-sha-256'), ('host all all 127.0.0.1/32 trust')) TO '{file}';
         SELECT pg_reload_conf()"
    ));
    place.address().replace("exuvia@", &format!("guarded:{PASSWORD}@"))
}

#[test]
fn a_password_is_in_no_message_and_no_file() {
    block_on(async {
        let place = Hosted::on(Arc::new(Server::start().unwrap()));
        fill(&place, 100);
        let url = guard(&place);
        let wrong = url.replace(PASSWORD, WRONG);
        // The server reads its file again in its own time.
        let mut refused = Postgres::connect(&wrong).await;
        for _ in 0..100 {
            if refused.is_err() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
            refused = Postgres::connect(&wrong).await;
        }
        let Err(refused) = refused else { panic!("expected a wrong password to be refused") };
        assert_eq!(refused.kind(), ErrorKind::Store);
        let mut said = vec![refused.to_string()];
        assert!(said[0].contains("guarded@127.0.0.1"), "{}", said[0]);
        let garbled = url.replace("postgresql://", "postgresql//");
        said.extend(Postgres::connect(&garbled).await.err().map(|error| error.to_string()));
        let unreached = url.replace("127.0.0.1:", "127.0.0.1:1,127.0.0.1:").split(',').next().unwrap().to_owned();
        said.extend(Postgres::connect(&unreached).await.err().map(|error| error.to_string()));
        assert_eq!(said.len(), 3, "{said:?}");
        said.push(Postgres::connect(&url).await.unwrap().describe());
        let project = crate::kills::Project::new(&place);
        let commands: &[&[&str]] =
            &[&["plan"], &["up"], &["status"], &["log"], &["report"], &["verify"], &["down", "--to", "1"]];
        for (arguments, url) in commands.iter().map(|arguments| (*arguments, &url)).chain([(&["up"][..], &wrong)]) {
            let mut command = project.command(arguments);
            let plain = !matches!(arguments[0], "up" | "down");
            if plain {
                command = std::process::Command::new(env!("CARGO_BIN_EXE_exuvia"));
                command.args(arguments).args(["--config", project.file.to_str().unwrap()]);
            }
            let output = command.env("DATABASE_URL", url).stdout(std::process::Stdio::piped());
            let output = output.stderr(std::process::Stdio::piped()).output().unwrap();
            assert_eq!(output.status.success(), url.contains(PASSWORD), "{arguments:?}: {output:?}");
            said.push(String::from_utf8_lossy(&output.stdout).into_owned());
            said.push(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        for text in &said {
            assert!(!text.contains(PASSWORD) && !text.contains(WRONG), "a password is in {text}");
        }
        let mut files = vec![place.folder().to_owned()];
        while let Some(path) = files.pop() {
            if path.is_dir() {
                files.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            let holds = |password: &str| bytes.windows(password.len()).any(|found| found == password.as_bytes());
            assert!(!holds(PASSWORD) && !holds(WRONG), "a password is in {}", path.display());
        }
    });
}

#[test]
fn a_writer_that_declares_the_new_version_is_left_alone() {
    block_on(async {
        let place = Hosted::new().await;
        fill(&place, 1_500);
        let chain = chain(2);
        let write = || {
            let write = "SET exuvia.version = '2';
                INSERT INTO chats (id, doc) VALUES ('a', '{\"role\":\"human\",\"body\":{\"text\":\"n\",\"format\":\"plain\"}}');
                UPDATE chats SET doc = '{\"role\":\"human\",\"body\":{\"text\":\"e\",\"format\":\"plain\"}}' WHERE id IN ('k00000', 'k01499')";
            apart(&place.address(), |client| client.batch_execute(write)).unwrap();
        };
        let moments = Moments::default().at(Stage::Apply, 600, write);
        let status = Start::new(&place, &chain).listening(moments).up().await.unwrap();
        assert_eq!(status.version, Version(2), "{status:?}");
        let found = documents(&place);
        // The steps would have made "user" of "human".
        for (key, text) in [("a", "n"), ("k00000", "e"), ("k01499", "e")] {
            let expected = format!(r#"{{"role":"human","body":{{"text":"{text}","format":"plain"}}}}"#);
            assert_eq!(found[key], crate::place::value(&expected), "{key}");
        }
    });
}

#[test]
fn keys_of_other_types_and_documents_as_text_are_moved_too() {
    block_on(async {
        let place = Hosted::new().await;
        for (table, key, document) in
            [("numbers", "bigint", "json"), ("moments", "timestamptz", "text"), ("ids", "uuid", "jsonb")]
        {
            let made = match key {
                "bigint" => "n",
                "timestamptz" => "to_timestamp(n * 86400.5)",
                _ => "md5(n::text)::uuid",
            };
            place.execute(&format!(
                "CREATE TABLE \"{table}\" (\"the \"\"key\" {key} PRIMARY KEY, doc {document});
                 INSERT INTO \"{table}\" SELECT {made}, format('{{\"sender\":\"user\",\"text\":\"t%s\"}}', n)::{document} FROM generate_series(1, 300) AS n"
            ));
            let chain = chain(2);
            let start = || {
                let mut start = Start::new(&place, &chain);
                start.table.name = format!("public.{table}");
                start.table.key = "the \"key".into();
                start
            };
            let texts = || place.query(&format!("SELECT doc::jsonb FROM \"{table}\" ORDER BY 1"));
            let before = texts();
            assert_eq!(start().up().await.unwrap().version, Version(2), "{table}");
            assert!(texts().iter().all(|text| text.contains("markdown")), "{table}");
            // A key that changes takes its residue along, whatever the writer's own settings are.
            let rekey = match key {
                "bigint" => "\"the \"\"key\" + 1000000",
                "timestamptz" => "\"the \"\"key\" + interval '100 years'",
                _ => "md5(\"the \"\"key\"::text)::uuid",
            };
            place.execute(&format!("SET timezone = 'Asia/Tokyo'; UPDATE \"{table}\" SET \"the \"\"key\" = {rekey}"));
            let down = exuvia_core::protocol::Request::Revert { to: Version(1) };
            assert_eq!(start().run(down).await.unwrap().version, Version(1), "{table}");
            assert_eq!(texts(), before, "{table}");
            place.execute("DROP SCHEMA exuvia CASCADE");
        }
    });
}

#[test]
fn a_full_disk_of_the_server_pauses_the_run_and_the_next_one_goes_on() {
    block_on(async {
        let Some(server) = Server::start_on_disk_of(100).unwrap() else {
            eprintln!("skipped: only root may mount the disk that it fills");
            return;
        };
        let place = Hosted::on(Arc::new(server));
        let filler = RefCell::new(None);
        let fill_disk = || *filler.borrow_mut() = Some(place.server.fill_disk().unwrap());
        let repair = || {
            std::fs::remove_file(filler.take().unwrap()).unwrap();
            // It ends where it cannot even write its log.
            let is_gone = std::thread::scope(|scope| scope.spawn(|| place.server.connect().is_err()).join().unwrap());
            if is_gone {
                place.server.restart().unwrap();
            }
        };
        goes_on_after(&place, fill_disk, repair).await;
    });
}

/// A slot that nobody reads keeps WAL, and another session is at work: the run waits until whoever hears of it ends that.
#[test]
fn a_run_waits_while_the_server_is_busier_than_it_may_be() {
    block_on(async {
        let place = Hosted::new().await;
        fill(&place, 2_000);
        let slot = format!("limited_{}", place.database);
        place.execute(&format!("SELECT pg_create_physical_replication_slot('{slot}', true)"));
        let address = place.address();
        let sleeper = std::thread::spawn(move || {
            postgres::Client::connect(&address, postgres::NoTls).unwrap().batch_execute("SELECT pg_sleep(60)")
        });
        let mine = format!("datname = '{}' AND query LIKE 'SELECT pg_sleep(60)'", place.database);
        while place.query(&format!("SELECT pid || '' FROM pg_stat_activity WHERE {mine}")).is_empty() {
            std::thread::sleep(Duration::from_millis(20));
        }
        let waited = Cell::new(0);
        let chain = chain(2);
        let end_it = |cause: &str| {
            if waited.replace(waited.get() + 1) == 0 {
                assert!(cause.contains("bytes of WAL") && cause.contains("sessions are at work"), "{cause}");
                place.execute(&format!("SELECT pg_drop_replication_slot('{slot}')"));
                place.execute(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {mine}"));
            }
        };
        let limits = Limits { lag: Some(Duration::from_secs(1)), log: Some(0), sessions: Some(0) };
        let start = Start::new(&place, &chain).within(limits).listening(Moments::default().on_wait(end_it));
        assert_eq!(start.up().await.unwrap().version, Version(2));
        sleeper.join().unwrap().unwrap_err();
        assert!(waited.get() > 0, "it did not wait");
    });
}

#[test]
fn a_role_that_sees_no_load_is_told_so_where_there_are_limits() {
    block_on(async {
        let place = Hosted::new().await;
        fill(&place, 10);
        let role = format!("blind_{}", place.database);
        place.execute(&format!("CREATE ROLE {role} LOGIN"));
        let url = place.address().replace("exuvia@", &format!("{role}@"));
        let load = exuvia_server::postgres::Postgres::connect(&url).await.unwrap().load().await.unwrap();
        assert!(!load.is_seen, "{load:?}");
        assert!(place.open().await.load().await.unwrap().is_seen);
    });
}
