use super::{Body, Function, Op, Part, Rekey, Scalar, TimeFormat, Unmapped, Way, When};
use crate::document::Value;
use crate::json_words;

/// How the older version of a record can be had again from the newer one. Ordered by what is lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Undo {
    /// It is computed: no value has to be kept, but those of members that no schema declares by their names.
    #[default]
    Computed,
    /// What the newer version does not say is kept as residue. Without the residue, something that fits stands in.
    Kept,
    /// Something is forgotten for good.
    Never,
}

json_words!(Undo { "computed": Computed, "kept": Kept, "never": Never });

impl Body {
    /// How the whole can be undone.
    #[must_use]
    pub fn undo(&self) -> Undo {
        self.nodes.iter().map(|node| node.op.undo()).max().unwrap_or_default()
    }

    /// Whether it forgets something for good, and remembers something else.
    #[must_use]
    pub fn forgets_and_remembers(&self) -> bool {
        self.undo() == Undo::Never && !self.only_forgets()
    }

    fn only_forgets(&self) -> bool {
        self.nodes.iter().all(|node| match &node.op {
            Op::Edit(edit) => edit.forgets,
            Op::Each(each) => each.body.only_forgets(),
            _ => false,
        })
    }

    /// How what came of one step can be undone; the step by its place, as [`super::Node`] has it.
    #[must_use]
    pub fn undo_of(&self, place: &str) -> Undo {
        let nodes = self.nodes.iter().filter(|node| node.place == place);
        nodes.map(|node| node.op.undo()).max().unwrap_or_default()
    }
}

impl Op {
    fn undo(&self) -> Undo {
        match self {
            Op::Move(_) => Undo::Computed,
            Op::Edit(edit) if edit.forgets => Undo::Never,
            Op::Edit(edit) => undo_of(&edit.forward, &edit.backward),
            Op::Each(each) => each.body.undo(),
            Op::When(when) => when.undo(),
            Op::Rekey(rekey) => rekey.undo(),
            // Where the item was there before, or stood elsewhere, nothing else says so.
            Op::Item(_) => Undo::Kept,
            Op::Part(Part { to: Some(_), .. }) => Undo::Computed,
            Op::Part(Part { to: None, .. }) => Undo::Kept,
        }
    }
}

impl When {
    fn undo(&self) -> Undo {
        let is_told = self.before.predicate == self.after.predicate && !self.moves_what_it_tests();
        let branch = if is_told { Undo::Computed } else { Undo::Kept };
        branch.max(self.body.undo()).max(self.otherwise.undo())
    }

    /// Then the same predicate is asked of another value afterwards, and may say the other branch.
    fn moves_what_it_tests(&self) -> bool {
        let places = self.before.predicate.places();
        places.into_iter().any(|place| self.body.touches(place) || self.otherwise.touches(place))
    }
}

impl Rekey {
    /// A list has an order, and an object has none.
    fn undo(&self) -> Undo {
        match self.list {
            Way::Down => Undo::Kept,
            Way::Up => Undo::Computed,
        }
    }
}

/// Whether the second function leads back from all that the first leads to.
fn undo_of(forward: &Function, backward: &Function) -> Undo {
    use Function as F;
    let backward = match backward {
        F::Within { function, .. } => function,
        other => other,
    };
    let computed = match (forward, backward) {
        (F::Keep | F::Default { .. } | F::Enclose, F::Withdraw(_))
        | (F::Keep, F::Keep | F::Default { .. } | F::Admit(_))
        | (F::Enclose | F::Default { .. }, F::Prune(_))
        | (F::Prune(_), F::Default { .. })
        | (F::Withdraw(_), F::Withdraw(_))
        | (F::Not, F::Not)
        | (F::Split(_), F::Join(_))
        | (F::Enlist, F::First)
        | (F::Enfold(_), F::Unfold(_)) => true,
        (F::Table { pairs, unmapped: Unmapped::Refuse }, F::Table { pairs: back, .. }) => is_undone(pairs, back),
        (F::Time { from, .. }, F::Time { .. }) => *from != TimeFormat::Iso,
        (F::Cast { from, to }, F::Cast { .. }) => (*from, *to) != (Scalar::Text, Scalar::Number),
        _ => false,
    };
    if computed { Undo::Computed } else { Undo::Kept }
}

type Pairs = [(Value<'static>, Value<'static>)];

fn is_undone(pairs: &Pairs, back: &Pairs) -> bool {
    let counterpart = |of: &Value<'_>| back.iter().find(|(from, _)| from == of).map(|(_, to)| to);
    pairs.iter().all(|(from, to)| counterpart(to) == Some(from))
}
