use std::borrow::Cow;
use std::io;
use std::path::Path;

use clap::Args;
use exuvia_core::chain::Migration;
use exuvia_core::document::{Kind, Object, Value};
use exuvia_core::error::{Error, ErrorKind};
use exuvia_core::schema::{Inference, Schema};

use crate::failure::Failure;
use crate::ndjson::Lines;
use crate::output;

/// Draft the first migration of a chain from records that are there
///
/// Reads newline-delimited JSON from standard input, a record a line, and holds no more of it than the schema. Types are
/// those seen; a member that every object had is required; an object with more than 20 different keys, none of them in
/// more than half of the objects, is a map. Read the draft before you use it: where the records live is a guess, and
/// what few records have in common may be chance.
#[derive(Args)]
pub(crate) struct Infer {
    /// The collection that the records belong to
    #[arg(long, value_name = "NAME")]
    collection: String,
    /// Make an enum of texts where at most N different ones were seen, each twice on average; their values are then in
    /// the schema for everyone to read
    #[arg(long, value_name = "N", default_value_t = 0)]
    enums: usize,
    /// Print the schema alone
    #[arg(long)]
    schema_only: bool,
}

impl Infer {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let schema = self.infer()?.to_value();
        let draft = if self.schema_only { schema } else { self.migration(schema)? };
        output::write(&pretty(&draft))
    }

    fn infer(&self) -> Result<Schema, Failure> {
        let mut inference = Inference::new(self.enums);
        let mut lines = Lines::new(io::stdin().lock(), Path::new("standard input"));
        while let Some(line) = lines.next()? {
            let seen = Value::parse(line.text).and_then(|record| inference.see(&record));
            seen.map_err(|error| line.at_fault(error))?;
        }
        match lines.count() {
            0 => Err(Error::new(ErrorKind::Json, "expected records on standard input, a line each, found none").into()),
            _ => Ok(inference.schema()),
        }
    }

    /// A migration that is read before it is shown, so that nobody is handed one that no chain takes.
    fn migration(&self, schema: Value<'static>) -> Result<Value<'static>, Failure> {
        let layout = object([("prefix", Value::from(&*format!("{}:", self.collection)))]);
        let collection = object([("layout", layout), ("schema", schema)]);
        let collections = Object::from_iter([(Cow::Owned(self.collection.clone()), collection)]);
        let migration = object([
            ("exuvia", Value::from(1)),
            ("id", Value::from("baseline")),
            ("collections", Value::Object(collections)),
        ]);
        Migration::read(&migration)?;
        Ok(migration)
    }
}

fn object<const N: usize>(members: [(&'static str, Value<'static>); N]) -> Value<'static> {
    Value::Object(members.into_iter().map(|(name, value)| (Cow::Borrowed(name), value)).collect())
}

/// JSON as people write it: two spaces a level, a list of scalars on one line.
pub(super) fn pretty(value: &Value<'_>) -> String {
    let mut out = String::new();
    write_pretty(value, "\n", &mut out);
    out
}

fn write_pretty(value: &Value<'_>, line: &str, out: &mut String) {
    let inner = format!("{line}  ");
    let nested = |value: &Value<'_>| matches!(value.kind(), Kind::Array | Kind::Object);
    match value {
        Value::Array(items) if items.iter().any(nested) => {
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "[" } else { "," });
                out.push_str(&inner);
                write_pretty(item, &inner, out);
            }
            out.push_str(line);
            out.push(']');
        }
        Value::Object(members) if !members.is_empty() => {
            for (index, (name, value)) in members.iter().enumerate() {
                out.push_str(if index == 0 { "{" } else { "," });
                out.push_str(&inner);
                out.push_str(&Value::from(name).to_json());
                out.push_str(": ");
                write_pretty(value, &inner, out);
            }
            out.push_str(line);
            out.push('}');
        }
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(Value::to_json).collect();
            out.push_str(&format!("[{}]", items.join(", ")));
        }
        scalar => scalar.write(out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pretty_json_is_the_same_json() {
        let text = r#"{"a":[],"b":{},"c":[1,"x"],"d":[{"e":[[null]]}],"\"":1.50}"#;
        let value = Value::parse(text).unwrap().into_owned().unwrap();
        let expected = "{\n  \"a\": [],\n  \"b\": {},\n  \"c\": [1, \"x\"],\n  \"d\": [\n    {\n      \"e\": [\n        [null]\n      ]\n    }\n  ],\n  \"\\\"\": 1.50\n}";
        assert_eq!(pretty(&value), expected);
        assert_eq!(Value::parse(&pretty(&value)).unwrap(), value);
    }
}
