//! A schema as a list of places, each with what may stand there: what people compare two schemas by.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use exuvia_core::Result;
use exuvia_core::document::{Object, Path, Value};
use exuvia_core::schema::Schema;
use serde::Serialize;

/// What each place permits, by its path. Items and the values of a map are at `*`, forms of an object at `(1)`, `(2)`.
type Fields = BTreeMap<String, String>;

/// A place at which two schemas permit other things.
#[derive(Serialize)]
pub(crate) struct Difference {
    pub(crate) path: String,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

/// Where two schemas differ, by path.
pub(crate) fn differences(before: &Schema, after: &Schema) -> Result<Vec<Difference>> {
    let (before, mut after) = (of(before)?, of(after)?);
    let mut found = Vec::new();
    for (path, permits) in before {
        match after.remove(&path) {
            Some(same) if same == permits => {}
            other => found.push(Difference { path, before: Some(permits), after: other }),
        }
    }
    found.extend(after.into_iter().map(|(path, permits)| Difference { path, before: None, after: Some(permits) }));
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "(the whole record)" } else { &self.path };
        let side = |side: &Option<String>| side.clone().unwrap_or_else(|| "undeclared".to_owned());
        write!(f, "{path}: {} -> {}", side(&self.before), side(&self.after))
    }
}

/// The places of a schema.
fn of(schema: &Schema) -> Result<Fields> {
    let mut fields = Fields::new();
    collect("", "", &schema.to_value(), &mut fields)?;
    Ok(fields)
}

fn collect(path: &str, presence: &str, schema: &Value<'_>, fields: &mut Fields) -> Result<()> {
    let Value::Object(mut schema) = schema.opened()? else {
        let permits = if *schema == Value::Bool(false) { "nothing" } else { "anything" };
        fields.insert(path.to_owned(), format!("{permits}{presence}"));
        return Ok(());
    };
    let required = names(schema.remove("required"))?;
    for (name, member) in object(schema.remove("properties"))? {
        let presence = if required.iter().any(|known| *known == *name) { ", required" } else { ", optional" };
        collect(&format!("{path}{}", Path::default().join(&name)), presence, &member, fields)?;
    }
    for keyword in ["items", "additionalProperties"] {
        if let Some(inner) = schema.remove(keyword) {
            collect(&format!("{path}/*"), "", &inner, fields)?;
        }
    }
    let forms = items(schema.remove("anyOf"))?;
    for (index, form) in forms.iter().enumerate() {
        collect(&format!("{path}({})", index + 1), "", form, fields)?;
    }
    let permits = if forms.is_empty() { permitted(schema)? } else { format!("one of {} forms", forms.len()) };
    fields.insert(path.to_owned(), format!("{permits}{presence}"));
    Ok(())
}

/// The keywords that are left, in words as short as they come.
fn permitted(mut schema: Object<'_>) -> Result<String> {
    for silent in ["title", "description"] {
        schema.remove(silent);
    }
    let mut words = Vec::new();
    match schema.remove("type").map(|ty| ty.opened()).transpose()? {
        Some(Value::Array(types)) => words.push(names(Some(Value::Array(types)))?.join(" or ")),
        Some(ty) => words.push(ty.text()?.unwrap_or_default().into_owned()),
        None if schema.is_empty() => words.push("anything".to_owned()),
        None => {}
    }
    for (keyword, value) in schema {
        words.push(format!("{keyword} {}", value.to_json()));
    }
    Ok(words.join(", "))
}

fn object(value: Option<Value<'_>>) -> Result<Object<'_>> {
    match value.map(|value| value.opened()).transpose()? {
        Some(Value::Object(object)) => Ok(object),
        _ => Ok(Object::new()),
    }
}

fn items(value: Option<Value<'_>>) -> Result<Vec<Value<'_>>> {
    match value.map(|value| value.opened()).transpose()? {
        Some(Value::Array(items)) => Ok(items),
        _ => Ok(Vec::new()),
    }
}

fn names(value: Option<Value<'_>>) -> Result<Vec<String>> {
    let names = items(value)?.iter().map(Value::text).collect::<Result<Vec<_>>>()?;
    Ok(names.into_iter().flatten().map(Cow::into_owned).collect())
}
