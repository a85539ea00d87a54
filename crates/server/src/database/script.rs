//! Migrations in SQL, for what only SQL can say: indexes, constraints, other tables.

use std::path::Path;

use exuvia_core::{Error, ErrorKind, Result};

/// A file `NAME.sql` with a part that does something, one that undoes it, and one that says whether it is done.
///
/// ```sql
/// -- after: ai-settings
/// -- up
/// CREATE INDEX by_owner ON conversations (owner);
/// -- down
/// DROP INDEX by_owner;
/// -- verify
/// SELECT count(*) = 1 FROM pg_indexes WHERE indexname = 'by_owner';
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The file's name without its end. Scripts run in the order of their names.
    pub name: String,
    /// The digest of the file.
    pub digest: String,
    /// The migration of the chain that the data must have run.
    pub after: Option<String>,
    /// Whether it can run in no transaction: then it runs alone, and a try that was cut off is undone before the next.
    pub is_alone: bool,
    /// What it does.
    pub up: String,
    /// What undoes it; `None` where nothing does.
    pub down: Option<String>,
    /// Questions that are each answered by one true value, once it is done.
    pub verify: String,
}

/// A script that a database knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its name.
    pub name: String,
    /// The digest that it had.
    pub digest: String,
    /// Whether it was done; else it was begun, and cut off.
    pub is_done: bool,
}

impl Script {
    /// Reads a file's text.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] with the line, where it is not in its parts.
    pub fn parse(name: &str, text: &str) -> Result<Self> {
        let (mut after, mut is_alone) = (None, false);
        let mut parts: [Option<String>; 3] = Default::default();
        let mut open = None;
        for (index, line) in text.lines().enumerate() {
            let wrong = |message: String| Error::new(ErrorKind::Chain, message).at_line(index + 1);
            let comment = line.trim().strip_prefix("--").map(str::trim);
            let part = comment.and_then(|word| PARTS.iter().position(|part| *part == word));
            match (part, comment, open) {
                (Some(part), _, _) if parts[part].is_some() => {
                    return Err(wrong(format!("expected one part `-- {}`, found a second", PARTS[part])));
                }
                (Some(part), _, _) => {
                    parts[part] = Some(String::new());
                    open = Some(part);
                }
                (None, Some("outside a transaction"), None) => is_alone = true,
                (None, Some(comment), None) => {
                    after = comment.strip_prefix("after:").map(|id| id.trim().to_owned()).or(after);
                }
                (None, _, Some(part)) => {
                    let text = parts[part].get_or_insert_default();
                    text.push_str(line);
                    text.push('\n');
                }
                (None, None, None) if line.trim().is_empty() => {}
                (None, None, None) => return Err(wrong("expected `-- up` before the first statement".to_owned())),
            }
        }
        let [up, down, verify] = parts.map(|part| part.filter(|text| has_statement(text)));
        let missing = |part: &str| {
            Error::new(ErrorKind::Chain, format!("expected a part `-- {part}` with a statement, found none"))
        };
        Ok(Self {
            name: name.to_owned(),
            digest: blake3::hash(text.as_bytes()).to_hex().to_string(),
            after,
            is_alone,
            up: up.ok_or_else(|| missing("up"))?,
            down,
            verify: verify.ok_or_else(|| missing("verify"))?,
        })
    }

    /// Reads a folder's `.sql` files, by their names; none where there is no folder.
    ///
    /// # Errors
    /// As [`Script::parse`], and [`ErrorKind::Chain`] where a file cannot be read.
    pub fn read_all(folder: &Path) -> Result<Vec<Self>> {
        let Ok(entries) = std::fs::read_dir(folder) else { return Ok(Vec::new()) };
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|end| end == "sql"));
        paths.sort();
        let read = |path: &std::path::PathBuf| {
            let placed =
                |error: &dyn std::fmt::Display| Error::new(ErrorKind::Chain, format!("{}: {error}", path.display()));
            let text = std::fs::read_to_string(path).map_err(|error| placed(&error))?;
            let name = path.file_stem().map(|name| name.to_string_lossy()).unwrap_or_default();
            Self::parse(&name, &text).map_err(|error| placed(&error))
        };
        paths.iter().map(read).collect()
    }
}

const PARTS: [&str; 3] = ["up", "down", "verify"];

fn has_statement(text: &str) -> bool {
    text.lines().any(|line| !line.trim().is_empty() && !line.trim().starts_with("--"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_read_in_its_parts() {
        let text = "-- What it is for.\n-- after: ai-settings\n-- outside a transaction\n\n-- up\nA;\n-- a comment\nB;\n-- down\nC;\n-- verify\nSELECT true;\n";
        let script = Script::parse("0001-index", text).unwrap();
        assert_eq!((script.after.as_deref(), script.is_alone), (Some("ai-settings"), true));
        assert_eq!((&*script.up, script.down.as_deref()), ("A;\n-- a comment\nB;\n", Some("C;\n")));
        assert_eq!(script.verify, "SELECT true;\n");
    }

    #[test]
    fn what_is_missing_or_twice_is_said_with_its_line() {
        for (text, expected) in [
            ("SELECT 1;\n", "line 1: expected `-- up`"),
            ("-- up\nA;\n", "`-- verify`"),
            ("-- up\n-- nothing\n-- verify\nA;\n", "`-- up` with a statement"),
            ("-- up\nA;\n-- up\nB;\n", "line 3: expected one part"),
        ] {
            let error = Script::parse("x", text).unwrap_err();
            assert!(error.to_string().contains(expected), "{text:?}: {error}");
        }
    }
}
