//! The one error of this crate.

use std::path::{Path, PathBuf};

/// Why a command did not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The chain, or a record, is not what it should be.
    #[error("{place}{error}")]
    Exuvia {
        /// The file or line, with a colon and a space; or empty.
        place: String,
        error: exuvia_core::Error,
    },
    /// A file could not be read or written.
    #[error("{}: {error}", path.display())]
    File { path: PathBuf, error: std::io::Error },
    /// A check found something to do.
    #[error("{0}")]
    Stale(String),
}

impl Failure {
    /// 1: the data or the chain is at fault. 2 is clap's, for wrong arguments. 3: a file or pipe failed.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Failure::Exuvia { .. } | Failure::Stale(_) => 1,
            Failure::File { .. } => 3,
        }
    }

    pub(crate) fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |error| Failure::File { path, error }
    }
}

impl From<exuvia_core::Error> for Failure {
    fn from(error: exuvia_core::Error) -> Self {
        Failure::Exuvia { place: String::new(), error }
    }
}
