//! The primitives: a few nodes that run in both directions and remember what they cannot compute.
//!
//! Every step that an author writes is lowered to these, so the laws are proved once for each node. For
//! `up(a, c) = (b, c')` and `down(b, c) = (a, c')`, with residue `c`: up then down gives back `(a, c')`, and down then
//! up gives back `(b, c')`, also when the document was edited in between. (Symmetric lenses: Hofmann, Pierce and
//! Wagner, POPL 2011.)

mod cast;
mod context;
mod custom;
mod each;
mod edit;
mod entry;
mod function;
mod instant;
mod item;
mod moved;
mod part;
mod predicate;
mod rekey;
mod residue;
mod text;
mod undo;
mod when;

pub use cast::Scalar;
pub use context::Context;
pub(crate) use context::Scope;
pub use custom::{Custom, Customs};
pub use each::{Align, Each};
pub use edit::Edit;
use entry::Entry;
pub use function::{Function, Supply, Unmapped};
pub use instant::TimeFormat;
pub(crate) use instant::is_date_time;
pub use item::{EditItem, Place};
pub use moved::Move;
pub use part::{Names, Part};
pub use predicate::Predicate;
pub use rekey::{Rekey, Spare};
pub use residue::Residue;
pub use text::Anchor;
pub use undo::Undo;
pub use when::{Side, When};

use std::collections::{HashMap, HashSet};

use crate::document::{Json, Path, Reading, Value};
use crate::error::Result;
use crate::{json_object, json_variants, json_words};

/// Which way a record goes along the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To the newer version.
    Up,
    /// To the older version.
    Down,
}

json_words!(Way { "up": Up, "down": Down });

impl Way {
    /// The other way.
    pub(crate) fn back(self) -> Self {
        match self {
            Way::Up => Way::Down,
            Way::Down => Way::Up,
        }
    }

    /// The pair as seen from the side that this way starts from: (where it starts, where it ends).
    pub(crate) fn orient<T>(self, older: T, newer: T) -> (T, T) {
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
    /// A body runs where a predicate holds.
    When(Box<When>),
    /// A list becomes an object by its items' keys, or an object a list.
    Rekey(Rekey),
    /// An item of a list changes.
    Item(Box<EditItem>),
    /// Members go to another object.
    Part(Part),
}

json_variants!(Op {
    "move": Move { 0: op },
    "edit": Edit { 0: op },
    "each": Each { 0: op },
    "when": When { 0: op },
    "rekey": Rekey { 0: op },
    "item": Item { 0: op },
    "part": Part { 0: op },
});

/// A primitive and the step of the chain file that it came from.
#[derive(Clone, Debug)]
pub struct Node {
    /// The step's place and verb, for errors: `2 (rename)`.
    pub place: String,
    /// What it does.
    pub op: Op,
}

json_object!(Node { "place": place, "op": op });

/// Primitives in the order in which they run upwards.
#[derive(Clone, Debug, Default)]
pub struct Body {
    nodes: Vec<Node>,
    /// What each node's residue is found by.
    slots: Vec<usize>,
}

/// No body that somebody wrote has as many nodes; one that comes with an import file may.
const LONGEST: usize = 4_096;

impl Json for Body {
    fn write(&self, out: &mut String) {
        self.nodes.write(out);
    }

    fn read(value: &Value<'_>, reading: &mut Reading) -> Self {
        let nodes = Some(Vec::read(value, reading)).filter(|nodes| nodes.len() <= LONGEST);
        Self::new(reading.found(nodes))
    }
}

impl Body {
    /// Takes nodes in upward order.
    #[must_use]
    pub fn new(nodes: Vec<Node>) -> Self {
        let (mut slots, mut taken) = (Vec::with_capacity(nodes.len()), HashSet::new());
        // Where the slots that follow one are taken: a hostile chain may have many nodes of one place.
        let mut free: HashMap<usize, usize> = HashMap::new();
        for node in &nodes {
            let first = node.slot();
            let mut slot = free.get(&first).copied().unwrap_or(first);
            while !taken.insert(slot) {
                slot += 1;
            }
            free.insert(first, slot + 1);
            slots.push(slot);
        }
        Self { nodes, slots }
    }

    /// The same with further primitives at its end.
    #[must_use]
    pub fn and_then(self, nodes: Vec<Node>) -> Self {
        Self::new(self.nodes.into_iter().chain(nodes).collect())
    }

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The primitives in upward order, each with the number that its residue is found by.
    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = (usize, &Node)> {
        self.slots.iter().copied().zip(&self.nodes)
    }

    /// Whether any primitive may change what is at a place, or around it.
    #[must_use]
    pub fn touches(&self, path: &Path) -> bool {
        self.nodes.iter().any(|node| node.op.touches(path))
    }

    /// Moves the focus one version `way`, taking the residue of the way that led here and answering with the residue
    /// for the way back. What no primitive here has left is passed on: after another branch's migrations the same steps
    /// may need a primitive less, where an object that they have to make is there already.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Unfit`] with step and path where a value is not what a step can take. The focus is
    /// then in between and must be thrown away.
    pub(crate) fn run<'a>(
        &self,
        way: Way,
        focus: &mut Value<'a>,
        mut residue: Residue<'a>,
        scope: &Scope<'_>,
    ) -> Result<Residue<'a>> {
        let mut kept = Residue::default();
        for step in 0..self.nodes.len() {
            let index = match way {
                Way::Up => step,
                Way::Down => self.nodes.len() - 1 - step,
            };
            let (node, slot) = (&self.nodes[index], self.slots[index]);
            let entry = node.op.run(way, focus, residue.take(slot), scope);
            kept.put(slot, entry.map_err(|error| error.in_step(&node.place))?);
        }
        kept.pass_on(residue);
        Ok(kept)
    }
}

impl Node {
    /// A number that follows from the step and the place alone, not from the primitives around it: those depend on the
    /// schema before them, which may be another on another branch.
    fn slot(&self) -> usize {
        let at: &[&Path] = match &self.op {
            Op::Move(op) => &[&op.from, &op.to],
            Op::Edit(op) => &[&op.at],
            Op::Each(op) => &[&op.at],
            Op::When(_) => &[],
            Op::Rekey(op) => &[&op.at],
            Op::Item(op) => &[&op.list],
            Op::Part(op) => &[&op.from],
        };
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.place.as_bytes());
        for path in at {
            hasher.update(format!("\0{path}").as_bytes());
        }
        let [a, b, c, ..] = *hasher.finalize().as_bytes();
        usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c)
    }
}

impl Op {
    fn touches(&self, path: &Path) -> bool {
        match self {
            Op::Move(Move { from, to }) => from.overlaps(path) || to.overlaps(path),
            Op::Edit(op) => op.at.overlaps(path),
            Op::Each(op) => op.at.overlaps(path),
            Op::When(op) => op.body.touches(path) || op.otherwise.touches(path),
            Op::Rekey(op) => op.at.overlaps(path),
            Op::Item(op) => op.list.overlaps(path),
            Op::Part(op) => op.from.overlaps(path) || op.to.as_ref().is_some_and(|to| to.overlaps(path)),
        }
    }

    fn run<'a>(
        &self,
        way: Way,
        focus: &mut Value<'a>,
        entry: Option<Entry<'a>>,
        scope: &Scope<'_>,
    ) -> Result<Option<Entry<'a>>> {
        match self {
            Op::Move(op) => op.run(way, focus, entry),
            Op::Edit(op) => op.run(way, focus, entry, scope),
            Op::Each(op) => op.run(way, focus, entry, scope),
            Op::When(op) => op.run(way, focus, entry, scope),
            Op::Rekey(op) => op.run(way, focus, entry),
            Op::Item(op) => op.run(way, focus, entry, scope),
            Op::Part(op) => op.run(way, focus, entry),
        }
    }
}
