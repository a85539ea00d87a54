use std::fmt;

use super::grammar::quote;
use super::scan::is_deeper;
use crate::error::{Error, ErrorKind, Result};

/// How deep a document may nest. `chrome.storage` turns everything below depth 100 into null without an error
/// (Chromium's value serialisation), and BSON stops at 100.
pub const DEPTH_LIMIT: usize = 99;

/// Checks that `text`, which need not be valid JSON, nests no deeper than `limit`.
///
/// # Errors
/// [`ErrorKind::Unfit`] where it does.
pub(super) fn check_depth(text: &str, limit: usize) -> Result<()> {
    if is_deeper(text, limit) {
        let message =
            format!("expected at most {DEPTH_LIMIT} levels of nesting, found more; browsers drop what lies deeper");
        return Err(Error::new(ErrorKind::Unfit, message));
    }
    Ok(())
}

/// A name or a key in a message, as JSON writes it. What the standard library would write instead comes with tables of
/// Unicode that everybody who downloads the module would pay for.
pub struct Quoted<'t>(pub &'t str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut quoted = String::new();
        quote(self.0, &mut quoted);
        f.write_str(&quoted)
    }
}
