//! What Exuvia itself keeps and tells as JSON: heads, manifests, reports.
//!
//! Written out over [`Value`] rather than derived: a derived reader of such records takes several times its bytes in
//! the module that every user downloads.

use litemap::LiteMap;

use super::{Number, Object, Path, Value};

/// Something that is written as JSON and read again.
pub trait Json: Sized {
    /// As JSON.
    fn to_value(&self) -> Value<'static>;

    /// From JSON; `None` where it is anything else.
    fn from_value(value: &Value<'_>) -> Option<Self>;

    /// As a member of an object; `None` where the member is left out.
    fn to_member(&self) -> Option<Value<'static>> {
        Some(self.to_value())
    }

    /// From a member of an object, which may be missing.
    fn from_member(member: Option<Value<'_>>) -> Option<Self> {
        Self::from_value(&member?)
    }

    /// As JSON text.
    fn to_json(&self) -> String {
        self.to_value().to_json()
    }

    /// From JSON text; `None` where it is anything else.
    fn from_json(text: &str) -> Option<Self> {
        Self::from_value(&Value::parse(text).ok()?)
    }
}

/// Implements [`Json`] for a struct: an object with these members; those behind the semicolon are left out where they
/// have their default. Other members are passed over.
#[macro_export]
macro_rules! json_object {
    ($type:ty { $($name:literal: $field:ident),* $(,)? $(; $($left_out:literal: $default:ident),* $(,)?)? }) => {
        impl $crate::document::Json for $type {
            fn to_value(&self) -> $crate::document::Value<'static> {
                let mut object = $crate::document::Object::new();
                $(object.extend_with($name, $crate::document::Json::to_member(&self.$field));)*
                $($(if !$crate::document::is_default(&self.$default) {
                    object.insert($left_out, $crate::document::Json::to_value(&self.$default));
                })*)?
                $crate::document::Value::Object(object)
            }

            fn from_value(value: &$crate::document::Value<'_>) -> Option<Self> {
                let mut object = value.members()?;
                Some(Self {
                    $($field: $crate::document::Json::from_member(object.remove($name))?,)*
                    $($($default: match object.remove($left_out) {
                        Some(value) => $crate::document::Json::from_value(&value)?,
                        None => Default::default(),
                    },)*)?
                })
            }
        }
    };
}

/// Implements [`Json`] for an enum with data: an object whose member `is` has the word for the variant, and the others
/// the variant's fields.
#[macro_export]
macro_rules! json_variants {
    ($type:ty { $($word:literal: $variant:ident { $($field:tt: $name:ident),* }),* $(,)? }) => {
        impl $crate::document::Json for $type {
            fn to_value(&self) -> $crate::document::Value<'static> {
                let mut object = $crate::document::Object::new();
                match self {
                    $(Self::$variant { $($field: $name),* } => {
                        object.insert("is", $word.into());
                        $(object.extend_with(stringify!($name), $crate::document::Json::to_member($name));)*
                    })*
                }
                $crate::document::Value::Object(object)
            }

            fn from_value(value: &$crate::document::Value<'_>) -> Option<Self> {
                let mut object = value.members()?;
                let word = object.remove("is")?;
                match &*word.text().ok()?? {
                    $($word => Some(Self::$variant {
                        $($field: $crate::document::Json::from_member(object.remove(stringify!($name)))?),*
                    }),)*
                    _ => None,
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
            fn to_value(&self) -> $crate::document::Value<'static> {
                self.word().into()
            }

            fn from_value(value: &$crate::document::Value<'_>) -> Option<Self> {
                let text = value.text().ok()??;
                Self::WORDS.iter().find(|(word, _)| *word == text).map(|(_, found)| *found)
            }
        }
    };
}

/// Whether a value is what stands where nothing was said.
pub fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl<T: Json> Json for Option<T> {
    fn to_value(&self) -> Value<'static> {
        self.as_ref().map_or(Value::Null, Json::to_value)
    }

    fn from_value(value: &Value<'_>) -> Option<Self> {
        T::from_value(value).map(Some)
    }

    fn to_member(&self) -> Option<Value<'static>> {
        self.as_ref().map(Json::to_value)
    }

    fn from_member(member: Option<Value<'_>>) -> Option<Self> {
        match member {
            None => Some(None),
            Some(value) => T::from_value(&value).map(Some),
        }
    }
}

impl<T: Json> Json for Box<T> {
    fn to_value(&self) -> Value<'static> {
        (**self).to_value()
    }

    fn from_value(value: &Value<'_>) -> Option<Self> {
        T::from_value(value).map(Self::new)
    }
}

impl<A: Json, B: Json> Json for (A, B) {
    fn to_value(&self) -> Value<'static> {
        Value::Array(vec![self.0.to_value(), self.1.to_value()])
    }

    fn from_value(value: &Value<'_>) -> Option<Self> {
        let Value::Array(items) = value.opened().ok()? else { return None };
        let [a, b] = &items[..] else { return None };
        Some((A::from_value(a)?, B::from_value(b)?))
    }
}

impl Json for Value<'static> {
    fn to_value(&self) -> Value<'static> {
        self.clone()
    }

    fn from_value(value: &Value<'_>) -> Option<Self> {
        value.clone().into_owned().ok()
    }
}

impl Json for Number<'static> {
    fn to_value(&self) -> Value<'static> {
        Value::Number(self.clone())
    }

    fn from_value(value: &Value<'_>) -> Option<Self> {
        value.number().map(Number::into_owned)
    }
}

impl Json for Path {
    fn to_value(&self) -> Value<'static> {
        self.to_string().as_str().into()
    }

    fn from_value(value: &Value<'_>) -> Option<Self> {
        Self::parse(&value.text().ok()??).ok()
    }
}

impl<T: Json> Json for Vec<T> {
    fn to_value(&self) -> Value<'static> {
        Value::Array(self.iter().map(Json::to_value).collect())
    }

    fn from_value(value: &Value<'_>) -> Option<Self> {
        let Value::Array(items) = value.opened().ok()? else { return None };
        items.iter().map(T::from_value).collect()
    }
}

impl<T: Json> Json for LiteMap<String, T> {
    fn to_value(&self) -> Value<'static> {
        let mut object = Object::new();
        for (name, value) in self {
            object.insert(name.clone(), value.to_value());
        }
        Value::Object(object)
    }

    fn from_value(value: &Value<'_>) -> Option<Self> {
        let mut map = Self::new();
        for (name, value) in value.members()? {
            map.insert(name.into_owned(), T::from_value(&value)?);
        }
        Some(map)
    }
}

impl Json for String {
    fn to_value(&self) -> Value<'static> {
        self.as_str().into()
    }

    fn from_value(value: &Value<'_>) -> Option<Self> {
        Some(value.text().ok()??.into_owned())
    }
}

/// `false` is left out.
impl Json for bool {
    fn to_value(&self) -> Value<'static> {
        Value::Bool(*self)
    }

    fn from_value(value: &Value<'_>) -> Option<Self> {
        match value.opened().ok()? {
            Value::Bool(truth) => Some(truth),
            _ => None,
        }
    }

    fn to_member(&self) -> Option<Value<'static>> {
        self.then_some(Value::Bool(true))
    }

    fn from_member(member: Option<Value<'_>>) -> Option<Self> {
        member.map_or(Some(false), |value| Self::from_value(&value))
    }
}

impl Json for i64 {
    fn to_value(&self) -> Value<'static> {
        (*self).into()
    }

    fn from_value(value: &Value<'_>) -> Option<Self> {
        value.number()?.to_i64()
    }
}

/// Counts and sizes, which stay far below 2^63.
impl Json for u64 {
    fn to_value(&self) -> Value<'static> {
        i64::try_from(*self).unwrap_or(i64::MAX).into()
    }

    fn from_value(value: &Value<'_>) -> Option<Self> {
        u64::try_from(i64::from_value(value)?).ok()
    }
}

impl Json for usize {
    fn to_value(&self) -> Value<'static> {
        (*self as u64).to_value()
    }

    fn from_value(value: &Value<'_>) -> Option<Self> {
        usize::try_from(u64::from_value(value)?).ok()
    }
}

impl Json for u32 {
    fn to_value(&self) -> Value<'static> {
        i64::from(*self).into()
    }

    fn from_value(value: &Value<'_>) -> Option<Self> {
        u32::try_from(i64::from_value(value)?).ok()
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
