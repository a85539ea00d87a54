//! What is found of a PostgreSQL database before a run.

use std::borrow::Cow;

use exuvia_server::database::{Database, Direction, Finding, Level, Script, Table};

use crate::place::{Place, block_on, fill};
use crate::postgres::Hosted;

async fn found(place: &Hosted, table: &Table) -> Vec<(Cow<'static, str>, Level, String)> {
    let findings = place.open().await.inspect(&[table], place.folder()).await.unwrap();
    findings.into_iter().map(|finding| (finding.rule, finding.level, finding.message)).collect()
}

fn chats() -> Table {
    Table { collection: "chats".into(), name: "chats".into(), key: "id".into(), document: "doc".into() }
}

#[track_caller]
fn expect(found: &[(Cow<'static, str>, Level, String)], rule: &str, level: Level, words: &str) {
    let is_there = found.iter().any(|(name, how, message)| *name == rule && *how == level && message.contains(words));
    assert!(is_there, "expected {rule} with {words:?} among {found:#?}");
}

#[test]
fn a_sound_table_has_only_its_new_column_for_a_finding() {
    block_on(async {
        let place = Hosted::new().await;
        fill(&place, 10);
        let found = found(&place, &chats()).await;
        let rules: Vec<_> = found.iter().map(|(rule, ..)| &**rule).collect();
        assert_eq!(rules, ["new-column"], "{found:#?}");
    });
}

#[test]
fn what_is_wrong_with_a_table_is_found() {
    block_on(async {
        let place = Hosted::new().await;
        place.execute(
            "CREATE TABLE odd (id text, doc bytea, other text UNIQUE);
             CREATE TABLE parents (id text PRIMARY KEY);
             ALTER TABLE chats ADD CONSTRAINT \"to parents\" FOREIGN KEY (id) REFERENCES parents NOT VALID;
             CREATE INDEX broken ON chats ((doc->>'text'));
             CREATE VIEW senders AS SELECT doc->>'sender' AS sender FROM chats;
             ALTER TABLE chats ADD COLUMN sender text GENERATED ALWAYS AS (doc->>'sender') STORED;
             CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
             CREATE TRIGGER noted BEFORE UPDATE ON chats FOR EACH ROW EXECUTE FUNCTION noted();
             UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'broken'::regclass;",
        );
        let odd = found(&place, &Table { name: "odd".into(), ..chats() }).await;
        expect(&odd, "key-not-unique", Level::Refusal, "odd");
        expect(&odd, "key-nullable", Level::Error, "SET NOT NULL");
        expect(&odd, "document-type", Level::Error, "bytea");
        let missing = found(&place, &Table { name: "none".into(), ..chats() }).await;
        expect(&missing, "no-table", Level::Refusal, "none");
        let found = found(&place, &chats()).await;
        expect(&found, "unvalidated", Level::Warning, "to parents");
        expect(&found, "invalid-index", Level::Warning, "broken");
        expect(&found, "looks-into-documents", Level::Warning, "index broken");
        expect(&found, "looks-into-documents", Level::Warning, "view senders");
        expect(&found, "looks-into-documents", Level::Warning, "sender of table chats");
        expect(&found, "triggers", Level::Warning, "noted");
    });
}

#[test]
fn a_user_without_the_rights_is_told_which() {
    block_on(async {
        let place = Hosted::new().await;
        let role = format!("poor_{}", place.database);
        place.execute(&format!(
            "CREATE ROLE {role} LOGIN; GRANT SELECT, UPDATE ON chats TO {role};
            ALTER TABLE chats ENABLE ROW LEVEL SECURITY"
        ));
        let url = place.address().replace("exuvia@", &format!("{role}@"));
        let database = exuvia_server::postgres::Postgres::connect(&url).await.unwrap();
        let findings = database.inspect(&[&chats()], place.folder()).await.unwrap();
        let rules: Vec<_> =
            findings.iter().filter(|finding| finding.level == Level::Error).map(|finding| &*finding.rule).collect();
        assert_eq!(rules, ["not-the-owner", "row-security", "no-createdb", "no-create"], "{findings:#?}");
    });
}

#[test]
fn what_a_server_is_busy_with_is_found() {
    block_on(async {
        let place = Hosted::new().await;
        let slot = format!("slot_{}", place.database);
        place.execute(&format!("SELECT pg_create_physical_replication_slot('{slot}', true)"));
        let found = found(&place, &chats()).await;
        place.execute(&format!("SELECT pg_drop_replication_slot('{slot}')"));
        expect(&found, "replication-slot", Level::Warning, &slot);
    });
}

async fn held_up(place: &Hosted, up: &str) -> Vec<Finding> {
    let script = Script::parse("0001-x", &format!("-- up\n{up};\n-- verify\nSELECT true;\n")).unwrap();
    let database = place.open().await;
    let _lock = database.try_lock().await.unwrap();
    database.run_script(&script, Direction::Up, None).await.unwrap()
}

#[test]
fn whom_a_script_holds_up_is_seen_in_its_locks() {
    block_on(async {
        let place = Hosted::new().await;
        fill(&place, 10);
        for (up, words, level) in [
            ("CREATE INDEX by_doc ON chats ((doc->>'text'))", "from writers for", Level::Warning),
            ("ALTER TABLE chats ADD COLUMN kind text", "from readers and writers for", Level::Warning),
            ("ALTER TABLE chats ADD COLUMN at timestamptz DEFAULT clock_timestamp()", "written anew", Level::Warning),
            ("LOCK TABLE chats IN EXCLUSIVE MODE; SELECT pg_sleep(1.1)", "at most", Level::Error),
        ] {
            let found = held_up(&place, up).await;
            let [finding] = &found[..] else { panic!("{up}: {found:#?}") };
            assert_eq!((&*finding.rule, finding.level), ("holds-up", level), "{up}: {finding}");
            assert!(finding.message.contains("chats") && finding.message.contains(words), "{up}: {finding}");
        }
        assert_eq!(held_up(&place, "CREATE TABLE tags (name text); UPDATE chats SET id = id").await, []);
    });
}
