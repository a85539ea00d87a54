//! JSON's grammar (RFC 8259): whether a text is JSON, and what its strings say. `serde_json` would do the same, with the
//! reading and writing of floating-point numbers, which take more of the module than all of this.

use memchr::memchr;

/// Where a text stops being JSON: the position of the byte that cannot stand there, or the text's length where it ends
/// too early.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mistake(pub(super) usize);

/// Checks that a text is one value, with white space around it, and answers with the value alone. The text must not nest
/// without bounds.
pub(super) fn check(text: &str) -> Result<&str, Mistake> {
    let mut parser = Parser { bytes: text.as_bytes(), at: 0 };
    parser.space();
    let start = parser.at;
    parser.value()?;
    let end = parser.at;
    parser.space();
    match parser.bytes.get(parser.at) {
        None => Ok(&text[start..end]),
        Some(_) => Err(Mistake(parser.at)),
    }
}

/// Whether a text is a number and nothing else.
pub(super) fn is_number(text: &str) -> bool {
    let mut parser = Parser { bytes: text.as_bytes(), at: 0 };
    parser.number().is_ok() && parser.at == text.len()
}

struct Parser<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn mistake<T>(&self) -> Result<T, Mistake> {
        Err(Mistake(self.at))
    }

    /// Goes over bytes as long as they are such.
    fn skip(&mut self, such: impl Fn(u8) -> bool) -> usize {
        let start = self.at;
        while self.peek().is_some_and(&such) {
            self.at += 1;
        }
        self.at - start
    }

    fn space(&mut self) {
        self.skip(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn word(&mut self, word: &[u8]) -> Result<(), Mistake> {
        word.iter().try_for_each(|&byte| if self.take(byte) { Ok(()) } else { self.mistake() })
    }

    fn value(&mut self) -> Result<(), Mistake> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'{') => self.list(b'}', |parser| {
                parser.string()?;
                parser.space();
                parser.word(b":")?;
                parser.space();
                parser.value()
            }),
            Some(b'[') => self.list(b']', Self::value),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            _ => self.number(),
        }
    }

    fn list(&mut self, end: u8, item: fn(&mut Self) -> Result<(), Mistake>) -> Result<(), Mistake> {
        self.at += 1;
        self.space();
        if self.take(end) {
            return Ok(());
        }
        loop {
            item(self)?;
            self.space();
            if self.take(end) {
                return Ok(());
            }
            self.word(b",")?;
            self.space();
        }
    }

    fn string(&mut self) -> Result<(), Mistake> {
        self.word(b"\"")?;
        loop {
            self.skip(|byte| byte >= b' ' && byte != b'"' && byte != b'\\');
            if self.take(b'"') {
                return Ok(());
            }
            self.word(b"\\")?;
            let digits = match self.peek() {
                Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 0,
                Some(b'u') => 4,
                _ => return self.mistake(),
            };
            self.at += 1;
            for _ in 0..digits {
                match self.peek() {
                    Some(byte) if byte.is_ascii_hexdigit() => self.at += 1,
                    _ => return self.mistake(),
                }
            }
        }
    }

    fn number(&mut self) -> Result<(), Mistake> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Mistake> {
        match self.skip(|byte| byte.is_ascii_digit()) {
            0 => self.mistake(),
            _ => Ok(()),
        }
    }
}

/// What stands between the quotes of a string, with its escapes read; `None` where it is no Unicode: half of a surrogate
/// pair.
pub(super) fn unescape(mut text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    while let Some(at) = memchr(b'\\', text.as_bytes()) {
        out.push_str(&text[..at]);
        let escaped = text[at + 1..].chars().next()?;
        text = &text[at + 1 + escaped.len_utf8()..];
        out.push(match escaped {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => unit(&mut text).and_then(|unit| scalar(unit, &mut text))?,
            itself => itself,
        });
    }
    out.push_str(text);
    Some(out)
}

/// The four digits that come next.
fn unit(text: &mut &str) -> Option<u32> {
    let (digits, rest) = text.split_at_checked(4)?;
    *text = rest;
    u32::from_str_radix(digits, 16).ok()
}

/// The character that starts with a unit of UTF-16.
fn scalar(unit_first: u32, text: &mut &str) -> Option<char> {
    if !(0xD800..0xDC00).contains(&unit_first) {
        return char::from_u32(unit_first);
    }
    *text = text.strip_prefix("\\u")?;
    let low = unit(text)?.checked_sub(0xDC00).filter(|low| *low < 0x400)?;
    char::from_u32(0x10000 + ((unit_first - 0xD800) << 10) + low)
}

/// Appends a text as a string of JSON.
pub(crate) fn quote(text: &str, out: &mut String) {
    out.push('"');
    let mut start = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\x08' => "\\b",
            b'\x0c' => "\\f",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..b' ' => "\\u00",
            _ => continue,
        };
        out.push_str(&text[start..at]);
        out.push_str(escape);
        if escape.len() > 2 {
            out.extend([byte / 16, byte % 16].into_iter().filter_map(|digit| char::from_digit(digit.into(), 16)));
        }
        start = at + 1;
    }
    out.push_str(&text[start..]);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    /// Texts that are JSON, nearly JSON, and anything.
    fn texts() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            "[\\[\\]{}\",:\\\\ \n\t0-9.eE+\\-a-fnrtul/é\u{1}\u{7f}]{0,3}",
            "-?(0|[1-9][0-9]{0,2})(\\.[0-9]{1,2})?([eE][+-]?[0-9]{1,2})?",
            "\"(\\\\([\"\\\\/bfnrt]|u[dD][89a-fA-F][0-9a-f]{2}|u[0-9A-F]{4})|[a-zé😀]){0,5}\"",
            prop::sample::select(vec!["true", "false", "null", "{}", "[]", "{\"a\":", "[1,", "]", "}", ","])
                .prop_map(str::to_owned),
        ];
        prop::collection::vec(part, 0..8).prop_map(|parts| parts.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn accepts_what_another_parser_accepts_and_stops_where_it_stops(text in texts()) {
            match (check(&text), serde_json::from_str::<&RawValue>(&text)) {
                (Ok(value), Ok(raw)) => prop_assert_eq!(value, raw.get()),
                (Err(Mistake(at)), Err(error)) => prop_assert!(!error.is_eof() || at == text.len(), "{error} at {at}"),
                (found, expected) => prop_assert!(false, "{:?} and {:?}", found, expected),
            }
        }

        #[test]
        fn strings_say_what_another_parser_reads(text in "(\\\\([\"\\\\/bfnrt]|u[dD][89a-fA-F][0-9a-f]{2}|u[0-9A-F]{4})|[a-zé😀]){0,6}") {
            prop_assert_eq!(unescape(&text), serde_json::from_str(&format!("\"{text}\"")).ok());
        }

        #[test]
        fn texts_are_quoted_as_elsewhere(text in "(\\PC|[\u{0}-\u{20}\"\\\\]){0,10}") {
            let mut out = String::new();
            quote(&text, &mut out);
            prop_assert_eq!(out, serde_json::to_string(&text).unwrap());
        }
    }
}
