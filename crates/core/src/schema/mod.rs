//! What a version permits: JSON Schema (draft 2020-12), a stated subset. A keyword outside the subset is an error when
//! the chain is loaded, never ignored.
//!
//! Read: `type`, `properties`, `required`, `additionalProperties`, `items`, `enum`, `const`, `minimum`, `maximum`,
//! `minLength`, `maxLength`, `minItems`, `maxItems`, `format` (`date-time` only, and asserted). `title`, `description`,
//! `examples`, `default`, `$schema`, `$id` and `$comment` are kept out of the way.

mod derive;
mod read;
mod types;
mod validate;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use crate::document::{Number, Value};
pub use derive::Presence;
pub use types::{Type, Types};

/// A schema. The default one permits everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schema {
    types: Types,
    properties: BTreeMap<String, Schema>,
    required: BTreeSet<String>,
    additional: Additional,
    items: Option<Box<Schema>>,
    /// `enum`, or `const` as an enum of one.
    values: Option<Vec<Value<'static>>>,
    bounds: Bounds,
    date_time: bool,
}

/// What members beyond the declared ones may be.
#[derive(Clone, Debug, Default, PartialEq)]
enum Additional {
    #[default]
    Anything,
    Nothing,
    Fitting(Box<Schema>),
}

/// Inclusive bounds; lengths count code points.
#[derive(Clone, Debug, Default, PartialEq)]
struct Bounds {
    minimum: Option<Number<'static>>,
    maximum: Option<Number<'static>>,
    length: Span,
    items: Span,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Span {
    least: Option<u64>,
    most: Option<u64>,
}

impl Span {
    fn contains(self, count: u64) -> bool {
        self.least.is_none_or(|least| least <= count) && self.most.is_none_or(|most| count <= most)
    }
}

impl Schema {
    /// The schema that permits everything.
    #[must_use]
    pub fn any() -> Self {
        Self::default()
    }

    /// Values of these types, otherwise unrestricted.
    #[must_use]
    pub fn of_types(types: Types) -> Self {
        Self { types, ..Self::default() }
    }

    /// Texts that are points in time as RFC 3339 writes them.
    #[must_use]
    pub fn date_time() -> Self {
        Self { date_time: true, ..Self::of_types(Type::String.into()) }
    }

    /// Arrays whose items fit `items`.
    #[must_use]
    pub fn array_of(items: Schema) -> Self {
        Self { items: Some(Box::new(items)), ..Self::of_types(Type::Array.into()) }
    }

    /// The types permitted.
    #[must_use]
    pub fn types(&self) -> Types {
        self.types
    }

    /// The finite list of permitted values, where there is one.
    #[must_use]
    pub fn values(&self) -> Option<&[Value<'static>]> {
        self.values.as_deref()
    }

    /// What the items of an array, or the values of an object that is used as a map, must fit.
    #[must_use]
    pub fn inner(&self) -> Option<&Schema> {
        match (&self.items, &self.additional) {
            (Some(items), _) => Some(items),
            (None, Additional::Fitting(values)) => Some(values),
            _ => None,
        }
    }

    /// The same with another schema for the items or the values.
    #[must_use]
    pub fn with_inner(mut self, inner: Schema) -> Self {
        match (&mut self.items, &mut self.additional) {
            (Some(items), _) => **items = inner,
            (None, Additional::Fitting(values)) => **values = inner,
            _ => {}
        }
        self
    }
}
