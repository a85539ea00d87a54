//! What Exuvia itself keeps and tells as JSON: heads, manifests, reports, chains.
//!
//! Written out rather than derived, and so that there is little of it: a derived reader of such records takes several
//! times its bytes in the module that every user downloads.

use litemap::LiteMap;

use super::grammar::quote;
use super::{Number, Object, Path, Value};

/// Something that is written as JSON and read again.
pub trait Json {
    /// Appends it as JSON text.
    fn write(&self, out: &mut String);

    /// Whether an object is better off without it as a member.
    fn is_left_out(&self) -> bool {
        false
    }

    /// From JSON. What is anything else spoils the reading, and something stands in.
    fn read(value: &Value<'_>, reading: &mut Reading) -> Self
    where
        Self: Sized;

    /// What a missing member of an object means. Mostly that it is no such object.
    fn missing(reading: &mut Reading) -> Self
    where
        Self: Sized,
    {
        reading.spoil();
        Self::read(&Value::Null, reading)
    }

    /// As JSON text.
    fn to_json(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    /// From JSON; `None` where it is anything else.
    fn from_value(value: &Value<'_>) -> Option<Self>
    where
        Self: Sized,
    {
        let mut reading = Reading { is_spoilt: false };
        let read = Self::read(value, &mut reading);
        (!reading.is_spoilt).then_some(read)
    }

    /// From JSON text; `None` where it is anything else.
    fn from_json(text: &str) -> Option<Self>
    where
        Self: Sized,
    {
        Self::from_value(&Value::parse(text).ok()?)
    }
}

/// Whether all that was read is what it should be. Where something is not, the rest is read all the same and all of it
/// given up in the end: to leave at once takes, for each member, code that lets go of those before it.
pub struct Reading {
    is_spoilt: bool,
}

impl Reading {
    /// Notes that something is not what it should be.
    pub fn spoil(&mut self) {
        self.is_spoilt = true;
    }

    /// What was found, or else what stands in.
    pub fn found<T: Default>(&mut self, found: Option<T>) -> T {
        self.is_spoilt |= found.is_none();
        found.unwrap_or_default()
    }

    /// The members of an object.
    pub fn members<'a>(&mut self, value: &Value<'a>) -> Object<'a> {
        self.found(value.members())
    }

    /// The items of an array.
    pub fn items<'a>(&mut self, value: &Value<'a>) -> Vec<Value<'a>> {
        match value.opened() {
            Ok(Value::Array(items)) => items,
            _ => self.found(None),
        }
    }

    /// A member of an object.
    pub fn member<T: Json>(&mut self, object: &Object<'_>, name: &str) -> T {
        match object.get(name) {
            Some(value) => T::read(value, self),
            None => T::missing(self),
        }
    }

    /// A member that stands for its default where it is missing.
    pub fn member_or_default<T: Json + Default>(&mut self, object: &Object<'_>, name: &str) -> T {
        object.get(name).map_or_else(T::default, |value| T::read(value, self))
    }
}

/// Appends an object with those members that are there.
pub fn write_members(members: &[(&str, Option<&dyn Json>)], out: &mut String) {
    let mut before = '{';
    for (name, value) in members {
        if let Some(value) = value.filter(|value| !value.is_left_out()) {
            out.push(before);
            quote(name, out);
            out.push(':');
            value.write(out);
            before = ',';
        }
    }
    out.push_str(if before == '{' { "{}" } else { "}" });
}

/// Appends an array.
fn write_items<'i>(items: impl Iterator<Item = &'i dyn Json>, out: &mut String) {
    let mut before = '[';
    for item in items {
        out.push(before);
        item.write(out);
        before = ',';
    }
    out.push_str(if before == '[' { "[]" } else { "]" });
}

/// Implements [`Json`] for a struct: an object with these members; those behind the semicolon are left out where they
/// have their default. Other members are passed over.
#[macro_export]
macro_rules! json_object {
    ($type:ty { $($name:literal: $field:ident),* $(,)? $(; $($left_out:literal: $default:ident),* $(,)?)? }) => {
        impl $crate::document::Json for $type {
            fn write(&self, out: &mut String) {
                $crate::document::write_members(
                    &[
                        $(($name, Some(&self.$field)),)*
                        $($(($left_out, $crate::document::unless_default(&self.$default)),)*)?
                    ],
                    out,
                );
            }

            fn read(value: &$crate::document::Value<'_>, reading: &mut $crate::document::Reading) -> Self {
                let object = reading.members(value);
                Self {
                    $($field: reading.member(&object, $name),)*
                    $($($default: reading.member_or_default(&object, $left_out),)*)?
                }
            }
        }
    };
}

/// Implements [`Json`] for an enum with data: an object whose member `is` has the word for the variant, and the others
/// the variant's fields. The first variant must not hold another value of the enum.
#[macro_export]
macro_rules! json_variants {
    ($type:ty {
        $first_word:literal: $first:ident { $($first_field:tt: $first_name:ident),* }
        $(, $word:literal: $variant:ident { $($field:tt: $name:ident),* })* $(,)?
    }) => {
        impl $crate::document::Json for $type {
            fn write(&self, out: &mut String) {
                match self {
                    Self::$first { $($first_field: $first_name),* } => $crate::document::write_members(
                        &[
                            ("is", Some(&$crate::document::Value::from($first_word))),
                            $((stringify!($first_name), Some($first_name)),)*
                        ],
                        out,
                    ),
                    $(Self::$variant { $($field: $name),* } => $crate::document::write_members(
                        &[
                            ("is", Some(&$crate::document::Value::from($word))),
                            $((stringify!($name), Some($name)),)*
                        ],
                        out,
                    ),)*
                }
            }

            fn read(value: &$crate::document::Value<'_>, reading: &mut $crate::document::Reading) -> Self {
                let object = reading.members(value);
                let word: String = reading.member(&object, "is");
                match &*word {
                    $($word => Self::$variant { $($field: reading.member(&object, stringify!($name))),* },)*
                    other => {
                        if other != $first_word {
                            reading.spoil();
                        }
                        Self::$first { $($first_field: reading.member(&object, stringify!($first_name))),* }
                    }
                }
            }
        }
    };
}

/// Implements [`Json`] for an enum without data: a word for each variant.
#[macro_export]
macro_rules! json_words {
    ($type:ty { $($word:literal: $variant:ident),* $(,)? }) => {
        impl $type {
            const WORDS: &[(&'static str, Self)] = &[$(($word, Self::$variant)),*];

            /// The word for it, as it is kept and told.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),*
                }
            }
        }

        impl $crate::document::Json for $type {
            fn write(&self, out: &mut String) {
                $crate::document::Value::from(self.word()).write(out);
            }

            fn read(value: &$crate::document::Value<'_>, reading: &mut $crate::document::Reading) -> Self {
                let text = <String as $crate::document::Json>::read(value, reading);
                let found = Self::WORDS.iter().find(|(word, _)| *word == text);
                if found.is_none() {
                    reading.spoil();
                }
                found.unwrap_or(&Self::WORDS[0]).1
            }
        }
    };
}

/// What is said only where it is not what stands where nothing was said.
pub fn unless_default<T: Json + Default + PartialEq>(value: &T) -> Option<&dyn Json> {
    (*value != T::default()).then_some(value)
}

impl<T: Json> Json for Option<T> {
    fn write(&self, out: &mut String) {
        match self {
            Some(value) => value.write(out),
            None => out.push_str("null"),
        }
    }

    fn is_left_out(&self) -> bool {
        self.is_none()
    }

    fn read(value: &Value<'_>, reading: &mut Reading) -> Self {
        Some(T::read(value, reading))
    }

    fn missing(_: &mut Reading) -> Self {
        None
    }
}

impl<T: Json> Json for Box<T> {
    fn write(&self, out: &mut String) {
        (**self).write(out);
    }

    fn read(value: &Value<'_>, reading: &mut Reading) -> Self {
        Self::new(T::read(value, reading))
    }
}

impl<A: Json, B: Json> Json for (A, B) {
    fn write(&self, out: &mut String) {
        write_items([&self.0 as &dyn Json, &self.1].into_iter(), out);
    }

    fn read(value: &Value<'_>, reading: &mut Reading) -> Self {
        match &reading.items(value)[..] {
            [a, b] => (A::read(a, reading), B::read(b, reading)),
            _ => (A::missing(reading), B::missing(reading)),
        }
    }
}

impl Json for Value<'static> {
    fn write(&self, out: &mut String) {
        Value::write(self, out);
    }

    fn read(value: &Value<'_>, reading: &mut Reading) -> Self {
        reading.found(value.clone().into_owned().ok().map(Some)).unwrap_or(Value::Null)
    }
}

impl Json for Number<'static> {
    fn write(&self, out: &mut String) {
        out.push_str(self.token());
    }

    fn read(value: &Value<'_>, reading: &mut Reading) -> Self {
        reading.found(value.number().map(Some)).map_or_else(|| 0.into(), Number::into_owned)
    }
}

impl Json for Path {
    fn write(&self, out: &mut String) {
        quote(&self.to_string(), out);
    }

    fn read(value: &Value<'_>, reading: &mut Reading) -> Self {
        let text = String::read(value, reading);
        reading.found(Self::parse(&text).ok())
    }
}

impl<T: Json> Json for Vec<T> {
    fn write(&self, out: &mut String) {
        write_items(self.iter().map(|item| item as &dyn Json), out);
    }

    fn read(value: &Value<'_>, reading: &mut Reading) -> Self {
        let mut list = Self::new();
        for item in &reading.items(value) {
            list.push(T::read(item, reading));
        }
        list
    }
}

impl<T: Json> Json for LiteMap<String, T> {
    fn write(&self, out: &mut String) {
        let members: Vec<_> = self.iter().map(|(name, value)| (&**name, Some(value as &dyn Json))).collect();
        write_members(&members, out);
    }

    fn read(value: &Value<'_>, reading: &mut Reading) -> Self {
        let mut map = Self::new();
        for (name, value) in reading.members(value).iter() {
            map.insert(name.to_owned(), T::read(value, reading));
        }
        map
    }
}

impl Json for String {
    fn write(&self, out: &mut String) {
        quote(self, out);
    }

    fn read(value: &Value<'_>, reading: &mut Reading) -> Self {
        reading.found(value.text().ok().flatten()).into_owned()
    }
}

/// `false` is left out.
impl Json for bool {
    fn write(&self, out: &mut String) {
        out.push_str(if *self { "true" } else { "false" });
    }

    fn is_left_out(&self) -> bool {
        !self
    }

    fn read(value: &Value<'_>, reading: &mut Reading) -> Self {
        match value.opened() {
            Ok(Value::Bool(truth)) => truth,
            _ => reading.found(None),
        }
    }

    fn missing(_: &mut Reading) -> Self {
        false
    }
}

impl Json for i64 {
    fn write(&self, out: &mut String) {
        out.push_str(&self.to_string());
    }

    fn read(value: &Value<'_>, reading: &mut Reading) -> Self {
        reading.found(value.number().and_then(|number| number.to_i64()))
    }
}

/// Counts and sizes, which stay far below 2^63.
impl Json for u64 {
    fn write(&self, out: &mut String) {
        i64::try_from(*self).unwrap_or(i64::MAX).write(out);
    }

    fn read(value: &Value<'_>, reading: &mut Reading) -> Self {
        let number = i64::read(value, reading);
        reading.found(u64::try_from(number).ok())
    }
}

impl Json for usize {
    fn write(&self, out: &mut String) {
        (*self as u64).write(out);
    }

    fn read(value: &Value<'_>, reading: &mut Reading) -> Self {
        let number = i64::read(value, reading);
        reading.found(usize::try_from(number).ok())
    }
}

impl Json for u32 {
    fn write(&self, out: &mut String) {
        i64::from(*self).write(out);
    }

    fn read(value: &Value<'_>, reading: &mut Reading) -> Self {
        let number = i64::read(value, reading);
        reading.found(u32::try_from(number).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Note {
        count: u64,
        title: Option<String>,
        done: bool,
        tags: Vec<String>,
    }

    json_object!(Note { "count": count, "title": title, "isDone": done, "tags": tags });

    fn note() -> Note {
        Note { count: 3, title: None, done: false, tags: vec!["a".to_owned()] }
    }

    #[test]
    fn what_is_absent_or_false_is_left_out_and_read_as_such() {
        assert_eq!(note().to_json(), r#"{"count":3,"tags":["a"]}"#);
        assert_eq!(Note::from_json(&note().to_json()), Some(note()));
    }

    #[test]
    fn other_members_are_passed_over() {
        assert_eq!(Note::from_json(r#"{"count":3,"later":[1],"tags":["a"]}"#), Some(note()));
    }

    #[test]
    fn a_missing_member_or_one_of_another_type_is_no_such_record() {
        for text in [r#"{"tags":[]}"#, r#"{"count":-1,"tags":[]}"#, r#"{"count":"3","tags":[]}"#, "[]", "{"] {
            assert_eq!(Note::from_json(text), None, "{text}");
        }
    }
}
