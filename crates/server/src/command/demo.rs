use std::path::{Path, PathBuf};

use clap::{Args, Parser};
use rusqlite::Connection;
use serde_json::json;

use crate::Arguments;
use crate::failure::Failure;
use crate::output::{self, Output};

/// Make a SQLite database with conversations, preferences and distillations, and take it through a whole run
///
/// Everything is in one new folder, with the project's file and the chain; what is shown are the commands themselves.
#[derive(Args)]
pub(crate) struct Demo {
    /// The folder to make
    #[arg(default_value = "exuvia-demo")]
    folder: PathBuf,
    /// How many conversations
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    conversations: u32,
}

const CHAIN: [(&str, &str); 6] = [
    ("0001-baseline.json", include_str!("../../../../extension/chain/0001-baseline.json")),
    ("0002-ai-settings.json", include_str!("../../../../extension/chain/0002-ai-settings.json")),
    ("0003-conversation-keys.json", include_str!("../../../../extension/chain/0003-conversation-keys.json")),
    ("0004-distillation-notes.json", include_str!("../../../../extension/chain/0004-distillation-notes.json")),
    ("0005-privacy.json", include_str!("../../../../extension/chain/0005-privacy.json")),
    ("chain.lock.json", include_str!("../../../../extension/chain/chain.lock.json")),
];

const PROJECT: &str = r#"# Which tables hold the collections of the chain.
chain = "chain"
backups = "backups"

[collections.conversations]
table = "conversations"
key = "id"
document = "document"

[collections.user_preferences]
table = "users"
key = "id"
document = "preferences"

[collections.distillations]
table = "distillations"
key = "id"
document = "document"

[environments.development]
file = "app.db"
"#;

const TABLES: &str = "
    CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL, preferences TEXT NOT NULL);
    CREATE TABLE conversations (id TEXT PRIMARY KEY, owner INTEGER NOT NULL REFERENCES users, document TEXT NOT NULL);
    CREATE TABLE distillations (id TEXT PRIMARY KEY, document TEXT NOT NULL);
";

/// Of a user who goes on working after the update.
const EDIT: &str =
    "UPDATE conversations SET document = json_set(document, '$.title', 'Renamed since') WHERE id = 'c-1'";

impl Demo {
    pub(crate) fn run(self, output: Output) -> Result<(), Failure> {
        self.make()?;
        self.say(output, "exuvia status")?;
        self.say(output, "exuvia plan")?;
        self.say(output, "exuvia up")?;
        self.tell(output, "\nA user renames a conversation, in the new form:\n")?;
        self.database()?.execute_batch(EDIT).map_err(|error| self.unmade(&error))?;
        self.say(output, "exuvia down --to 1")?;
        self.tell(output, &format!("\n  title of c-1 at version 1: {}\n", self.title()?))?;
        self.say(output, "exuvia up")?;
        self.tell(output, &format!("\n  title of c-1 at version 5: {}\n", self.title()?))?;
        self.say(output, "exuvia verify")?;
        self.say(output, "exuvia log")?;
        self.say(output, "exuvia report")
    }

    fn make(&self) -> Result<(), Failure> {
        let folder = &self.folder;
        let chain = folder.join("chain");
        std::fs::create_dir(folder).and_then(|()| std::fs::create_dir(&chain)).map_err(Failure::file(folder))?;
        for (name, text) in CHAIN {
            let path = chain.join(name);
            std::fs::write(&path, text).map_err(Failure::file(&path))?;
        }
        let project = folder.join("exuvia.toml");
        std::fs::write(&project, PROJECT).map_err(Failure::file(&project))?;
        self.fill().map_err(|error| self.unmade(&error))
    }

    fn fill(&self) -> rusqlite::Result<()> {
        let mut database = Connection::open(self.folder.join("app.db"))?;
        database.execute_batch(TABLES)?;
        let filling = database.transaction()?;
        for user in 1_u32..=20 {
            let mode = ["strict", "balanced", "open"][user as usize % 3];
            let preferences = json!({ "model_preference": "large", "privacy_mode": mode, "theme": "dark",
                "shortcuts": { "distill": "Ctrl+D" }, "api_keys": {}, "experiment": user });
            let row = (user, format!("user {user}"), preferences.to_string());
            filling.execute("INSERT INTO users VALUES (?, ?, ?)", row)?;
        }
        for index in 1..=self.conversations {
            let start = 1_700_000_000.25 + f64::from(index) * 977.5;
            let messages: Vec<_> = (0..2 + index % 7)
                .map(|turn| {
                    let sender = ["human", "assistant"][turn as usize % 2];
                    json!({ "sender": sender, "text": format!("message {turn} of {index}"), "time": start + f64::from(turn) })
                })
                .collect();
            let document = json!({ "id": format!("c-{index}"), "title": format!("Conversation {index}"),
                "create_time": start, "update_time": start + 60.0, "messages": messages });
            let row = (format!("c-{index}"), 1 + index % 20, document.to_string());
            filling.execute("INSERT INTO conversations VALUES (?, ?, ?)", row)?;
        }
        for index in 1..=self.conversations / 10 {
            let document = json!({ "conversation": format!("c-{index}"), "text": format!("What {index} came to"),
                "tags": "notes, work", "created": 1_700_000_000 + index });
            filling.execute("INSERT INTO distillations VALUES (?, ?)", (format!("d-{index}"), document.to_string()))?;
        }
        filling.commit()
    }

    fn database(&self) -> Result<Connection, Failure> {
        Connection::open(self.folder.join("app.db")).map_err(|error| self.unmade(&error))
    }

    fn title(&self) -> Result<String, Failure> {
        let sql = "SELECT document ->> '$.title' FROM conversations WHERE id = 'c-1'";
        self.database()?.query_row(sql, [], |row| row.get(0)).map_err(|error| self.unmade(&error))
    }

    /// Shows a command, and runs it as if it had been typed.
    fn say(&self, output: Output, line: &str) -> Result<(), Failure> {
        self.tell(output, &format!("\n$ {line}\n"))?;
        let project = self.folder.join("exuvia.toml");
        let words = line.split(' ').map(std::ffi::OsString::from).chain(["--config".into(), project.into_os_string()]);
        Arguments::try_parse_from(words).map_err(Failure::Usage)?.command.run(output)
    }

    fn tell(&self, output: Output, text: &str) -> Result<(), Failure> {
        if output.json { Ok(()) } else { output::write(text) }
    }

    fn unmade(&self, error: &rusqlite::Error) -> Failure {
        Failure::file(Path::new(&self.folder.join("app.db")))(std::io::Error::other(error.to_string()))
    }
}
