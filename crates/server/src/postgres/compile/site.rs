//! Where a body runs.

use exuvia_core::lens::Way;

use super::place::Focus;

/// What the primitives of a body work on, by the names of variables.
#[derive(Clone, Debug)]
pub(super) struct Site {
    /// The record, or what a body inside it runs on.
    pub(super) focus: Focus,
    /// Which way.
    pub(super) way: Way,
    /// The variable with the residue that led here, an object with a member a primitive; NULL where there is none. `None`
    /// where it is known that there is none, so that nobody need look.
    pub(super) memory: Option<String>,
    /// The residue for the way back; NULL where there is none.
    pub(super) kept: String,
    /// An expression for the record's key and the place in the record, which made ids start from.
    pub(super) scope: String,
}
