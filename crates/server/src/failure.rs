//! The one error of this crate, and how it is told.

use std::io::{self, IsTerminal, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use clap::error::ErrorKind as UsageKind;
use exuvia_core::ErrorKind;
use exuvia_core::error::Context;
use exuvia_core::protocol::Status;
use serde::Serialize;

use crate::output::printable;

/// Why a command did not do its work.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The arguments are wrong; or clap was asked for help, which it takes for an error too.
    Usage(clap::Error),
    /// The chain, or a record, is not what it should be.
    Exuvia { place: Place, error: exuvia_core::Error },
    /// A file or pipe could not be read or written.
    File { path: PathBuf, error: io::Error },
    /// Something is to be done first.
    Stale(String),
    /// What was found wrong, or different, stands in the report.
    Found,
}

/// Where in a file.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// In no file.
    Nowhere,
    /// Somewhere.
    File(PathBuf),
    /// In a line, counted from 1: a record.
    Line { file: PathBuf, number: usize },
    /// At these bytes of the text: a place in a chain file.
    Span { file: PathBuf, text: String, span: Range<usize> },
}

/// A failure as one JSON object.
#[derive(Serialize)]
struct Told<'f> {
    kind: &'static str,
    message: String,
    #[serde(flatten)]
    context: Context,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'f Path>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
}

impl Failure {
    /// As `exuvia --help` lists them. A reader that has seen enough of our output is no failure.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Failure::Exuvia { error, .. } if is_passing(error.kind()) => 4,
            Failure::Exuvia { .. } | Failure::Stale(_) | Failure::Found => 1,
            Failure::Usage(error) => error.exit_code() as u8,
            Failure::File { error, .. } if error.kind() == io::ErrorKind::BrokenPipe => 0,
            Failure::File { .. } => 3,
        }
    }

    /// An argument that only the chain shows to be wrong.
    pub(crate) fn usage(message: impl std::fmt::Display) -> Self {
        Failure::Usage(clap::Error::raw(UsageKind::ValueValidation, format!("{message}\n")))
    }

    /// Data that is in no state to be moved.
    pub(crate) fn state(status: Status) -> Self {
        let problem =
            status.problem.map_or_else(|| "expected data that can be moved".to_owned(), |found| found.message);
        Failure::from(exuvia_core::Error::new(ErrorKind::Fork, problem))
    }

    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Failure::File { path, error }
    }

    pub(crate) fn stdout(error: io::Error) -> Self {
        Failure::file(Path::new("standard output"))(error)
    }

    /// Says it on standard error. Nobody can be told if that fails too.
    pub(crate) fn tell(&self, json: bool) {
        let told = match self {
            Failure::Found => return,
            Failure::File { error, .. } if error.kind() == io::ErrorKind::BrokenPipe => return,
            Failure::Usage(error) if !json || !error.use_stderr() => return drop(error.print()),
            _ if json => serde_json::to_string(self).unwrap_or_default(),
            Failure::Exuvia { place: Place::Span { file, text, span }, error } => underlined(file, text, span, error),
            _ => format!("error: {self}"),
        };
        let _ = writeln!(io::stderr(), "{told}");
    }

    fn told(&self) -> Told<'_> {
        let plain = |kind: &'static str, message: String, file| Told {
            kind,
            message,
            context: Context::default(),
            file,
            line: None,
        };
        match self {
            Failure::Exuvia { place, error } => Told {
                kind: error.kind().name(),
                message: error.message().to_owned(),
                context: error.context().clone(),
                file: place.file(),
                line: place.line(),
            },
            Failure::File { path, error } => plain("file", error.to_string(), Some(path)),
            Failure::Stale(message) => plain("stale", message.clone(), None),
            Failure::Usage(error) => {
                // The first paragraph; usage and hints follow.
                let text = error.to_string();
                let lines: Vec<_> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
                plain("usage", lines.join(" ").trim_start_matches("error: ").to_owned(), None)
            }
            Failure::Found => plain("found", String::new(), None),
        }
    }
}

/// What another start may find gone: nothing was decided, and nothing is lost.
fn is_passing(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Paused | ErrorKind::Busy | ErrorKind::Fenced)
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Exuvia { place, error } => f.write_str(&printable(&format!("{place}{error}"))),
            Failure::File { path, error } => write!(f, "{}: {error}", path.display()),
            Failure::Stale(message) => f.write_str(message),
            Failure::Usage(error) => error.fmt(f),
            Failure::Found => Ok(()),
        }
    }
}

impl Serialize for Failure {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.told().serialize(serializer)
    }
}

impl Place {
    fn file(&self) -> Option<&Path> {
        match self {
            Place::Nowhere => None,
            Place::File(file) | Place::Line { file, .. } | Place::Span { file, .. } => Some(file),
        }
    }

    fn line(&self) -> Option<usize> {
        match self {
            Place::Nowhere | Place::File(_) => None,
            Place::Line { number, .. } => Some(*number),
            Place::Span { text, span, .. } => Some(text.as_bytes()[..span.start].split(|byte| *byte == b'\n').count()),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.file(), self.line()) {
            (Some(file), Some(line)) => write!(f, "{}, line {line}: ", file.display()),
            (Some(file), None) => write!(f, "{}: ", file.display()),
            (None, _) => Ok(()),
        }
    }
}

impl From<exuvia_core::Error> for Failure {
    fn from(error: exuvia_core::Error) -> Self {
        Failure::Exuvia { place: Place::Nowhere, error }
    }
}

/// The lines of the file around the place, with the place underlined. Colours are for terminals whose owner wants them.
fn underlined(file: &Path, text: &str, span: &Range<usize>, error: &exuvia_core::Error) -> String {
    let Context { collection, step, path, .. } = error.context();
    let places = [("collection", collection), ("step", step), ("path", path)];
    let places = places.iter().filter_map(|(name, place)| Some(format!("{name} {}", place.as_ref()?)));
    let label = places.collect::<Vec<_>>().join(", ");
    let mark = AnnotationKind::Primary.span(span.clone()).label(label);
    let snippet = Snippet::source(text).path(file.display().to_string()).annotation(mark);
    let report = [Level::ERROR.primary_title(error.message()).element(snippet)];
    let coloured = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    if coloured { Renderer::styled() } else { Renderer::plain() }.render(&report)
}
