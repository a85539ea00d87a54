use exuvia_core::{Error, ErrorKind};
use rusqlite::ErrorCode;

/// What SQLite says, as an error of ours. Its messages name tables and columns, and no values.
pub(super) fn told(error: rusqlite::Error) -> Error {
    let (kind, todo) = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            (ErrorKind::Paused, "; another process holds the database: run it again when that one has ended")
        }
        Some(ErrorCode::DiskFull) => (ErrorKind::Paused, "; make room on the disk and run it again: it goes on"),
        Some(
            ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied,
        ) => (ErrorKind::Paused, "; when the file can be written, run it again: it goes on"),
        Some(ErrorCode::ConstraintViolation) => (ErrorKind::Unfit, "; the table's own constraints forbid it"),
        _ => (ErrorKind::Store, ""),
    };
    Error::new(kind, format!("expected the database to do its part, found: {error}{todo}"))
}
