//! Finding where values end in text that is known to be JSON. Most bytes are inside of strings, which `memchr` leaps over.

use super::Kind;
use memchr::{memchr, memchr2_iter};

/// Positions in a JSON text that a parser has accepted. On any other text the answers mean nothing, but are within it.
pub(super) struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    /// Stands after the first byte: inside of an array or object.
    pub(super) fn inside(text: &'a str) -> Self {
        Self { text, at: 1 }
    }

    /// Stands before a value.
    pub(super) fn at(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Steps into the array or object that comes next, and says which it is; stays where neither does.
    pub(super) fn enter(&mut self) -> Option<Kind> {
        let kind = match self.byte()? {
            b'[' => Kind::Array,
            b'{' => Kind::Object,
            _ => return None,
        };
        self.at += 1;
        Some(kind)
    }

    /// Steps out at the end of an array or object.
    pub(super) fn leave(&mut self) {
        self.at += usize::from(matches!(self.byte(), Some(b']' | b'}')));
    }

    /// The byte that the next token starts with.
    fn byte(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while matches!(bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r' | b',' | b':')) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    /// The token of the next item, or of the next member's key; `None` at the end of the array or object.
    pub(super) fn next(&mut self) -> Option<&'a str> {
        let first = self.byte()?;
        let (bytes, start) = (self.text.as_bytes(), self.at);
        self.at = match first {
            b'}' | b']' => return None,
            b'"' => end_of_string(bytes, start),
            b'{' | b'[' => end_of_container(bytes, start),
            _ => end_of_scalar(bytes, start),
        };
        self.text.get(start..self.at)
    }
}

/// Whether `text` opens more than `limit` arrays and objects inside each other. It need not be JSON.
pub(super) fn is_deeper(text: &str, limit: usize) -> bool {
    let bytes = text.as_bytes();
    // Most texts have too few brackets, wherever they stand.
    if memchr2_iter(b'{', b'[', bytes).nth(limit).is_none() {
        return false;
    }
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                at = end_of_string(bytes, at);
                continue;
            }
            _ => {}
        }
        if depth > limit {
            return true;
        }
        at += 1;
    }
    false
}

/// The position after the string that starts at `start`. Quotes are rarer than escapes; one that is escaped has an odd
/// number of backslashes before it.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr(b'"', rest)) {
        let quote = at + found;
        let backslashes = bytes[start + 1..quote].iter().rev().take_while(|byte| **byte == b'\\').count();
        if backslashes % 2 == 0 {
            return quote + 1;
        }
        at = quote + 1;
    }
    bytes.len()
}

fn end_of_container(bytes: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0_usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            b'"' => {
                at = end_of_string(bytes, at);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

fn end_of_scalar(bytes: &[u8], start: usize) -> usize {
    let ends = |byte: &u8| matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r');
    bytes[start..].iter().position(ends).map_or(bytes.len(), |length| start + length)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,8}|[\\\\\"{}\\[\\],: ]{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            let key = "[a\\\\\"{}, ]{0,4}";
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((key, inner), 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_opened_whole_says_the_same(value in json(), pretty in any::<bool>()) {
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
            let mut opened = crate::document::Value::parse(&text).unwrap();
            opened.open_whole().unwrap();
            prop_assert_eq!(serde_json::from_str::<Value>(&opened.to_json()).unwrap(), value);
        }

        #[test]
        fn tokens_are_what_a_parser_finds(value in json(), pretty in any::<bool>()) {
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
            let mut scan = Scan::inside(&text);
            let mut tokens = std::iter::from_fn(|| scan.next()).map(|token| serde_json::from_str::<Value>(token).unwrap());
            match &value {
                Value::Array(items) => prop_assert_eq!(&tokens.collect::<Vec<_>>(), items),
                Value::Object(members) => {
                    for (key, member) in members {
                        prop_assert_eq!(tokens.next(), Some(Value::from(key.as_str())));
                        prop_assert_eq!(tokens.next(), Some(member.clone()));
                    }
                    prop_assert_eq!(tokens.next(), None);
                }
                _ => {}
            }
        }

        #[test]
        fn any_text_is_scanned_to_an_end(text in "[\\[\\]{}\",:\\\\ a0é]{0,40}") {
            let mut scan = Scan::inside(&text);
            prop_assert!(std::iter::from_fn(|| scan.next()).take(100).count() < 100);
        }
    }
}
