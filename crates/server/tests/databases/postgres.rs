use std::path::Path;
use std::sync::{Arc, Mutex, Weak};

use ::postgres::{Client, NoTls, SimpleQueryMessage};
use exuvia_core::chain::{Chain, Lock, Migration, Route, Version};
use exuvia_server::database::{Database, Direction, Level, Script, Side, Stamp};
use exuvia_server::postgres::Postgres;
use tempfile::TempDir;

use crate::place::{Place, Start, block_on, chain, fill};
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

    fn keep_as_it_is(&self, key: &str) {
        self.execute(&format!(
            "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
             CREATE TRIGGER kept BEFORE UPDATE ON chats FOR EACH ROW WHEN (OLD.id = '{key}') EXECUTE FUNCTION keep()"
        ));
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

/// Makes a table large, a page to a row.
const GROW: &str = "ALTER TABLE chats ADD COLUMN filler text; ALTER TABLE chats ALTER filler SET STORAGE PLAIN;
    UPDATE chats SET filler = repeat('x', 7000)";

#[test]
fn the_last_rows_are_found_without_a_look_at_all_others_while_writers_wait() {
    block_on(async {
        let place = Hosted::new().await;
        fill(&place, 1_500);
        place.execute(GROW);
        let (stamp, table) = (Stamp(7), Start::new(&place, &chain(2)).table);
        let database = place.open().await;
        let lock = database.try_lock().await.unwrap();
        database.install(&table, stamp, Version(2)).await.unwrap();
        place.execute("SET exuvia.run = 'on'; UPDATE chats SET exuvia_stamp = 7 WHERE id > 'k00002'");
        database.narrow(&table, stamp, Side::Before).await.unwrap();
        place.execute("UPDATE chats SET doc = '{\"sender\":\"human\",\"text\":\"late\"}' WHERE id = 'k00100'");
        assert_eq!(database.remaining(&table, stamp, Side::Before).await.unwrap(), 4);
        drop((lock, database));
        let index = "SELECT idx_scan || '' FROM pg_stat_user_indexes WHERE indexrelname LIKE 'exuvia_left%'";
        // A session that has ended tells what it did a moment later.
        for _ in 0..50 {
            if place.query(index) == ["1"] {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("the index was asked {:?} times", place.query(index));
    });
}

#[test]
fn where_no_index_can_be_built_the_table_is_gone_through() {
    block_on(async {
        let place = Hosted::new().await;
        place.execute(
            "DROP TABLE chats; CREATE TABLE chats (id text PRIMARY KEY, doc jsonb) PARTITION BY HASH (id);
             CREATE TABLE chats_0 PARTITION OF chats FOR VALUES WITH (MODULUS 2, REMAINDER 0);
             CREATE TABLE chats_1 PARTITION OF chats FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
        );
        fill(&place, 1_500);
        place.execute(GROW);
        let status = Start::new(&place, &chain(2)).up().await.unwrap();
        assert_eq!(status.version, Version(2), "{status:?}");
        assert_eq!(place.query("SELECT count(*) FROM chats WHERE doc -> 'body' IS NULL"), ["0"]);
    });
}

#[test]
fn a_plan_says_how_rows_move_and_why() {
    block_on(async {
        let place = Hosted::new().await;
        let found = async |chain: &Chain| {
            let route = Route::between((chain, Version(1)), (chain, Version(2)));
            let findings = Start::new(&place, chain).with(async |target| target.assess(&route).await).await.unwrap();
            findings.into_iter().find(|finding| matches!(&*finding.rule, "set-based" | "row-by-row")).unwrap()
        };
        let chain = chain(2);
        assert_eq!(found(&chain).await.rule, "set-based");
        place.execute("ALTER TABLE chats ALTER doc TYPE json");
        let finding = found(&chain).await;
        assert_eq!((&*finding.rule, finding.level), ("row-by-row", Level::Note));
        assert!(finding.message.contains("the type json"), "{finding}");
        place.execute("ALTER TABLE chats ALTER doc TYPE jsonb");
        let nul = r#"{ "exuvia": 1, "id": "nul", "parents": ["baseline"], "change": { "chats": [
            { "set": "/text", "value": "\u0000" } ] } }"#;
        let migrations = [crate::place::BASELINE, nul].map(|text| Migration::parse(text).unwrap());
        let chain = Chain::arrange(migrations.into(), &Lock::default()).unwrap();
        let finding = found(&chain).await;
        assert!(finding.message.contains("migration nul, step 1 (set): a text with the character U+0000"), "{finding}");
    });
}

/// Two rows of one key stand in the way of a unique index, which stays behind, not valid, until they do no more.
#[test]
fn an_index_that_was_cut_off_is_removed_and_made_again() {
    let script = "-- outside a transaction\n-- up\nCREATE UNIQUE INDEX CONCURRENTLY by_text ON chats ((doc ->> 'text'));\n\
        -- down\nDROP INDEX CONCURRENTLY IF EXISTS by_text;\n\
        -- verify\nSELECT indisvalid FROM pg_index WHERE indexrelid = 'by_text'::regclass;\n";
    let script = [Script::parse("0001-by-text", script).unwrap()];
    block_on(async {
        let place = Hosted::new().await;
        fill(&place, 10);
        let chain = chain(1);
        let database = place.open().await;
        let lock = database.try_lock().await.unwrap();
        place.execute("INSERT INTO chats (id, doc) SELECT 'twin', doc FROM chats WHERE id = 'k00001'");
        database.run_script(&script[0], Direction::Up, None).await.unwrap_err();
        let invalid = "SELECT count(*) || '' FROM pg_index WHERE NOT indisvalid";
        assert_eq!(place.query(invalid), ["1"]);
        assert!(!database.scripts().await.unwrap()[0].is_done);
        drop((lock, database));
        place.execute("DELETE FROM chats WHERE id = 'twin'");
        assert_eq!(Start::new(&place, &chain).scripts(&script).await.unwrap(), ["0001-by-text"]);
        assert_eq!(place.query(invalid), ["0"]);
    });
}
