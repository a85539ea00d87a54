//! The command line from outside: what it prints, and what it exits with. Snapshots beside this file hold the reports
//! and messages; `INSTA_UPDATE=always cargo test -p exuvia-server` writes them anew.

#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod check;
mod collections;
mod completions;
mod databases;
mod diff;
mod explain;
mod infer;
mod lock;
mod messages;
mod new;
mod translate;
mod types;

use std::fmt;
use std::path::PathBuf;

use assert_cmd::Command;
use tempfile::TempDir;

/// Stands for what users wrote. No message may ever hold it.
const SECRET: &str = "geheim";

const BASELINE: &str = r#"{
  "$schema": "../migration.schema.json",
  "exuvia": 1,
  "id": "baseline",
  "collections": {
    "notes": {
      "layout": { "key": "notes", "as": "array", "id": "/id" },
      "schema": {
        "type": "object",
        "required": ["id", "title", "mode", "time"],
        "properties": {
          "id": { "type": "string" },
          "title": { "type": "string" },
          "mode": { "enum": ["open", "shut"] },
          "time": { "type": "number" },
          "legacy": { "type": "string" },
          "items": { "type": "array", "items": { "type": "object", "properties": { "tag": { "type": "string" } } } }
        }
      }
    }
  }
}
"#;

const NAMES: &str = r#"{
  "$schema": "../migration.schema.json",
  "exuvia": 1,
  "id": "names",
  "parents": ["baseline"],
  "layout": { "notes": { "from": { "key": "notes", "as": "array", "id": "/id" }, "to": { "prefix": "note:" } } },
  "change": {
    "notes": [
      { "rename": "/title", "to": "/name" },
      { "map": "/mode", "table": { "open": "public", "shut": "private" } }
    ]
  }
}
"#;

const TIDY: &str = r#"{
  "$schema": "../migration.schema.json",
  "exuvia": 1,
  "id": "tidy",
  "parents": ["names"],
  "change": {
    "notes": [
      { "remove": "/legacy" },
      { "convert": "/time", "from": "epoch-s", "to": "iso" },
      { "each": "/items", "do": [{ "rename": "/tag", "to": "/label" }] }
    ]
  }
}
"#;

/// At version 1.
const RECORDS: &str = r#"{"id":"a","title":"geheim","mode":"open","time":1700000000.25,"legacy":"geheim","items":[{"tag":"x"}],"own":{"geheim":1}}
{"id":"b","title":"","mode":"shut","time":0}
"#;

/// The same at version 3.
const MOVED: &str = r#"{"id":"a","mode":"public","time":"2023-11-14T22:13:20.25Z","items":[{"label":"x"}],"own":{"geheim":1},"name":"geheim"}
{"id":"b","mode":"private","time":"1970-01-01T00:00:00Z","name":""}
"#;

/// A folder that commands run in.
struct Folder(TempDir);

/// What came of a command.
struct Ran {
    command: String,
    code: i32,
    stdout: String,
    stderr: String,
}

impl Folder {
    fn empty() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// With the three migrations above, locked, in `chain`.
    fn with_chain() -> Self {
        let folder = Self::empty();
        folder.write("chain/0001-baseline.json", BASELINE);
        folder.write("chain/0002-names.json", NAMES);
        folder.write("chain/0003-tidy.json", TIDY);
        assert_eq!(folder.run("lock --chain chain").code, 0);
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        std::fs::write(self.path(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    fn run(&self, arguments: &str) -> Ran {
        self.pipe(arguments, "")
    }

    /// Runs a command on an input. Whatever it is, what users wrote is not on standard error.
    fn pipe(&self, arguments: &str, input: impl Into<Vec<u8>>) -> Ran {
        let mut command = Command::cargo_bin("exuvia").unwrap();
        let output = command.current_dir(&self.0).args(arguments.split(' ')).write_stdin(input).output().unwrap();
        let ran = Ran {
            command: arguments.to_owned(),
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        assert!(!ran.stderr.contains(SECRET), "{ran}");
        ran
    }
}

impl Ran {
    /// The one JSON object on standard error.
    fn error(&self) -> serde_json::Value {
        serde_json::from_str(&self.stderr).unwrap_or_else(|_| panic!("expected one object on standard error: {self}"))
    }

    fn report(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|_| panic!("expected one object on standard output: {self}"))
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { command, code, stdout, stderr } = self;
        write!(f, "$ exuvia {command}\n{stdout}")?;
        write!(f, "{}{stderr}exit code {code}", if stderr.is_empty() { "" } else { "--- standard error\n" })
    }
}
