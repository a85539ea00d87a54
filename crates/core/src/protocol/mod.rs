//! The one way from an old version to a new one, for every store.
//!
//! ```text
//! inspect -> assess -> snapshot -> rehearse -> apply -> validate -> commit -> sweep
//!                                              \______________/ -> restore
//! ```
//!
//! [`run`] is straight-line code over a [`Target`]. It may die at any await: where it stood is in the [`Head`], which is
//! written in one piece, and the next call goes on or goes back. Nobody else writes a head.

mod head;
mod report;
mod run;
mod target;

pub use head::{Head, Merge, Phase, Reach, Refusal, Run, Seal, Source};
pub use report::{Cause, Outcome, Problem, Progress, Report, Stage, State, Status};
pub(crate) use run::chains;
pub use run::{Request, run, status};
pub use target::{Found, Target};
