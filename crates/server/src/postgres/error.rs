//! What the server says, as errors of ours. It may quote values: in the details always, in the message of some kinds.

use exuvia_core::{Error, ErrorKind};
use tokio_postgres::error::{DbError, SqlState};

/// What went wrong inside a transaction.
pub(super) enum Trouble {
    /// The server, or the way to it.
    Server(tokio_postgres::Error),
    /// Anything else.
    Ours(Error),
}

pub(super) type Result<T, E = Trouble> = std::result::Result<T, E>;

impl From<tokio_postgres::Error> for Trouble {
    fn from(error: tokio_postgres::Error) -> Self {
        Trouble::Server(error)
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Trouble::Ours(error)
    }
}

impl From<Trouble> for Error {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Server(error) => told(&error),
            Trouble::Ours(error) => error,
        }
    }
}

impl Trouble {
    /// Whether the same may well work a moment later: a lock that was not to be had, or two transactions in each other's
    /// way.
    pub(super) fn is_passing(&self) -> bool {
        let Trouble::Server(error) = self else { return false };
        let passing =
            [&SqlState::LOCK_NOT_AVAILABLE, &SqlState::T_R_SERIALIZATION_FAILURE, &SqlState::T_R_DEADLOCK_DETECTED];
        error.code().is_some_and(|code| passing.contains(&code))
    }
}

fn told(error: &tokio_postgres::Error) -> Error {
    match error.as_db_error() {
        Some(error) => refused(error),
        None if error.is_closed() || is_io(error) => Error::new(
            ErrorKind::Paused,
            "expected an answer from the server, found the connection lost; run it again when the server can be reached: it goes on",
        ),
        // How a value could not be read or written names types, and what could not be agreed on with the server.
        None => Error::new(ErrorKind::Store, format!("expected the server to do its part, found: {error}")),
    }
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
}

fn refused(error: &DbError) -> Error {
    let code = error.code().code();
    let (kind, found, todo) = match (&code[..2], code) {
        (_, "55P03") => (
            ErrorKind::Paused,
            said(error),
            "another session holds what it needs (pg_stat_activity and pg_blocking_pids() show which): run it again when that one has ended",
        ),
        (_, "57014") => (ErrorKind::Paused, said(error), "run it again: it goes on"),
        ("40", _) => (ErrorKind::Paused, said(error), "others write at the same places: run it again, it goes on"),
        ("57" | "08", _) => (ErrorKind::Paused, said(error), "run it again when the server is back: it goes on"),
        (_, "53100") => (ErrorKind::Paused, said(error), "make room on the server's disk and run it again: it goes on"),
        ("53" | "58", _) => {
            (ErrorKind::Paused, said(error), "run it again when the server has what it lacks: it goes on")
        }
        (_, "25006") => (ErrorKind::Paused, said(error), "connect to the primary, where it can be written"),
        ("28", _) => (
            ErrorKind::Store,
            "that it lets nobody in by this name and password".to_owned(),
            "check the user and the password in the URL, and the server's pg_hba.conf",
        ),
        (_, "3D000") => (ErrorKind::Store, "no database of this name".to_owned(), "check the URL"),
        (_, "42501") => (ErrorKind::Store, said(error), "give the user that right, or run it as the tables' owner"),
        ("23", _) => (ErrorKind::Unfit, constraint(error), "the table's own constraints forbid it"),
        ("22", _) => (
            ErrorKind::Unfit,
            format!("a value that its column cannot hold{} (SQLSTATE {code})", place(error)),
            "see how the steps make it",
        ),
        // A trigger's own words may hold anything.
        ("P0" | "38" | "39", _) => (
            ErrorKind::Unfit,
            format!("that a trigger or function of the database refuses it (SQLSTATE {code})"),
            "see the server's log",
        ),
        _ => (ErrorKind::Store, format!("{} (SQLSTATE {code})", said(error)), "see the server's log"),
    };
    Error::new(kind, format!("expected the server to do its part, found {found}; {todo}"))
}

/// The message of a kind that names things, and quotes no values.
fn said(error: &DbError) -> String {
    format!("{}{}", error.message(), place(error))
}

fn constraint(error: &DbError) -> String {
    let name = error.constraint().map_or_else(|| "a constraint".to_owned(), |name| format!("the constraint {name:?}"));
    format!("{name} violated{}", place(error))
}

fn place(error: &DbError) -> String {
    match (error.table(), error.column()) {
        (Some(table), Some(column)) => format!(" in {table}.{column}"),
        (Some(table), None) => format!(" in the table {table:?}"),
        _ => String::new(),
    }
}
