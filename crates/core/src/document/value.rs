use std::borrow::Cow;
use std::fmt;

use serde::Serialize;
use serde_json::value::RawValue;

use super::grammar::{self, Mistake, quote};
use super::scan::{Scan, is_deeper};
use super::text::{DEPTH_LIMIT, check_depth};
use super::{Number, Object};
use crate::error::{Error, ErrorKind, Result};

/// A JSON value that borrows from the text it came from.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    /// Valid JSON that nobody has looked into yet.
    Raw(&'a str),
    /// `null`, which is not the same as absent.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, exact.
    Number(Number<'a>),
    /// A text.
    String(Cow<'a, str>),
    /// An array.
    Array(Vec<Value<'a>>),
    /// An object.
    Object(Object<'a>),
}

/// The type of a value, as JSON Schema names it (`integer` is a matter of schemas).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `null`
    Null,
    /// `boolean`
    Boolean,
    /// `number`
    Number,
    /// `string`
    String,
    /// `array`
    Array,
    /// `object`
    Object,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Null => "null",
            Kind::Boolean => "boolean",
            Kind::Number => "number",
            Kind::String => "string",
            Kind::Array => "array",
            Kind::Object => "object",
        })
    }
}

impl<'a> Value<'a> {
    /// Checks that `text` is one JSON value (RFC 8259) of bounded depth, and takes it unread.
    ///
    /// # Errors
    /// [`ErrorKind::Json`] with the place of the mistake; [`ErrorKind::Unfit`] where it nests too deep.
    pub fn parse(text: &'a str) -> Result<Self> {
        Self::parse_inside(text, 0)
    }

    /// As [`Value::parse`], for a text that wraps documents in `levels` of its own.
    pub(crate) fn parse_inside(text: &'a str, levels: usize) -> Result<Self> {
        check_depth(text, DEPTH_LIMIT + levels)?;
        grammar::check(text).map(Self::Raw).map_err(|mistake| no_json(text, &mistake))
    }

    /// Takes a text that is known to be JSON, where only its depth is to be checked: this crate or a browser wrote it, or
    /// a digest says that it is what was read before. It may wrap a document in `levels` of its own.
    ///
    /// # Errors
    /// [`ErrorKind::Unfit`] where it nests too deep.
    pub(crate) fn trusted(text: &'a str, levels: usize) -> Result<Self> {
        check_depth(text, DEPTH_LIMIT + levels)?;
        Ok(Self::Raw(text))
    }

    /// The type of the value, without opening it.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Value::Raw(text) => match text.as_bytes().first() {
                Some(b'{') => Kind::Object,
                Some(b'[') => Kind::Array,
                Some(b'"') => Kind::String,
                Some(b't' | b'f') => Kind::Boolean,
                Some(b'n') => Kind::Null,
                _ => Kind::Number,
            },
            Value::Null => Kind::Null,
            Value::Bool(_) => Kind::Boolean,
            Value::Number(_) => Kind::Number,
            Value::String(_) => Kind::String,
            Value::Array(_) => Kind::Array,
            Value::Object(_) => Kind::Object,
        }
    }

    /// Whether it nests deeper than so many levels.
    #[must_use]
    pub(crate) fn is_deeper_than(&self, levels: usize) -> bool {
        let inside = |value: &Value<'_>| levels.checked_sub(1).is_none_or(|levels| value.is_deeper_than(levels));
        match self {
            Value::Raw(text) => is_deeper(text, levels),
            Value::Array(items) => levels == 0 || items.iter().any(inside),
            Value::Object(object) => levels == 0 || object.iter().any(|(_, value)| inside(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        }
    }

    /// The value, open by one level.
    ///
    /// # Errors
    /// [`ErrorKind::Json`] where a text is no Unicode (half of a surrogate pair).
    pub fn opened(&self) -> Result<Value<'a>> {
        match self {
            Value::Raw(text) => open(text),
            other => Ok(other.clone()),
        }
    }

    /// Opens every array and object in the value, in one go: for those who will look everywhere, and more than once.
    ///
    /// # Errors
    /// [`ErrorKind::Json`] where a key is no Unicode.
    pub(crate) fn open_whole(&mut self) -> Result<()> {
        match self {
            Value::Raw(text) => *self = open_whole(&mut Scan::at(text))?.unwrap_or(Value::Raw(text)),
            Value::Array(items) => items.iter_mut().try_for_each(Value::open_whole)?,
            Value::Object(object) => object.iter_mut().try_for_each(|(_, value)| value.open_whole())?,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
        Ok(())
    }

    /// The members, where this is an object.
    ///
    /// # Errors
    /// As [`Value::opened`].
    pub fn object_mut(&mut self) -> Result<Option<&mut Object<'a>>> {
        self.open_if(Kind::Object)?;
        Ok(match self {
            Value::Object(object) => Some(object),
            _ => None,
        })
    }

    /// The members, where this is a readable object.
    #[must_use]
    pub fn members(&self) -> Option<Object<'a>> {
        match self.opened().ok()? {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The items, where this is an array.
    ///
    /// # Errors
    /// As [`Value::opened`].
    pub fn array_mut(&mut self) -> Result<Option<&mut Vec<Value<'a>>>> {
        self.open_if(Kind::Array)?;
        Ok(match self {
            Value::Array(items) => Some(items),
            _ => None,
        })
    }

    /// The text, where this is a string.
    ///
    /// # Errors
    /// As [`Value::opened`].
    pub fn text(&self) -> Result<Option<Cow<'a, str>>> {
        if self.kind() != Kind::String {
            return Ok(None);
        }
        match self.opened()? {
            Value::String(text) => Ok(Some(text)),
            _ => Ok(None),
        }
    }

    /// The number, where this is one.
    #[must_use]
    pub fn number(&self) -> Option<Number<'a>> {
        match self {
            Value::Number(number) => Some(number.clone()),
            Value::Raw(text) if self.kind() == Kind::Number => Some(Number::from_token(*text)),
            _ => None,
        }
    }

    /// The value as JSON text, compact where it was opened and as it was where not.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    /// Appends the value as JSON text.
    pub fn write(&self, out: &mut String) {
        match self {
            Value::Raw(text) => out.push_str(text),
            Value::Null => out.push_str("null"),
            Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Value::Number(number) => out.push_str(number.token()),
            Value::String(text) => quote(text, out),
            Value::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { "," });
                    item.write(out);
                }
                out.push(']');
            }
            Value::Object(object) => {
                out.push('{');
                for (index, (key, value)) in object.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { "," });
                    quote(key, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }

    /// The same value, borrowing from nothing.
    ///
    /// # Errors
    /// As [`Value::opened`].
    pub fn into_owned(self) -> Result<Value<'static>> {
        Ok(match self.opened()? {
            Value::Raw(_) => unreachable!("an opened value is not raw"),
            Value::Null => Value::Null,
            Value::Bool(value) => Value::Bool(value),
            Value::Number(number) => Value::Number(number.into_owned()),
            Value::String(text) => Value::String(Cow::Owned(text.into_owned())),
            Value::Array(items) => Value::Array(items.into_iter().map(Value::into_owned).collect::<Result<_>>()?),
            Value::Object(object) => Value::Object(object.into_owned()?),
        })
    }

    fn open_if(&mut self, kind: Kind) -> Result<()> {
        if let Value::Raw(text) = *self
            && self.kind() == kind
        {
            *self = open(text)?;
        }
        Ok(())
    }
}

impl From<&str> for Value<'static> {
    fn from(text: &str) -> Self {
        Value::String(Cow::Owned(text.to_owned()))
    }
}

impl From<bool> for Value<'static> {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}

impl From<i64> for Value<'static> {
    fn from(value: i64) -> Self {
        Value::Number(value.into())
    }
}

fn no_json(text: &str, Mistake(at): &Mistake) -> Error {
    let (before, is_end) = (&text.as_bytes()[..*at], *at == text.len());
    let line_start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
    let column = at - line_start + usize::from(!is_end);
    let line = match text.contains('\n') {
        true => format!("line {}, ", 1 + before.iter().filter(|byte| **byte == b'\n').count()),
        false => String::new(),
    };
    let what = if is_end { "the end of the text in the middle of a value" } else { "something else" };
    Error::new(ErrorKind::Json, format!("expected JSON in Unicode, found {what} at {line}column {column}"))
}

/// Opens one level. The text was accepted by a parser, so only texts with half a surrogate pair can fail.
fn open(text: &str) -> Result<Value<'_>> {
    Ok(match Value::Raw(text).kind() {
        Kind::Null => Value::Null,
        Kind::Boolean => Value::Bool(text == "true"),
        Kind::Number => Value::Number(Number::from_token(text)),
        Kind::String => Value::String(open_text(text)?),
        Kind::Array => {
            let mut scan = Scan::inside(text);
            Value::Array(std::iter::from_fn(|| scan.next()).map(Value::Raw).collect())
        }
        Kind::Object => {
            let mut scan = Scan::inside(text);
            let mut members = Vec::new();
            while let Some((key, value)) = scan.next().zip(scan.next()) {
                members.push((open_text(key)?, Value::Raw(value)));
            }
            Value::Object(Object::from_members(members))
        }
    })
}

/// Opens the next item or member's value and all in it; scalars stay unread. `None` at the end of an array or object.
fn open_whole<'a>(scan: &mut Scan<'a>) -> Result<Option<Value<'a>>> {
    Ok(match scan.enter() {
        Some(Kind::Array) => {
            let mut items = Vec::new();
            while let Some(item) = open_whole(scan)? {
                items.push(item);
            }
            scan.leave();
            Some(Value::Array(items))
        }
        Some(Kind::Object) => {
            let mut members = Vec::new();
            while let Some(key) = scan.next() {
                let Some(value) = open_whole(scan)? else { break };
                members.push((open_text(key)?, value));
            }
            scan.leave();
            Some(Value::Object(Object::from_members(members)))
        }
        _ => scan.next().map(Value::Raw),
    })
}

fn open_text(token: &str) -> Result<Cow<'_, str>> {
    let inner = token.get(1..token.len().saturating_sub(1)).unwrap_or_default();
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Ok(Cow::Borrowed(inner));
    }
    grammar::unescape(inner).map(Cow::Owned).ok_or_else(|| {
        Error::new(ErrorKind::Json, "expected JSON in Unicode, found a text with half of a surrogate pair")
    })
}

impl Serialize for Value<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let raw = RawValue::from_string(self.to_json()).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_opened_is_written_as_it_was() {
        let text = r#"{"a":{"n": 1.50, "s":"\u00e9\ud800"},"b":[1, 2]}"#;
        let mut value = Value::parse(text).unwrap();
        value.object_mut().unwrap().unwrap().insert("c", Value::Null);
        assert_eq!(value.to_json(), r#"{"a":{"n": 1.50, "s":"\u00e9\ud800"},"b":[1, 2],"c":null}"#);
    }

    #[test]
    fn hostile_keys_are_ordinary() {
        let keys = [
            "__proto__",
            "$set",
            "a.b",
            "a/b",
            "~",
            "",
            "$serde_json::private::RawValue",
            "$serde_json::private::Number",
        ];
        let text = format!("{{{}}}", keys.map(|key| format!("{key:?}:1")).join(","));
        let mut value = Value::parse(&text).unwrap();
        let object = value.object_mut().unwrap().unwrap();
        assert_eq!(object.iter().map(|(key, _)| key).collect::<Vec<_>>(), keys);
    }

    #[test]
    fn the_last_of_two_equal_keys_wins_as_in_javascript() {
        let mut value = Value::parse(r#"{"a":1,"b":2,"a":3}"#).unwrap();
        let object = value.object_mut().unwrap().unwrap();
        assert_eq!(object.get("a"), Some(&Value::from(3)));
        assert_eq!(object.len(), 2);
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Value::parse(&nested(99)).is_ok());
        assert_eq!(Value::parse(&nested(100)).unwrap_err().kind(), ErrorKind::Unfit);
    }
}
