//! What a version permits: JSON Schema (draft 2020-12), a stated subset. A keyword outside the subset is an error when
//! the chain is loaded, never ignored.
//!
//! Read: `type`, `properties`, `required`, `additionalProperties`, `items`, `enum`, `const`, `minimum`, `maximum`,
//! `minLength`, `maxLength`, `minItems`, `maxItems`, `format` (`date-time` only, and asserted: an instant that steps can
//! convert, so no leap second), `$ref` to `#/$defs/NAME` without recursion, and `anyOf` whose branches are told apart by
//! type or, where several permit objects, by a required member with `const` or `enum`. `title` and `description` are
//! kept for exports; `examples`, `default`, `$schema`, `$id` and `$comment` say nothing about which values fit.
//!
//! Keywords that restrict the same value are intersected while reading, so that a [`Schema`] has one part for each type
//! and no logic of its own: every step can carry it on.

mod combine;
mod derive;
mod includes;
mod infer;
mod narrow;
mod parts;
mod read;
mod shape;
mod types;
mod typescript;
mod validate;
mod write;

pub use derive::Presence;
pub use infer::Inference;
use parts::{Items, Range, Span, Text, some_unless_any};
use shape::{Member, Shape};
pub use types::{Type, Types};
pub use typescript::typescript;

use crate::document::{Json, Kind, Number, Path, Reading, Value, unless_default, write_members};

/// A schema. The default one permits everything. Two are equal where they say the same of every value; titles and
/// descriptions do not count.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schema {
    types: Types,
    /// Of the kinds that occur here, the values permitted; the parts below then say nothing of that kind.
    values: Vec<Value<'static>>,
    text: Text,
    number: Range,
    array: Items,
    /// What an object must fit one of, no object more than one; where there is none, objects are unrestricted.
    shapes: Vec<Shape>,
    about: About,
}

/// As a compiled chain keeps it: part by part, without what is only for readers. ([`Schema::to_value`] is JSON Schema.)
impl Json for Schema {
    fn write(&self, out: &mut String) {
        let parts = [
            ("types", unless_default(&self.types)),
            ("values", unless_default(&self.values)),
            ("text", unless_default(&self.text)),
            ("number", unless_default(&self.number)),
            ("array", unless_default(&self.array)),
            ("shapes", unless_default(&self.shapes)),
        ];
        write_members(&parts, out);
    }

    fn read(value: &Value<'_>, reading: &mut Reading) -> Self {
        let object = reading.members(value);
        Self {
            types: reading.member_or_default(&object, "types"),
            values: reading.member_or_default(&object, "values"),
            text: reading.member_or_default(&object, "text"),
            number: reading.member_or_default(&object, "number"),
            array: reading.member_or_default(&object, "array"),
            shapes: reading.member_or_default(&object, "shapes"),
            about: About::default(),
        }
    }
}

/// What a schema is called and says to readers.
#[derive(Clone, Debug, Default)]
struct About {
    title: Option<Box<str>>,
    description: Option<Box<str>>,
}

impl PartialEq for About {
    /// Always: steps must not treat two places differently because one of them is explained.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl About {
    fn or(&self, other: &Self) -> Self {
        let silent = self.title.is_none() && self.description.is_none();
        if silent { other.clone() } else { self.clone() }
    }
}

impl Schema {
    /// The schema that permits everything.
    #[must_use]
    pub fn any() -> Self {
        Self::default()
    }

    /// The schema that permits nothing.
    #[must_use]
    pub fn never() -> Self {
        Self::of_types(Types::NONE)
    }

    /// Values of these types, otherwise unrestricted.
    #[must_use]
    pub fn of_types(types: Types) -> Self {
        Self { types, ..Self::default() }
    }

    /// Texts that are points in time as RFC 3339 writes them.
    #[must_use]
    pub fn date_time() -> Self {
        Self { text: Text { date_time: true, ..Text::default() }, ..Self::of_types(Type::String.into()) }
    }

    /// Arrays whose items fit `items`.
    #[must_use]
    pub fn array_of(items: Schema) -> Self {
        Self { array: Items::of(items), ..Self::of_types(Type::Array.into()) }
    }

    /// Objects whose members, whatever their names, fit `values`.
    #[must_use]
    pub fn map_of(values: Schema) -> Self {
        let mut schema = Self::of_types(Type::Object.into());
        schema.set_shapes(vec![Shape { rest: some_unless_any(values), ..Shape::default() }]);
        schema
    }

    /// Objects of nothing but one member.
    #[must_use]
    pub fn object_of(name: &str, schema: Schema) -> Self {
        let mut object = Self::map_of(Schema::never());
        object.declare(&Path::default().join(name), schema, true);
        object
    }

    /// Texts of so many characters.
    #[must_use]
    pub fn texts_of(length: std::ops::RangeInclusive<u64>) -> Self {
        let least = Some(*length.start()).filter(|least| *least > 0);
        let length = Span { least, most: Some(*length.end()) };
        Self { text: Text { length, ..Text::default() }, ..Self::of_types(Type::String.into()) }
    }

    /// Numbers between two bounds, both permitted.
    #[must_use]
    pub fn between(minimum: Number<'static>, maximum: Number<'static>) -> Self {
        let number = Range { minimum: Some(minimum), maximum: Some(maximum) };
        Self { number, ..Self::of_types(Type::Number.into()) }
    }

    /// One of these values.
    #[must_use]
    pub fn one_of(values: Vec<Value<'static>>) -> Self {
        let mut distinct: Vec<Value<'static>> = Vec::new();
        for value in values {
            if !distinct.contains(&value) {
                distinct.push(value);
            }
        }
        Self { values: distinct, ..Self::never() }.settled()
    }

    /// The same, permitting `null` as well.
    #[must_use]
    pub fn or_null(mut self) -> Self {
        self.types = self.types.or(Type::Null);
        self.settled()
    }

    /// The types permitted.
    #[must_use]
    pub fn types(&self) -> Types {
        self.types
    }

    /// The finite list of permitted values, where there is one.
    #[must_use]
    pub fn values(&self) -> Option<&[Value<'static>]> {
        self.listed().include(self.types).then_some(&self.values)
    }

    /// Whether the type alone decides what fits.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == Self::of_types(self.types)
    }

    /// Whether an array that is permitted stays so when items go or others come that fit.
    #[must_use]
    pub fn is_of_any_length(&self) -> bool {
        !self.lists(Kind::Array) && self.array.count == Span::default()
    }

    /// What the items of an array, or the values of an object that is used as a map, must fit. `None` where there is no
    /// one schema that holds of all of them, and of an object that declares members, which is no map.
    #[must_use]
    pub fn inner(&self) -> Option<Schema> {
        match (self.types.touch(Kind::Array), self.types.touch(Kind::Object)) {
            (true, false) => self.items(),
            (false, true) => self.map_values(),
            (true, true) => self.items().filter(|items| self.map_values().as_ref() == Some(items)),
            (false, false) => None,
        }
    }

    /// The same with another schema for the items and the values. A list of permitted arrays or objects goes, because
    /// what is inside them changes.
    #[must_use]
    pub fn with_inner(mut self, inner: Schema) -> Self {
        self.values.retain(|value| !matches!(value.kind(), Kind::Array | Kind::Object));
        if self.types.touch(Kind::Array) {
            self.array.items = some_unless_any(inner.clone());
        }
        if self.types.touch(Kind::Object) {
            self.set_shapes(vec![Shape { rest: some_unless_any(inner), ..Shape::default() }]);
        }
        self.settled()
    }

    fn items(&self) -> Option<Schema> {
        (!self.lists(Kind::Array)).then(|| self.array.items.as_deref().cloned().unwrap_or_default())
    }

    fn map_values(&self) -> Option<Schema> {
        match &self.shapes[..] {
            [] => (!self.lists(Kind::Object)).then(Schema::any),
            [shape] => shape.map_values(),
            _ => None,
        }
    }

    /// What members beyond the declared ones must fit; `None` where the forms of an object say different things of them,
    /// or its permitted values are listed.
    #[must_use]
    pub fn strangers(&self) -> Option<Schema> {
        let mut said = self.shapes.iter().map(|shape| shape.rest.as_deref().cloned().unwrap_or_default());
        let first = said.next().unwrap_or_default();
        (!self.lists(Kind::Object) && said.all(|other| other == first)).then_some(first)
    }

    /// Whether all objects that fit have the same form, which is not a list of them.
    #[must_use]
    pub fn has_one_form(&self) -> bool {
        self.shapes.len() < 2 && !self.lists(Kind::Object)
    }

    /// The kinds of which only listed values are permitted.
    fn listed(&self) -> Types {
        self.values.iter().fold(Types::NONE, |types, value| types.or(value.kind()))
    }

    fn lists(&self, kind: Kind) -> bool {
        self.values.iter().any(|value| value.kind() == kind)
    }
}
