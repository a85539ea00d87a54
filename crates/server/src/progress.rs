//! How far a long reading of standard input is, for whoever sits at the terminal.

use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressStyle};

/// Counted between two looks at the clock.
const CHUNK: usize = 1 << 18;

/// Lines, bytes and speed on standard error; nothing where nobody sees it, or where somebody is typing the input.
pub(crate) struct Progress {
    bar: ProgressBar,
    lines: u64,
    bytes: usize,
}

impl Progress {
    pub(crate) fn on_terminal() -> Self {
        let seen = io::stderr().is_terminal() && !io::stdin().is_terminal();
        let bar = if seen { bar() } else { ProgressBar::hidden() };
        Self { bar, lines: 0, bytes: 0 }
    }

    /// A line of so many bytes is done.
    pub(crate) fn line(&mut self, bytes: usize) {
        self.lines += 1;
        self.bytes += bytes + 1;
        if self.bytes >= CHUNK && !self.bar.is_hidden() {
            self.bar.inc(self.bytes as u64);
            self.bar.set_message(format!("{} lines", self.lines));
            self.bytes = 0;
        }
    }
}

impl Drop for Progress {
    /// An error that follows stands alone.
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn bar() -> ProgressBar {
    let (bar, template) = match length_of_input() {
        Some(length) => {
            (ProgressBar::new(length), "{percent:>3} % {wide_bar} {msg}, {decimal_bytes_per_sec}, {eta} left")
        }
        None => (ProgressBar::no_length(), "{msg}, {decimal_bytes}, {decimal_bytes_per_sec}"),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Known where the input is a file, on systems that show it as one.
fn length_of_input() -> Option<u64> {
    let about = std::fs::metadata("/dev/stdin").ok()?;
    about.is_file().then_some(about.len())
}
