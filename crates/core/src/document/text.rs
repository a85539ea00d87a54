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
