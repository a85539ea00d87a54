//! Where two documents differ, said without their values unless these are wanted.

use std::collections::BTreeSet;
use std::fmt;

use exuvia_core::document::{Path, Value};
use exuvia_core::{Error, ErrorKind, Result};
use serde::Serialize;

use crate::output::printable;

/// One place where two documents differ.
#[derive(Serialize)]
pub(crate) struct Difference {
    /// A JSON Pointer.
    pub(crate) path: String,
    before: Side,
    after: Side,
}

/// What stands there on one side.
#[derive(Serialize)]
struct Side {
    #[serde(rename = "type")]
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Value<'static>>,
}

/// Compares documents.
pub(crate) struct Differ {
    /// Whether what is found shows the values themselves.
    pub(crate) values: bool,
}

impl Differ {
    /// Where two documents differ; absent is a document too.
    pub(crate) fn between(&self, before: Option<&Value<'_>>, after: Option<&Value<'_>>) -> Result<Vec<Difference>> {
        let mut found = Vec::new();
        self.compare(String::new(), before, after, &mut found)?;
        Ok(found)
    }

    fn compare(
        &self,
        path: String,
        before: Option<&Value<'_>>,
        after: Option<&Value<'_>>,
        found: &mut Vec<Difference>,
    ) -> Result<()> {
        if before == after {
            return Ok(());
        }
        match (before.map(Value::opened).transpose()?, after.map(Value::opened).transpose()?) {
            (Some(Value::Object(before)), Some(Value::Object(after))) => {
                let known: BTreeSet<_> = before.iter().map(|(name, _)| name).collect();
                let added = after.iter().map(|(name, _)| name).filter(|name| !known.contains(name));
                for name in before.iter().map(|(name, _)| name).chain(added) {
                    let path = format!("{path}{}", Path::default().join(name));
                    self.compare(path, before.get(name), after.get(name), found)?;
                }
                Ok(())
            }
            (Some(Value::Array(before)), Some(Value::Array(after))) => self.compare_items(path, &before, &after, found),
            _ => {
                found.push(Difference { path, before: self.side(before)?, after: self.side(after)? });
                Ok(())
            }
        }
    }

    /// Items that are the same at the start and at the end are set aside, so that one item more is one difference.
    fn compare_items(
        &self,
        path: String,
        before: &[Value<'_>],
        after: &[Value<'_>],
        found: &mut Vec<Difference>,
    ) -> Result<()> {
        let same = |(a, b): &(&Value<'_>, &Value<'_>)| a == b;
        let start = before.iter().zip(after).take_while(same).count();
        let end = before[start..].iter().rev().zip(after[start..].iter().rev()).take_while(same).count();
        for index in start..before.len().max(after.len()) - end {
            let (before, after) = (&before[..before.len() - end], &after[..after.len() - end]);
            self.compare(format!("{path}/{index}"), before.get(index), after.get(index), found)?;
        }
        Ok(())
    }

    fn side(&self, value: Option<&Value<'_>>) -> Result<Side> {
        let kind = value.map_or("missing".to_owned(), |value| value.kind().to_string());
        let value = value.filter(|_| self.values).cloned().map(Value::into_owned).transpose()?;
        Ok(Side { kind, value })
    }
}

/// Checks that a document is what it should be.
///
/// # Errors
/// [`ErrorKind::Validation`] with the first path that differs, and how many more do.
pub(crate) fn expect_same(expected: &Value<'_>, found: &Value<'_>, what: &str) -> Result<()> {
    let differences = Differ { values: false }.between(Some(expected), Some(found))?;
    let Some(first) = differences.first() else { return Ok(()) };
    let more = match differences.len() - 1 {
        0 => String::new(),
        more => format!("; and at {more} other places"),
    };
    let message = format!("expected {what}: {}, found {}{more}", first.before, first.after_in_words());
    Err(Error::new(ErrorKind::Validation, message).under_path(&first.path))
}

impl Difference {
    /// Two values of one type are told apart in words, since they are not shown.
    fn after_in_words(&self) -> String {
        let same_kind = self.before.kind == self.after.kind && self.after.value.is_none();
        if same_kind { format!("another {}", self.after) } else { self.after.to_string() }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "(the whole record)" } else { &self.path };
        let line = format!("  {path}: {} -> {}", self.before, self.after_in_words());
        f.write_str(&printable(&line))
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => f.write_str(&value.to_json()),
            None => f.write_str(&self.kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(before: &str, after: &str, values: bool) -> Vec<String> {
        let (before, after) = (Value::parse(before).unwrap(), Value::parse(after).unwrap());
        let found = Differ { values }.between(Some(&before), Some(&after)).unwrap();
        found.iter().map(|difference| difference.to_string().trim().to_owned()).collect()
    }

    #[test]
    fn equal_documents_have_no_difference() {
        assert_eq!(found(r#"{"a":1,"b":[1.0]}"#, r#"{"b":[1],"a":1.0}"#, false), [""; 0]);
    }

    #[test]
    fn types_are_named_and_values_only_where_they_are_wanted() {
        let (before, after) = (r#"{"a/b":"x","c":null}"#, r#"{"a/b":"y","d":{}}"#);
        assert_eq!(
            found(before, after, false),
            ["/a~1b: string -> another string", "/c: null -> missing", "/d: missing -> object"]
        );
        assert_eq!(found(before, after, true)[0], r#"/a~1b: "x" -> "y""#);
    }

    #[test]
    fn one_item_more_is_one_difference() {
        assert_eq!(found("[1,2,3]", "[1,9,2,3]", false), ["/1: missing -> number"]);
        assert_eq!(found("[1,1]", "[1]", false), ["/1: number -> missing"]);
        assert_eq!(found("[1,2,3]", "[1,5,3]", false), ["/1: number -> another number"]);
    }
}
