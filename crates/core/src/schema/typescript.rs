//! The types of a version for TypeScript.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{About, Schema, Shape, Type};
use crate::document::{Value, quote};

/// Declares a type for the records of each collection: `ConversationV3` for `conversations` at version 3.
///
/// A type's name is the collection's in Pascal case and the singular: `ies` at its end becomes `y`, otherwise an `s` goes
/// unless it follows `s`, `u` or `i`. A second type of the same name gets a number.
#[must_use]
pub fn typescript<'s>(version: u32, collections: impl IntoIterator<Item = (&'s str, &'s Schema)>) -> String {
    let mut out = String::new();
    let mut names = BTreeMap::new();
    for (collection, schema) in collections {
        let name = singular(&pascal_case(collection));
        let count = names.entry(name.clone()).and_modify(|count| *count += 1).or_insert(1);
        let number = if *count > 1 { format!("_{count}") } else { String::new() };
        let blank = if out.is_empty() { "" } else { "\n" };
        out.push_str(blank);
        let record = format!("A record of \"{collection}\" at version {version}.");
        write_doc(&schema.about, Some(&record), "", &mut out);
        declare(&format!("{name}{number}V{version}"), schema, &mut out);
    }
    out
}

fn declare(name: &str, schema: &Schema, out: &mut String) {
    match &schema.shapes[..] {
        [shape] if schema.types.only_object() && !shape.members.is_empty() => {
            let _ = write!(out, "export interface {name} ");
            shape.write_members(0, out);
            out.push('\n');
        }
        _ => {
            let _ = writeln!(out, "export type {name} = {};", schema.typescript(0));
        }
    }
}

impl Schema {
    /// The type, for a place that is indented by `depth` levels.
    fn typescript(&self, depth: usize) -> String {
        if *self == Self::any() {
            return "unknown".into();
        }
        let mut types: Vec<String> = self.values.iter().map(literal).collect();
        let listed = self.listed();
        let plain = [(Type::Boolean, "boolean"), (Type::Integer, "number"), (Type::String, "string")];
        let open = plain.into_iter().filter(|(ty, _)| self.types.include(*ty) && !listed.include(*ty));
        types.extend(open.map(|(_, name)| name.to_owned()));
        if self.types.include(Type::Array) && !listed.include(Type::Array) {
            let items = self.array.items.as_ref().map_or("unknown".into(), |items| items.typescript(depth));
            types.push(format!("Array<{items}>"));
        }
        if self.types.include(Type::Object) && !listed.include(Type::Object) {
            match self.shapes.is_empty() {
                true => types.push("Record<string, unknown>".into()),
                false => types.extend(self.shapes.iter().map(|shape| shape.typescript(depth))),
            }
        }
        if self.types.include(Type::Null) && !listed.include(Type::Null) {
            types.push("null".into());
        }
        if types.is_empty() { "never".into() } else { types.join(" | ") }
    }

    /// What the type itself cannot say.
    fn remark(&self) -> Option<&'static str> {
        self.text.date_time.then_some("A point in time, as RFC 3339 writes it.")
    }
}

impl Shape {
    fn typescript(&self, depth: usize) -> String {
        match (self.members.is_empty(), &self.rest) {
            (true, rest) => {
                let values = rest.as_ref().map_or("unknown".into(), |rest| rest.typescript(depth));
                format!("Record<string, {values}>")
            }
            (false, _) => {
                let mut out = String::new();
                self.write_members(depth, &mut out);
                out
            }
        }
    }

    fn write_members(&self, depth: usize, out: &mut String) {
        let indent = "  ".repeat(depth + 1);
        out.push_str("{\n");
        for (name, member) in &self.members {
            let schema = &member.schema;
            write_doc(&schema.about, schema.remark(), &indent, out);
            let optional = if member.required { "" } else { "?" };
            let _ = writeln!(out, "{indent}{}{optional}: {};", property_name(name), schema.typescript(depth + 1));
        }
        let _ = write!(out, "{}}}", "  ".repeat(depth));
    }
}

fn literal(value: &Value<'_>) -> String {
    match value.opened() {
        Ok(Value::Array(items)) => format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", ")),
        Ok(Value::Object(object)) if object.is_empty() => "Record<string, never>".into(),
        Ok(Value::Object(object)) => {
            let member = |(name, value)| format!("{}: {}", property_name(name), literal(value));
            format!("{{ {} }}", object.iter().map(member).collect::<Vec<_>>().join("; "))
        }
        Ok(other) => other.to_json(),
        Err(_) => "unknown".into(),
    }
}

fn property_name(name: &str) -> String {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '$');
    if starts && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$') {
        return name.to_owned();
    }
    let mut quoted = String::new();
    quote(name, &mut quoted);
    quoted
}

/// Writes what there is to say as a TSDoc comment.
fn write_doc(about: &About, remark: Option<&str>, indent: &str, out: &mut String) {
    let said = about.title.as_deref().into_iter().chain(about.description.as_deref()).chain(remark);
    let lines: Vec<_> = said.flat_map(str::lines).map(|line| line.trim_end().replace("*/", "*\\/")).collect();
    match &lines[..] {
        [] => {}
        [line] => {
            let _ = writeln!(out, "{indent}/** {line} */");
        }
        lines => {
            let _ = writeln!(out, "{indent}/**");
            for line in lines {
                let _ = writeln!(out, "{indent} * {line}");
            }
            let _ = writeln!(out, "{indent} */");
        }
    }
}

fn pascal_case(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let capitalised: String = words.map(|word| word[..1].to_ascii_uppercase() + &word[1..]).collect();
    let named = capitalised.starts_with(|c: char| c.is_ascii_alphabetic());
    if named { capitalised } else { format!("_{capitalised}") }
}

fn singular(name: &str) -> String {
    let kept = ["ss", "us", "is"].iter().any(|end| name.ends_with(end));
    match (name.strip_suffix("ies"), name.strip_suffix('s')) {
        (Some(stem), _) => format!("{stem}y"),
        (None, Some(stem)) if !kept => stem.to_owned(),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_names_are_singular_and_in_pascal_case() {
        let names = [
            ("conversations", "Conversation"),
            ("user_preferences", "UserPreference"),
            ("api-keys.v2", "ApiKeysV2"),
            ("histories", "History"),
            ("status", "Status"),
            ("access", "Access"),
            ("analysis", "Analysis"),
            ("2fa", "_2fa"),
        ];
        for (collection, name) in names {
            assert_eq!(singular(&pascal_case(collection)), name);
        }
    }
}
