use super::entry::{Branch, Entry};
use super::{Body, Predicate, Scope, Way};
use crate::document::Value;
use crate::error::Result;
use crate::json_object;
use crate::schema::Schema;

/// A body runs where a predicate holds; another where it does not.
///
/// On the way up `before` decides, on the way down `after`. Where a side's predicate does not say which branch a record
/// is in, the residue does: it knows for each side whether to believe the predicate. It is not believed of a record that
/// somebody has changed into one that the branch could not take.
#[derive(Clone, Debug)]
pub struct When {
    /// Decides in the older version.
    pub before: Side,
    /// Decides in the newer version.
    pub after: Side,
    /// Runs where the predicate holds.
    pub body: Body,
    /// Runs where it does not: clears the places that only the body fills.
    pub otherwise: Body,
}

json_object!(When { "before": before, "after": after, "body": body, "otherwise": otherwise });

/// One of the two versions that a [`When`] leads between.
#[derive(Clone, Debug)]
pub struct Side {
    /// Says where the body belongs.
    pub predicate: Predicate,
    /// What the body takes.
    pub body: Schema,
    /// What the other one takes.
    pub otherwise: Schema,
}

json_object!(Side { "predicate": predicate; "body": body, "otherwise": otherwise });

impl Side {
    fn takes(&self, taken: bool, focus: &Value<'_>) -> bool {
        let schema = if taken { &self.body } else { &self.otherwise };
        schema.accepts(focus)
    }
}

impl When {
    pub(super) fn run<'a>(
        &self,
        way: Way,
        focus: &mut Value<'a>,
        entry: Option<Entry<'a>>,
        scope: &Scope<'_>,
    ) -> Result<Option<Entry<'a>>> {
        let (here, there) = way.orient(&self.before, &self.after);
        let holds = here.predicate.holds(focus)?;
        let (taken, inner) = match entry {
            Some(Entry::Branch(known)) => {
                let (agrees, _) = way.orient(known.older_agrees, known.newer_agrees);
                let taken = if agrees || !here.takes(known.taken, focus) { holds } else { known.taken };
                (taken, if taken == known.taken { known.inner } else { Default::default() })
            }
            _ => (holds, Default::default()),
        };
        let body = if taken { &self.body } else { &self.otherwise };
        let inner = body.run(way, focus, inner, scope)?;
        let agrees_there = there.predicate.holds(focus)? == taken;
        let (older_agrees, newer_agrees) = way.orient(holds == taken, agrees_there);
        let nothing = inner.is_empty() && older_agrees && newer_agrees;
        Ok((!nothing).then_some(Entry::Branch(Branch { taken, older_agrees, newer_agrees, inner })))
    }
}
