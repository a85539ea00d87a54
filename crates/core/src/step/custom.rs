use super::manual::{Chapter, Example, Form, Manual, Member, Mistake};
use super::{Fields, Lowering, Step, StepKind};
use crate::document::{Path, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::lens::{Function, Way};
use crate::schema::Schema;

pub(super) const KIND: StepKind = StepKind { verb: "custom", read };

pub(super) static MANUAL: Manual = Manual {
    chapter: Chapter::Code,
    summary: "A value goes through a function of your own, up and down: for what no other step can say.",
    members: &[
        Member::required("custom", Form::Place, "The value."),
        Member::required("name", Form::Text, "The name that the function is registered under."),
        Member::required("revision", Form::Count, "Its revision. When the function must compute something else, register another revision beside this one and use it in a new migration: data may still come from before this one."),
        Member::optional("schema", Form::Schema, "What its values must fit; without it, what the value fitted before."),
        Member::optional("back", Form::Value, "What the value is, on the way down, where the function knows no way back. Without it, the function must have one for every value."),
        Member::required(
            "examples",
            Form::Other(
                "a list of `[older, newer]`",
                r#"{"type":"array","minItems":1,"items":{"type":"array","minItems":2,"maxItems":2}}"#,
            ),
            "Pairs of values. The command line, which cannot run your code, takes them in its place: give one for each value in your samples.",
        ),
    ],
    example: Example {
        schema: r#"{ "type": "object", "properties": { "hotkey": { "type": "string" } } }"#,
        step: r#"{ "custom": "/hotkey", "name": "hotkey", "revision": 1, "back": "Ctrl+K", "examples": [ ["ctrl-shift-k", "Ctrl+Shift+K"] ] }"#,
        before: r#"{ "hotkey": "ctrl-shift-k" }"#,
        after: r#"{ "hotkey": "Ctrl+Shift+K" }"#,
    },
    notes: "In JavaScript: `new Exuvia({ …, customs: [ { name: \"hotkey\", revision: 1, up: (value) => …, down: (value) => … } ] })`; `down` may be left out where the step has `back`. In Rust: `Chain::register`. Both functions take a value of JSON and must answer with one, and always with the same one for the same value: no clock, no randomness, no storage, nothing that changes between versions of your extension. What they do not give back is kept as residue. Such a step cannot run inside a database.",
    mistake: Mistake {
        what: "A `back` that the older schema does not permit.",
        schema: r#"{ "type": "object", "properties": { "hotkey": { "type": "string" } } }"#,
        step: r#"{ "custom": "/hotkey", "name": "hotkey", "revision": 1, "back": null, "examples": [ ["k", "K"] ] }"#,
    },
};

#[derive(Debug)]
struct Custom {
    at: Path,
    name: String,
    revision: u32,
    schema: Option<Schema>,
    back: Option<Value<'static>>,
    examples: Vec<(Value<'static>, Value<'static>)>,
}

fn read(fields: &mut Fields<'_>) -> Result<Box<dyn Step>> {
    let (at, name) = (fields.path("custom")?, fields.text("name")?);
    let revision = u32::try_from(fields.count("revision")?)
        .map_err(|_| Error::new(ErrorKind::Chain, "expected in \"revision\" a number below 2^32, found a larger one"))?;
    let (schema, back) = (fields.optional_schema("schema")?, fields.optional_value("back")?);
    let examples = read_examples(&fields.required("examples")?)?;
    Ok(Box::new(Custom { at, name, revision, schema, back, examples }))
}

fn read_examples(value: &Value<'_>) -> Result<Vec<(Value<'static>, Value<'static>)>> {
    let malformed = || {
        Error::new(ErrorKind::Chain, "expected in \"examples\" a list of pairs [older, newer], found something else")
    };
    let Value::Array(pairs) = value.opened()? else { return Err(malformed()) };
    let pair = |pair: &Value<'_>| match pair.clone().into_owned()? {
        Value::Array(pair) => <[Value<'static>; 2]>::try_from(pair).map(Into::into).map_err(|_| malformed()),
        _ => Err(malformed()),
    };
    let pairs = pairs.iter().map(pair).collect::<Result<Vec<_>>>()?;
    if pairs.is_empty() { Err(malformed()) } else { Ok(pairs) }
}

impl Step for Custom {
    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let before = lowering.schema.require(&self.at)?;
        let after = self.schema.clone().unwrap_or_else(|| before.clone());
        for (older, newer) in &self.examples {
            let fits = before.validate(older).and_then(|()| after.validate(newer));
            fits.map_err(|error| error.of_kind(ErrorKind::Chain).under_path("/examples"))?;
        }
        let function = |way, fits| Function::Custom { name: self.name.clone(), revision: self.revision, way, fits };
        let (up, down) = (function(Way::Up, after.clone()), function(Way::Down, before));
        lowering.edit_with_back(&self.at, up, down, true, self.back.as_ref())?;
        lowering.schema.replace(&self.at, after);
        Ok(())
    }

    fn words(&self) -> String {
        format!(
            "{} goes through {:?}, revision {}, a function of the extension's own, which no database can run",
            self.at, self.name, self.revision
        )
    }

    fn examples(&self) -> Vec<CustomExample<'_>> {
        vec![CustomExample { name: &self.name, revision: self.revision, pairs: &self.examples }]
    }
}

/// What a function is expected to do.
#[derive(Clone, Copy, Debug)]
pub struct CustomExample<'s> {
    /// The function's name.
    pub name: &'s str,
    /// Its revision.
    pub revision: u32,
    /// Older values with their newer ones.
    pub pairs: &'s [(Value<'static>, Value<'static>)],
}
