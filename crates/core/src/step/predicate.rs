//! Predicates as authors write them: one member is the operator, as one member of a step is its verb.

use super::Fields;
use crate::document::{Path, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::lens::Predicate;
use crate::schema::{Presence, Schema, Type, Types};

/// The operators.
const OPERATORS: [&str; 7] = ["equals", "in", "exists", "type", "and", "or", "not"];

/// Predicates as JSON Schema, for editors. A predicate is `#/$defs/predicate`.
pub(super) const SCHEMA: &str = r##"{"oneOf":[
  {"type":"object","required":["equals","value"],"additionalProperties":false,"properties":{"equals":{"$ref":"#/$defs/pointer"},"value":{}}},
  {"type":"object","required":["in","values"],"additionalProperties":false,"properties":{"in":{"$ref":"#/$defs/pointer"},"values":{"type":"array"}}},
  {"type":"object","required":["exists"],"additionalProperties":false,"properties":{"exists":{"$ref":"#/$defs/member"}}},
  {"type":"object","required":["type","is"],"additionalProperties":false,"properties":{"type":{"$ref":"#/$defs/pointer"},"is":{"anyOf":[{"$ref":"#/$defs/type"},{"type":"array","minItems":1,"items":{"$ref":"#/$defs/type"}}]}}},
  {"type":"object","required":["and"],"additionalProperties":false,"properties":{"and":{"type":"array","items":{"$ref":"#/$defs/predicate"}}}},
  {"type":"object","required":["or"],"additionalProperties":false,"properties":{"or":{"type":"array","items":{"$ref":"#/$defs/predicate"}}}},
  {"type":"object","required":["not"],"additionalProperties":false,"properties":{"not":{"$ref":"#/$defs/predicate"}}}]}"##;

/// Reads a predicate.
pub(super) fn read(value: &Value<'_>) -> Result<Predicate> {
    let Value::Object(object) = value.opened()? else {
        let message = format!(
            "expected a predicate, an object such as {{\"equals\": \"/a\", \"value\": 1}}, found {}",
            value.kind()
        );
        return Err(Error::new(ErrorKind::Chain, message));
    };
    let Some(operator) = OPERATORS.iter().find(|operator| object.get(operator).is_some()) else {
        let found: Vec<_> = object.iter().map(|(name, _)| format!("{name:?}")).collect();
        let found = if found.is_empty() { "no member".to_owned() } else { found.join(", ") };
        let message = format!("expected in a predicate one of {}, found {found}", OPERATORS.join(", "));
        return Err(Error::new(ErrorKind::Chain, message));
    };
    let mut fields = Fields::new(object);
    let predicate = match *operator {
        "equals" => Predicate::In(fields.path("equals")?, vec![fields.value("value")?]),
        "in" => Predicate::In(
            fields.path("in")?,
            list("values", &fields.required("values")?, |value| value.clone().into_owned())?,
        ),
        "exists" => Predicate::Exists(fields.member_path("exists")?),
        "type" => Predicate::Type(fields.path("type")?, read_types(&fields.required("is")?)?),
        "and" => Predicate::And(list("and", &fields.required("and")?, read)?),
        "or" => Predicate::Or(list("or", &fields.required("or")?, read)?),
        _ => Predicate::Not(Box::new(read(&fields.required("not")?)?)),
    };
    fields.finish(operator)?;
    Ok(predicate)
}

fn list<T>(name: &str, value: &Value<'_>, read: impl Fn(&Value<'_>) -> Result<T>) -> Result<Vec<T>> {
    match value.opened()? {
        Value::Array(items) => items.iter().map(read).collect(),
        other => Err(Error::new(ErrorKind::Chain, format!("expected in {name:?} a list, found {}", other.kind()))),
    }
}

fn read_types(value: &Value<'_>) -> Result<Types> {
    let one = |value: &Value<'_>| {
        let found = value.text()?.and_then(|name| Type::parse(&name));
        found.ok_or_else(|| {
            let message = "expected in \"is\" a type: null, boolean, integer, number, string, array or object; found something else";
            Error::new(ErrorKind::Chain, message)
        })
    };
    match value.opened()? {
        Value::Array(items) => items.iter().try_fold(Types::NONE, |types, item| Ok(types.or(one(item)?))),
        single => one(&single).map(Types::from),
    }
}

/// Checks that the schema knows every place that the predicate looks at.
pub(super) fn check_places(predicate: &Predicate, schema: &Schema) -> Result<()> {
    let unknown = predicate.places().into_iter().find(|path| schema.presence(path) == Presence::Undeclared);
    match unknown {
        None => Ok(()),
        Some(path) => {
            let message = "expected a predicate on what the schema declares, found a member that it does not; look for a typing error, or declare it";
            Err(Error::new(ErrorKind::Chain, message).under_path(path))
        }
    }
}

/// The predicate as the middle of a sentence: `/role is one of 2 values`. Values are not told: they may be long.
pub(super) fn words(predicate: &Predicate) -> String {
    let all = |of: &[Predicate], between: &str| of.iter().map(words).collect::<Vec<_>>().join(between);
    let named = |path: &Path| if path.tokens().len() == 0 { "it".to_owned() } else { path.to_string() };
    match predicate {
        Predicate::In(path, values) => match &values[..] {
            [value] => format!("{} is {}", named(path), value.to_json()),
            values => format!("{} is one of {} values", named(path), values.len()),
        },
        Predicate::Exists(path) => format!("{path} is there"),
        Predicate::Type(path, types) => format!("{} is of type {types}", named(path)),
        Predicate::And(of) if of.is_empty() => "anything holds".to_owned(),
        Predicate::Or(of) if of.is_empty() => "nothing holds".to_owned(),
        Predicate::And(of) => all(of, " and "),
        Predicate::Or(of) => all(of, " or "),
        Predicate::Not(other) => format!("not ({})", words(other)),
    }
}
