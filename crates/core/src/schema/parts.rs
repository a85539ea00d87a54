//! What a schema says of texts, of numbers and of arrays.

use std::cmp::Ordering;
use std::fmt;

use super::Schema;
use crate::document::Number;
use crate::json_object;

/// Inclusive bounds of a count.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Span {
    pub(super) least: Option<u64>,
    pub(super) most: Option<u64>,
}

json_object!(Span { "least": least, "most": most });

impl Span {
    pub(super) fn contains(self, count: u64) -> bool {
        self.least.is_none_or(|least| least <= count) && self.most.is_none_or(|most| count <= most)
    }

    pub(super) fn join(self, other: Self) -> Self {
        Self { least: self.least.min(other.least), most: self.most.zip(other.most).map(|(a, b)| a.max(b)) }
    }

    fn meet(self, other: Self) -> Self {
        let most = self.most.into_iter().chain(other.most).min();
        Self { least: self.least.max(other.least), most }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.least, self.most) {
            (Some(least), Some(most)) if least == most => write!(f, "{least}"),
            (Some(least), Some(most)) => write!(f, "{least} to {most}"),
            (Some(least), None) => write!(f, "at least {least}"),
            (None, Some(most)) => write!(f, "at most {most}"),
            (None, None) => f.write_str("any number of"),
        }
    }
}

/// What texts must be. Lengths count code points.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Text {
    pub(super) length: Span,
    pub(super) date_time: bool,
}

json_object!(Text { "dateTime": date_time; "length": length });

impl Text {
    pub(super) fn join(&self, other: &Self) -> Self {
        Self { length: self.length.join(other.length), date_time: self.date_time && other.date_time }
    }

    pub(super) fn meet(&self, other: &Self) -> Self {
        Self { length: self.length.meet(other.length), date_time: self.date_time || other.date_time }
    }
}

/// What arrays must be.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Items {
    /// What each item must fit; never the schema that permits everything.
    pub(super) items: Option<Box<Schema>>,
    pub(super) count: Span,
}

json_object!(Items { "items": items; "count": count });

impl Items {
    pub(super) fn of(items: Schema) -> Self {
        Self { items: some_unless_any(items), count: Span::default() }
    }

    pub(super) fn join(&self, other: &Self) -> Self {
        let items = self.items.as_ref().zip(other.items.as_ref()).and_then(|(a, b)| some_unless_any(a.join(b)));
        Self { items, count: self.count.join(other.count) }
    }

    pub(super) fn meet(&self, other: &Self) -> Self {
        Self { items: meet_boxed(&self.items, &other.items), count: self.count.meet(other.count) }
    }
}

/// A schema that may be missing, where missing permits everything.
pub(super) fn some_unless_any(schema: Schema) -> Option<Box<Schema>> {
    let about = schema.about.title.is_some() || schema.about.description.is_some();
    (about || schema != Schema::any()).then(|| Box::new(schema))
}

pub(super) fn meet_boxed(a: &Option<Box<Schema>>, b: &Option<Box<Schema>>) -> Option<Box<Schema>> {
    match (a, b) {
        (Some(a), Some(b)) => Some(Box::new(a.meet(b))),
        (one, None) | (None, one) => one.clone(),
    }
}

/// Inclusive bounds of numbers, compared by exact decimal value as documents are.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Range {
    pub(super) minimum: Option<Number<'static>>,
    pub(super) maximum: Option<Number<'static>>,
}

json_object!(Range { "minimum": minimum, "maximum": maximum });

impl Range {
    pub(super) fn contains(&self, number: &Number<'_>) -> bool {
        self.minimum.as_ref().is_none_or(|minimum| minimum.compare(number).is_le())
            && self.maximum.as_ref().is_none_or(|maximum| number.compare(maximum).is_le())
    }

    pub(super) fn join(&self, other: &Self) -> Self {
        let both = |a: &Option<Number<'static>>, b: &Option<Number<'static>>, wanted| {
            a.as_ref().zip(b.as_ref()).map(|(a, b)| chosen(a, b, wanted))
        };
        Self {
            minimum: both(&self.minimum, &other.minimum, Ordering::Less),
            maximum: both(&self.maximum, &other.maximum, Ordering::Greater),
        }
    }

    pub(super) fn meet(&self, other: &Self) -> Self {
        let either = |a: &Option<Number<'static>>, b: &Option<Number<'static>>, wanted| match (a, b) {
            (Some(a), Some(b)) => Some(chosen(a, b, wanted)),
            (one, None) | (None, one) => one.clone(),
        };
        Self {
            minimum: either(&self.minimum, &other.minimum, Ordering::Greater),
            maximum: either(&self.maximum, &other.maximum, Ordering::Less),
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.minimum, &self.maximum) {
            (Some(minimum), Some(maximum)) => write!(f, "from {minimum} to {maximum}"),
            (Some(minimum), None) => write!(f, "from {minimum} on"),
            (None, Some(maximum)) => write!(f, "up to {maximum}"),
            (None, None) => f.write_str("of any size"),
        }
    }
}

/// The one of two numbers that stands so to the other.
fn chosen(a: &Number<'static>, b: &Number<'static>, wanted: Ordering) -> Number<'static> {
    if a.compare(b) == wanted { a.clone() } else { b.clone() }
}
