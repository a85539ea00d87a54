use std::borrow::Cow;

use super::Value;
use crate::error::Result;

/// A digest of a document's meaning: equal documents have equal digests, whatever the order of their members or the
/// spelling of their numbers. 128 bits of BLAKE3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 16]);

impl Digest {
    /// The digest of a document.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Json`] where a text in it is no Unicode.
    pub fn of(value: &Value<'_>) -> Result<Self> {
        let mut hasher = blake3::Hasher::new();
        feed(value, &mut hasher)?;
        let mut short = [0; 16];
        short.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Ok(Self(short))
    }

    /// The digest in hexadecimal, 32 characters.
    #[must_use]
    pub fn to_hex(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Reads what [`Digest::to_hex`] wrote.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        if text.len() != 32 || !text.is_ascii() {
            return None;
        }
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).ok()?;
        }
        Some(Self(bytes))
    }
}

/// Every part is preceded by its kind and its length, so that no two documents give the same bytes.
fn feed(value: &Value<'_>, hasher: &mut blake3::Hasher) -> Result<()> {
    match &*open(value)? {
        Value::Null => text(b'n', "", hasher),
        Value::Bool(value) => text(b'b', if *value { "1" } else { "0" }, hasher),
        Value::Number(number) => text(b'd', &number.canonical(), hasher),
        Value::String(string) => text(b's', string, hasher),
        Value::Array(items) => {
            length(b'a', items.len(), hasher);
            for item in items {
                feed(item, hasher)?;
            }
        }
        Value::Object(object) => {
            length(b'o', object.len(), hasher);
            let mut members: Vec<_> = object.iter().collect();
            members.sort_unstable_by_key(|(key, _)| *key);
            for (key, value) in members {
                text(b'k', key, hasher);
                feed(value, hasher)?;
            }
        }
        Value::Raw(_) => unreachable!("an opened value is not raw"),
    }
    Ok(())
}

fn text(kind: u8, text: &str, hasher: &mut blake3::Hasher) {
    length(kind, text.len(), hasher);
    hasher.update(text.as_bytes());
}

fn length(kind: u8, length: usize, hasher: &mut blake3::Hasher) {
    hasher.update(&[kind]);
    hasher.update(&(length as u64).to_le_bytes());
}

/// What is open already is not copied.
fn open<'v, 'a>(value: &'v Value<'a>) -> Result<Cow<'v, Value<'a>>> {
    Ok(match value {
        Value::Raw(_) => Cow::Owned(value.opened()?),
        open => Cow::Borrowed(open),
    })
}

impl PartialEq for Value<'_> {
    /// Equality of meaning: members unordered, numbers by exact value. A text that is no Unicode equals only itself.
    fn eq(&self, other: &Self) -> bool {
        if let (Value::Raw(a), Value::Raw(b)) = (self, other)
            && a == b
        {
            return true;
        }
        let (Ok(a), Ok(b)) = (open(self), open(other)) else { return false };
        match (&*a, &*b) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Number(a), Value::Number(b)) => a == b,
            (Value::String(a), Value::String(b)) => a == b,
            (Value::Array(a), Value::Array(b)) => a == b,
            (Value::Object(a), Value::Object(b)) => {
                a.len() == b.len() && a.iter().all(|(key, value)| b.get(key) == Some(value))
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equality_and_digest_agree() {
        let same = [
            (r#"{"a":1,"b":[true,null]}"#, r#"{ "b" : [true, null], "a": 1.0 }"#),
            (r#""A""#, r#""\u0041""#),
            (r#"{"a":{"b":-0}}"#, r#"{"a":{"b":0}}"#),
        ];
        let different = [
            (r#"{"a":null}"#, "{}"),
            ("[1,2]", "[2,1]"),
            ("9007199254740992", "9007199254740993"),
            (r#""\u00e9""#, r#""e\u0301""#),
            (r#"["ab"]"#, r#"["a","b"]"#),
        ];
        let both = |a, b| {
            let (a, b) = (Value::parse(a).unwrap(), Value::parse(b).unwrap());
            let digests = Digest::of(&a).unwrap() == Digest::of(&b).unwrap();
            assert_eq!(a == b, digests, "equality and digest disagree on {a:?} and {b:?}");
            digests
        };
        for (a, b) in same {
            assert!(both(a, b), "{a} and {b}");
        }
        for (a, b) in different {
            assert!(!both(a, b), "{a} and {b}");
        }
    }
}
