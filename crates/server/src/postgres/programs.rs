//! PostgreSQL's own programs, which know better than anyone what a database consists of.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use exuvia_core::{Error, ErrorKind, Result};
use tokio::process::{Child, Command};

use super::place::Place;

/// The folder that holds the programs, where the system does not know them.
pub(super) const FOLDER: &str = "EXUVIA_PG_BIN";

/// Between two looks at how far a program is.
const LOOK: Duration = Duration::from_millis(200);

/// A program on its way.
pub(super) struct Program {
    name: &'static str,
    child: Child,
    said: File,
}

/// The programs of one version.
pub(super) struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// Those of the server's own version: older ones do not know its tables, and what newer ones write it cannot read.
    pub(super) fn find(major: u32) -> Result<Self> {
        let named = std::env::var_os(FOLDER).map(PathBuf::from);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let known = [
            format!("/usr/lib/postgresql/{major}/bin"),
            format!("/usr/pgsql-{major}/bin"),
            format!("/opt/homebrew/opt/postgresql@{major}/bin"),
        ];
        let known = known.into_iter().map(PathBuf::from);
        let folders = named.into_iter().chain(std::env::split_paths(&path)).chain(known);
        let mut seen = Vec::new();
        for folder in folders {
            match version(&folder.join("pg_dump")) {
                Some(found) if found == major => return Ok(Self { folder }),
                Some(found) => seen.push(found.to_string()),
                None => {}
            }
        }
        seen.dedup();
        let found = if seen.is_empty() { "none".to_owned() } else { format!("version {}", seen.join(" and ")) };
        let message = format!(
            "expected pg_dump and pg_restore of version {major}, the server's own, found {found}; install them (Debian: postgresql-client-{major}), or set {FOLDER} to their folder"
        );
        Err(Error::new(ErrorKind::Snapshot, message))
    }

    /// Starts a program. The password goes by its environment, which nobody else sees.
    pub(super) fn start<A: AsRef<OsStr>>(
        &self,
        name: &'static str,
        place: &Place,
        arguments: impl IntoIterator<Item = A>,
        output: Option<File>,
    ) -> Result<Program> {
        let unstarted = |error: &std::io::Error| {
            let program = self.folder.join(name);
            Error::new(ErrorKind::Paused, format!("expected to start {}, found: {error}", program.display()))
        };
        let said = tempfile::tempfile().map_err(|error| unstarted(&error))?;
        let heard = said.try_clone().map_err(|error| unstarted(&error))?;
        let mut command = Command::new(self.folder.join(name));
        command.args(arguments).stdin(Stdio::null()).stderr(heard).stdout(output.map_or_else(Stdio::null, Stdio::from));
        enter(&mut command, place);
        let child = command.kill_on_drop(true).spawn().map_err(|error| unstarted(&error))?;
        Ok(Program { name, child, said })
    }
}

/// Whom it connects to, and as whom.
fn enter(command: &mut Command, place: &Place) {
    let strange = std::env::vars_os().map(|(name, _)| name);
    for name in strange.filter(|name| name.to_str().is_some_and(|name| name.starts_with("PG"))) {
        command.env_remove(name);
    }
    let ports: Vec<_> = place.ports().iter().map(u16::to_string).collect();
    command
        .env("PGHOST", place.host_names().join(","))
        .env("PGPORT", ports.join(","))
        .env("PGUSER", place.user())
        .env("PGDATABASE", place.database())
        .env("PGAPPNAME", "exuvia")
        .env("PGCONNECT_TIMEOUT", "10")
        .env("LC_ALL", "C");
    if let Some(password) = place.config.get_password() {
        command.env("PGPASSWORD", String::from_utf8_lossy(password).as_ref());
    }
    command.env("PGSSLMODE", &place.security.mode);
    if let Some(bundle) = place.security.bundle() {
        command.env("PGSSLROOTCERT", bundle);
    }
}

impl Program {
    /// Waits for its end, and looks about meanwhile.
    ///
    /// # Errors
    /// With what it complained of, and that of `look`, which ends it.
    pub(super) async fn end(mut self, mut look: impl AsyncFnMut() -> Result<()>) -> Result<()> {
        let unknown = |error: &std::io::Error| {
            Error::new(ErrorKind::Paused, format!("expected {} to end, found: {error}", self.name))
        };
        loop {
            match tokio::time::timeout(LOOK, self.child.wait()).await {
                Ok(Ok(status)) if status.success() => return Ok(()),
                Ok(Ok(_)) => break,
                Ok(Err(error)) => return Err(unknown(&error)),
                Err(_) => {
                    if let Err(error) = look().await {
                        let _ = self.child.kill().await;
                        return Err(error);
                    }
                }
            }
        }
        let mut said = String::new();
        // What it says is a help; without it there is still the failure.
        let _ = self.said.rewind().and_then(|()| self.said.read_to_string(&mut said));
        let message = format!("expected {} to do its part, found: {}", self.name, complaint(&said));
        Err(Error::new(ErrorKind::Paused, message))
    }
}

/// The first error that a program names. Details and contexts quote rows, so only its own line is shown, and no value that
/// a type cannot read.
fn complaint(said: &str) -> String {
    let lines = said.lines().filter(|line| !line.contains("DETAIL:") && !line.contains("CONTEXT:"));
    let line = lines.clone().find(|line| line.contains("error:")).or_else(|| lines.clone().next());
    let line = line.unwrap_or("nothing said").trim();
    match line.find("invalid ") {
        Some(at) => format!("{}invalid data", &line[..at]),
        None => line.to_owned(),
    }
}

fn version(program: &Path) -> Option<u32> {
    if !program.exists() {
        return None;
    }
    let output = std::process::Command::new(program).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let number = text.split_whitespace().find(|word| word.starts_with(|first: char| first.is_ascii_digit()))?;
    number.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_says_has_no_values() {
        let said = "pg_restore: error: could not execute query: ERROR:  duplicate key value violates unique constraint \"a\"\nDETAIL:  Key (k)=(secret) already exists.\nCONTEXT:  COPY a, line 1: \"secret\"\n";
        assert!(complaint(said).contains("unique constraint") && !complaint(said).contains("secret"));
        let said =
            "pg_restore: error: COPY failed for table \"a\": ERROR:  invalid input syntax for type json: \"secret\"";
        assert!(!complaint(said).contains("secret"), "{}", complaint(said));
    }
}
