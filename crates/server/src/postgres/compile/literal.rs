//! Constants in SQL. Nothing else puts a text that an author wrote into a statement.

use exuvia_core::document::{Path, Value};

use super::{Reason, Result};

const NUL: Reason = Reason::new("a text with the character U+0000, which PostgreSQL has no place for");
const SIZE: Reason = Reason::new("a number beyond what PostgreSQL keeps");

/// A text as an SQL literal, whatever `standard_conforming_strings` says.
pub(super) fn literal(text: &str) -> Result<String> {
    if text.contains('\0') {
        return Err(NUL);
    }
    let quoted = text.replace('\'', "''");
    Ok(match quoted.contains('\\') {
        true => format!(" E'{}'", quoted.replace('\\', "\\\\")),
        false => format!("'{quoted}'"),
    })
}

/// Texts as a literal of `text[]`.
pub(super) fn texts<'t>(texts: impl IntoIterator<Item = &'t str>) -> Result<String> {
    let texts: Vec<_> = texts.into_iter().map(literal).collect::<Result<_>>()?;
    Ok(format!("ARRAY[{}]::text[]", texts.join(", ")))
}

/// A path as a literal of `text[]`.
pub(super) fn path(path: &Path) -> Result<String> {
    texts(path.tokens())
}

/// A value as a literal of `jsonb`.
pub(super) fn constant(value: &Value<'_>) -> Result<String> {
    check(value)?;
    Ok(format!("{}::jsonb", literal(&value.to_json())?))
}

/// Values as a list of literals for `IN`; not for none.
pub(super) fn constants(values: &[Value<'_>]) -> Result<String> {
    let constants: Vec<_> = values.iter().map(constant).collect::<Result<_>>()?;
    Ok(constants.join(", "))
}

/// Whether `jsonb` can hold a value.
fn check(value: &Value<'_>) -> Result<()> {
    match value.opened().map_err(|_| Reason::new("a text that is no Unicode"))? {
        Value::String(text) if text.contains('\0') => Err(NUL),
        Value::Number(number) if number.plain().is_none() => Err(SIZE),
        Value::Array(items) => items.iter().try_for_each(check),
        Value::Object(object) => object.iter().try_for_each(|(name, value)| match name.contains('\0') {
            true => Err(NUL),
            false => check(value),
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_does_not_end_a_literal() {
        for (text, expected) in [
            ("", "''"),
            ("it's", "'it''s'"),
            ("'; DROP TABLE t; --", "'''; DROP TABLE t; --'"),
            ("\\", " E'\\\\'"),
            ("\\'", " E'\\\\'''"),
            ("$$ $exuvia$", "'$$ $exuvia$'"),
        ] {
            assert_eq!(literal(text).as_deref(), Ok(expected));
        }
        assert!(literal("a\0b").is_err());
    }

    #[test]
    fn what_jsonb_cannot_hold_is_no_constant() {
        for text in [r#""a\u0000""#, r#"{"a\u0000":1}"#, r#"[1e999999]"#, r#"["\ud800"]"#] {
            assert!(constant(&Value::parse(text).unwrap()).is_err(), "{text}");
        }
    }
}
