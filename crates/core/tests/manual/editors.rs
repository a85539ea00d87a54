//! The JSON Schema of migration files: its frame is what stands in the file, its steps are what the kinds say.

use exuvia_core::document::{Object, Value};
use exuvia_core::step::manual::{Form, Manual};
use exuvia_core::step::{PREDICATE_SCHEMA, manuals};

pub const FILE: &str = "crates/core/src/chain/migration.schema.json";

/// The schema, compact.
pub fn schema() -> String {
    let frame = Value::parse(exuvia_core::chain::MIGRATION_SCHEMA).unwrap().into_owned().unwrap();
    let Value::Object(mut schema) = frame else { panic!("the schema is an object") };
    let Some(Value::Object(definitions)) = schema.get_mut("$defs") else { panic!("the schema has definitions") };
    let kinds: Vec<_> = manuals().map(|(_, manual)| of_kind(manual)).collect();
    let mut step = Object::new();
    step.insert("description", Value::from("One member is the verb."));
    step.insert("type", Value::from("object"));
    step.insert("oneOf", Value::Array(kinds));
    definitions.insert("step", Value::Object(step));
    definitions.insert("predicate", parsed(PREDICATE_SCHEMA));
    let types = ["null", "boolean", "integer", "number", "string", "array", "object"];
    let types = Value::Array(types.map(Value::from).to_vec());
    definitions.insert("type", Value::Object(Object::from_iter([("enum".into(), types)])));
    Value::Object(schema).to_json()
}

fn of_kind(manual: &Manual) -> Value<'static> {
    let mut kind = Object::new();
    kind.insert("description", Value::from(plain(manual.summary).as_str()));
    let required = manual.members.iter().filter(|member| member.required).map(|member| Value::from(member.name));
    kind.insert("required", Value::Array(required.collect()));
    kind.insert("additionalProperties", Value::Bool(false));
    let member = |member: &exuvia_core::step::manual::Member| {
        let Value::Object(mut form) = parsed(&form_schema(&member.form)) else { panic!("a form is an object") };
        form.insert("description", Value::from(plain(member.what).as_str()));
        (member.name.into(), Value::Object(form))
    };
    kind.insert("properties", Value::Object(manual.members.iter().map(member).collect()));
    Value::Object(kind)
}

fn form_schema(form: &Form) -> String {
    match form {
        Form::Place => r##"{"$ref":"#/$defs/pointer"}"##.to_owned(),
        Form::Field => r##"{"$ref":"#/$defs/member"}"##.to_owned(),
        Form::Fields => r##"{"type":"array","minItems":1,"items":{"$ref":"#/$defs/member"}}"##.to_owned(),
        Form::FieldOrFields => {
            r##"{"oneOf":[{"$ref":"#/$defs/member"},{"type":"array","minItems":1,"items":{"$ref":"#/$defs/member"}}]}"##
                .to_owned()
        }
        Form::Value => "{}".to_owned(),
        Form::Text => r#"{"type":"string"}"#.to_owned(),
        Form::Texts => r#"{"type":"array","items":{"type":"string"}}"#.to_owned(),
        Form::Count => r#"{"type":"integer","minimum":0}"#.to_owned(),
        Form::True => r#"{"const":true}"#.to_owned(),
        Form::Object => r#"{"type":"object"}"#.to_owned(),
        Form::Names => r#"{"type":"object","minProperties":1,"additionalProperties":{"type":"string"}}"#.to_owned(),
        Form::Schema => r##"{"$ref":"#/$defs/schema"}"##.to_owned(),
        Form::Steps => r##"{"$ref":"#/$defs/steps"}"##.to_owned(),
        Form::Predicate => r##"{"$ref":"#/$defs/predicate"}"##.to_owned(),
        Form::Word(words) => format!(r#"{{"enum":{words:?}}}"#),
        Form::Other(_, schema) => (*schema).to_owned(),
    }
}

fn parsed(text: &str) -> Value<'static> {
    Value::parse(text).unwrap().into_owned().unwrap()
}

/// Markdown without its marks.
fn plain(markdown: &str) -> String {
    markdown.replace(['`', '*'], "")
}
