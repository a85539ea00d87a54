//! The primitives: a few nodes that run in both directions and remember what they cannot compute.
//!
//! Every step that an author writes is lowered to these, so the laws are proved once for each node. For
//! `up(a, c) = (b, c')` and `down(b, c) = (a, c')`, with residue `c`: up then down gives back `(a, c')`, and down then
//! up gives back `(b, c')`, also when the document was edited in between. (Symmetric lenses: Hofmann, Pierce and
//! Wagner, POPL 2011.)

mod each;
mod edit;
mod function;
mod instant;
mod moved;
mod residue;

pub use each::{Align, Each};
pub use edit::Edit;
pub use function::{Function, Unmapped};
pub use instant::TimeFormat;
pub(crate) use instant::is_date_time;
pub use moved::Move;
use residue::Entry;
pub use residue::Residue;

use crate::document::Value;
use crate::error::Result;

/// Which way a record goes along the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To the newer version.
    Up,
    /// To the older version.
    Down,
}

impl Way {
    /// The pair as seen from the side that this way starts from: (where it starts, where it ends).
    fn orient<T>(self, older: T, newer: T) -> (T, T) {
        match self {
            Way::Up => (older, newer),
            Way::Down => (newer, older),
        }
    }
}

/// One primitive.
#[derive(Clone, Debug)]
pub enum Op {
    /// A value changes its place.
    Move(Move),
    /// A value changes.
    Edit(Box<Edit>),
    /// A body runs on each item of an array or each value of an object.
    Each(Each),
}

/// A primitive and the step of the chain file that it came from.
#[derive(Clone, Debug)]
pub struct Node {
    /// The step's place and verb, for errors: `2 (rename)`.
    pub place: String,
    /// What it does.
    pub op: Op,
}

/// Primitives in the order in which they run upwards.
#[derive(Clone, Debug, Default)]
pub struct Body(Vec<Node>);

impl Body {
    /// Takes nodes in upward order.
    #[must_use]
    pub fn new(nodes: Vec<Node>) -> Self {
        Self(nodes)
    }

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Moves the focus one version `way`, taking the residue of the way that led here and answering with the residue
    /// for the way back.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Unfit`] with step and path where a value is not what a step can take. The focus is
    /// then in between and must be thrown away.
    pub fn run<'a>(&self, way: Way, focus: &mut Value<'a>, mut residue: Residue<'a>) -> Result<Residue<'a>> {
        let mut kept = Residue::default();
        for step in 0..self.0.len() {
            let index = match way {
                Way::Up => step,
                Way::Down => self.0.len() - 1 - step,
            };
            let node = &self.0[index];
            let entry = node.op.run(way, focus, residue.take(index)).map_err(|error| error.in_step(&node.place))?;
            kept.put(index, entry);
        }
        Ok(kept)
    }
}

impl Op {
    fn run<'a>(&self, way: Way, focus: &mut Value<'a>, entry: Option<Entry<'a>>) -> Result<Option<Entry<'a>>> {
        match self {
            Op::Move(op) => op.run(way, focus, entry),
            Op::Edit(op) => op.run(way, focus, entry),
            Op::Each(op) => op.run(way, focus, entry),
        }
    }
}
