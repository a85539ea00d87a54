//! The next version's schema, computed from the last.

use super::{Additional, Bounds, Schema, Type, Types};
use crate::document::{Number, Path, Value};
use crate::error::{Error, ErrorKind, Result};

/// What a schema says of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Nothing, and not even that the enclosing value is an object.
    Untyped,
    /// The enclosing object is declared, this member is not.
    Undeclared,
    /// Declared; it may be absent.
    Optional,
    /// Declared, and always there.
    Required,
}

impl Schema {
    /// What the schema says of a place.
    #[must_use]
    pub fn presence(&self, path: &Path) -> Presence {
        let mut at = self;
        let mut presence = Presence::Required;
        for token in path.tokens() {
            let Some(inner) = at.properties.get(token) else {
                return if at.types.is_any() { Presence::Untyped } else { Presence::Undeclared };
            };
            if !at.required.contains(token) {
                presence = Presence::Optional;
            }
            at = inner;
        }
        presence
    }

    /// The schema of a declared place.
    #[must_use]
    pub fn at(&self, path: &Path) -> Option<&Schema> {
        path.tokens().try_fold(self, |at, token| at.properties.get(token))
    }

    /// The schema of a place that a step needs.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] where the schema knows the place and does not declare it.
    pub fn require(&self, path: &Path) -> Result<Schema> {
        match self.presence(path) {
            Presence::Untyped => Ok(Schema::any()),
            Presence::Undeclared => {
                let message = "expected a member that the schema declares, found none by this name; look for a typing error, or declare it";
                Err(Error::new(ErrorKind::Chain, message).under_path(path))
            }
            Presence::Optional | Presence::Required => Ok(self.at(path).cloned().unwrap_or_default()),
        }
    }

    /// Refuses a place that is declared already.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`]
    pub fn refuse(&self, path: &Path) -> Result<()> {
        match self.presence(path) {
            Presence::Untyped | Presence::Undeclared => Ok(()),
            Presence::Optional | Presence::Required => {
                let message =
                    "expected a free place, found a member that the schema declares; move or remove that one first";
                Err(Error::new(ErrorKind::Chain, message).under_path(path))
            }
        }
    }

    /// Changes what a place must fit; declares the place where it was not.
    pub fn declare(&mut self, path: &Path, schema: Schema, required: bool) {
        let Some((parent, _)) = path.split_last() else {
            *self = schema;
            return;
        };
        let Some(name) = path.tokens().next_back() else { return };
        let Some(enclosing) = self.at_mut(&parent) else { return };
        enclosing.properties.insert(name.to_owned(), schema);
        match required {
            true => enclosing.required.insert(name.to_owned()),
            false => enclosing.required.remove(name),
        };
    }

    /// Changes what a declared place must fit and leaves alone whether it is required.
    pub fn replace(&mut self, path: &Path, schema: Schema) {
        if let Some(place) = self.at_mut(path) {
            *place = schema;
        }
    }

    /// Takes back the declaration of a place.
    pub fn undeclare(&mut self, path: &Path) {
        let Some((parent, _)) = path.split_last() else { return };
        let (Some(enclosing), Some(name)) = (self.at_mut(&parent), path.tokens().next_back()) else { return };
        enclosing.properties.remove(name);
        enclosing.required.remove(name);
    }

    /// Whether an object at this place may be made of nothing: no member is required.
    #[must_use]
    pub fn may_be_empty(&self, path: &Path) -> bool {
        self.at(path).is_none_or(|schema| schema.required.is_empty())
    }

    /// Whether the type alone decides what fits.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == Self::of_types(self.types)
    }

    /// The same, permitting `null` as well.
    #[must_use]
    pub fn or_null(mut self) -> Self {
        self.types = self.types.or(Type::Null);
        self
    }

    /// Numbers between two bounds, both permitted.
    #[must_use]
    pub fn between(minimum: Number<'static>, maximum: Number<'static>) -> Self {
        let bounds = Bounds { minimum: Some(minimum), maximum: Some(maximum), ..Bounds::default() };
        Self { bounds, ..Self::of_types(Type::Number.into()) }
    }

    /// One of these values.
    #[must_use]
    pub fn one_of(values: Vec<Value<'static>>) -> Self {
        let types = values.iter().fold(Types::NONE, |types, value| types.or(Self::of(value).types));
        Self { types, values: Some(values), ..Self::any() }
    }

    /// Whether the member itself is always there when the object around it is.
    #[must_use]
    pub fn requires(&self, path: &Path) -> bool {
        let Some((parent, name)) = path.split_last() else { return true };
        self.at(&parent).is_some_and(|enclosing| enclosing.required.contains(name))
    }

    /// The loosest schema of this shape for a value: its type, and for an object its members.
    #[must_use]
    pub fn of(value: &Value<'_>) -> Self {
        match value.opened() {
            Ok(Value::Null) => Self::of_types(Type::Null.into()),
            Ok(Value::Bool(_)) => Self::of_types(Type::Boolean.into()),
            Ok(Value::Number(number)) if number.is_integer() => Self::of_types(Type::Integer.into()),
            Ok(Value::Number(_)) => Self::of_types(Type::Number.into()),
            Ok(Value::String(_)) => Self::of_types(Type::String.into()),
            Ok(Value::Array(items)) => {
                let items = items.iter().map(Self::of).reduce(|a, b| a.join(&b));
                Self { items: items.map(Box::new), ..Self::of_types(Type::Array.into()) }
            }
            Ok(Value::Object(object)) => Self {
                properties: object.iter().map(|(name, value)| (name.to_owned(), Self::of(value))).collect(),
                required: object.iter().map(|(name, _)| name.to_owned()).collect(),
                ..Self::of_types(Type::Object.into())
            },
            Ok(Value::Raw(_)) | Err(_) => Self::any(),
        }
    }

    /// The narrowest schema of this shape that permits what either permits.
    #[must_use]
    pub fn join(&self, other: &Self) -> Self {
        if self == other {
            return self.clone();
        }
        let values = match (&self.values, &other.values) {
            (Some(a), Some(b)) => Some(a.iter().chain(b.iter().filter(|value| !a.contains(value))).cloned().collect()),
            _ => None,
        };
        let objects = |schema: &Self| schema.types.include(Type::Object);
        let arrays = |schema: &Self| schema.types.include(Type::Array);
        let mut joined = Self { types: self.types.or(other.types), values, ..Self::any() };
        match (objects(self), objects(other)) {
            (true, true) => joined.join_members(self, other),
            (true, false) => joined.take_members(self),
            (false, true) => joined.take_members(other),
            (false, false) => {}
        }
        joined.items = match (arrays(self), arrays(other)) {
            (true, true) => self.items.as_ref().zip(other.items.as_ref()).map(|(a, b)| Box::new(a.join(b))),
            (true, false) => self.items.clone(),
            (false, true) => other.items.clone(),
            (false, false) => None,
        };
        joined.bounds = if self.bounds == other.bounds { self.bounds.clone() } else { Bounds::default() };
        joined.date_time = self.date_time && other.date_time;
        joined
    }

    fn take_members(&mut self, from: &Self) {
        self.properties.clone_from(&from.properties);
        self.required.clone_from(&from.required);
        self.additional.clone_from(&from.additional);
    }

    fn join_members(&mut self, a: &Self, b: &Self) {
        self.required = a.required.intersection(&b.required).cloned().collect();
        for (name, schema) in a.properties.iter().chain(&b.properties) {
            let undeclared = |other: &Self| match &other.additional {
                Additional::Anything | Additional::Nothing => None,
                Additional::Fitting(schema) => Some((**schema).clone()),
            };
            let other = |side: &Self| side.properties.get(name).cloned().or_else(|| undeclared(side));
            let joined = match (other(a), other(b)) {
                (Some(a), Some(b)) => a.join(&b),
                _ => schema.clone(),
            };
            self.properties.insert(name.clone(), joined);
        }
        self.additional = match (&a.additional, &b.additional) {
            (a, b) if a == b => a.clone(),
            (Additional::Fitting(a), Additional::Fitting(b)) => Additional::Fitting(Box::new(a.join(b))),
            (Additional::Fitting(one), Additional::Nothing) | (Additional::Nothing, Additional::Fitting(one)) => {
                Additional::Fitting(one.clone())
            }
            _ => Additional::Anything,
        };
    }

    fn at_mut(&mut self, path: &Path) -> Option<&mut Schema> {
        path.tokens().try_fold(self, |at, token| at.properties.get_mut(token))
    }
}

impl Types {
    /// Checks that a step can take every value that the schema permits.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] where the schema permits another type. A schema that says nothing is taken at its word.
    pub fn expect_within(self, expected: Types, path: &Path) -> Result<()> {
        if self.is_any() || expected.include(self) {
            return Ok(());
        }
        let message = format!("expected a place of type {expected}, found one whose schema says {self}");
        Err(Error::new(ErrorKind::Chain, message).under_path(path))
    }
}
