use std::fmt;

use crate::document::{Json, Kind, Reading, Value};

/// A type as JSON Schema names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Type {
    /// `null`
    Null,
    /// `boolean`
    Boolean,
    /// `integer`: a number whose value, not spelling, is whole
    Integer,
    /// `number`
    Number,
    /// `string`
    String,
    /// `array`
    Array,
    /// `object`
    Object,
}

impl Type {
    const ALL: [(Type, &'static str); 7] = [
        (Type::Null, "null"),
        (Type::Boolean, "boolean"),
        (Type::Integer, "integer"),
        (Type::Number, "number"),
        (Type::String, "string"),
        (Type::Array, "array"),
        (Type::Object, "object"),
    ];

    /// The type by its name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(ty, _)| *ty)
    }

    /// The name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

/// A set of types. The default is every type. Where `number` is in it, `integer` is too.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Types(u8);

impl Types {
    /// Every type.
    pub const ANY: Types = Types(0b111_1111);
    /// No type.
    pub const NONE: Types = Types(0);

    /// Whether any type is permitted.
    #[must_use]
    pub fn is_any(self) -> bool {
        self == Self::ANY
    }

    /// The types in either.
    #[must_use]
    pub fn or(self, other: impl Into<Types>) -> Types {
        Types(self.0 | other.into().0)
    }

    /// The types in both.
    #[must_use]
    pub fn and(self, other: impl Into<Types>) -> Types {
        Types(self.0 & other.into().0)
    }

    /// The types in the first and not in the second. Numbers that are not whole have no name of their own, so taking
    /// `integer` from `number` takes nothing.
    #[must_use]
    pub fn without(self, other: impl Into<Types>) -> Types {
        Types(self.0 & !other.into().0).closed()
    }

    /// Whether every type in `other` is permitted; `number` permits `integer`.
    #[must_use]
    pub fn include(self, other: impl Into<Types>) -> bool {
        let other = other.into();
        self.0 & other.0 == other.0
    }

    /// Whether some values of a kind are permitted.
    #[must_use]
    pub fn touch(self, kind: Kind) -> bool {
        self.0 & Types::from(kind).0 != 0
    }

    /// Whether objects, and nothing else, are permitted.
    #[must_use]
    pub fn only_object(self) -> bool {
        self == Types::from(Type::Object)
    }

    /// The types, in the order of their names' usual listing.
    pub fn iter(self) -> impl Iterator<Item = Type> {
        Type::ALL.into_iter().map(|(ty, _)| ty).filter(move |ty| self.has(*ty))
    }

    /// The names, without `integer` where `number` says it already.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let redundant = move |ty| ty == Type::Integer && self.has(Type::Number);
        self.iter().filter(move |ty| !redundant(*ty)).map(Type::name)
    }

    /// Whether the value is of one of the types.
    #[must_use]
    pub fn accept(self, value: &Value<'_>) -> bool {
        match value.kind() {
            Kind::Number => self.has(Type::Number) || self.has(Type::Integer) && is_integer(value),
            kind => self.touch(kind),
        }
    }

    /// The narrowest set that permits the value.
    #[must_use]
    pub(super) fn of(value: &Value<'_>) -> Types {
        match value.kind() {
            Kind::Number if is_integer(value) => Type::Integer.into(),
            kind => kind.into(),
        }
    }

    fn closed(self) -> Self {
        if self.has(Type::Number) { self.or(Type::Integer) } else { self }
    }

    fn has(self, ty: Type) -> bool {
        self.0 & (1 << ty as u8) != 0
    }
}

/// Their names, as in `type`.
impl Json for Types {
    fn write(&self, out: &mut String) {
        Value::Array(self.names().map(Value::from).collect()).write(out);
    }

    fn read(value: &Value<'_>, reading: &mut Reading) -> Self {
        let mut types = Self::NONE;
        for name in Vec::<String>::read(value, reading) {
            types = types.or(reading.found(Type::parse(&name).map(Self::from)));
        }
        types
    }
}

impl Default for Types {
    fn default() -> Self {
        Self::ANY
    }
}

impl From<Type> for Types {
    fn from(ty: Type) -> Self {
        Types(1 << ty as u8).closed()
    }
}

impl From<Kind> for Types {
    fn from(kind: Kind) -> Self {
        Types::from(match kind {
            Kind::Null => Type::Null,
            Kind::Boolean => Type::Boolean,
            Kind::Number => Type::Number,
            Kind::String => Type::String,
            Kind::Array => Type::Array,
            Kind::Object => Type::Object,
        })
    }
}

/// Most numbers are plain digits, which need no reading.
fn is_integer(value: &Value<'_>) -> bool {
    value.number().is_some_and(|number| !number.token().contains(['.', 'e', 'E']) || number.is_integer())
}

impl fmt::Display for Types {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_any() {
            true => f.write_str("anything"),
            false if *self == Self::NONE => f.write_str("nothing"),
            false => f.write_str(&self.names().collect::<Vec<_>>().join(" or ")),
        }
    }
}

impl fmt::Debug for Types {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
