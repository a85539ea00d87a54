use super::manual::{Chapter, Example, Form, Manual, Member, Mistake};
use super::{Fields, Lowering, Step, StepKind};
use crate::document::{Kind, Object, Path, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::lens::{Function, Scope, Unmapped};
use crate::schema::{Schema, Type};

pub(super) const KIND: StepKind = StepKind { verb: "map", read };

pub(super) static MANUAL: Manual = Manual {
    chapter: Chapter::Values,
    summary: "A value is replaced by its counterpart in a table.",
    members: &[
        Member::required("map", Form::Place, "The value."),
        Member::required("table", Form::Object, "The counterpart of each value. Where the older schema permits no texts, the keys are read as JSON: `\"1\"` is the number."),
        Member::optional(
            "else",
            Form::Other(
                "`\"keep\"`, `\"error\"` or `{ \"value\": … }`",
                r#"{"oneOf":[{"enum":["keep","error"]},{"type":"object","required":["value"],"additionalProperties":false,"properties":{"value":{}}}]}"#,
            ),
            "What happens to values that the table does not name: they stay, they are refused (the default), or this takes their place.",
        ),
        Member::optional(
            "back",
            Form::Object,
            "The way back is the table read backwards; this adds to it, or corrects it. Its member `else` is for every value that nothing names, and must be given where later values cannot all be foreseen. For what concerns privacy, choose the strictest.",
        ),
        Member::optional("schema", Form::Schema, "What later values may be; without it, the counterparts."),
    ],
    example: Example {
        schema: r#"{ "type": "object", "required": ["privacy"], "properties": { "privacy": { "enum": ["strict", "open"] } } }"#,
        step: r#"{ "map": "/privacy", "table": { "strict": { "store_history": false }, "open": { "store_history": true } }, "back": { "else": "strict" } }"#,
        before: r#"{ "privacy": "open" }"#,
        after: r#"{ "privacy": { "store_history": true } }"#,
    },
    notes: "Counterparts may be anything. Objects, as here, will be changed by users, so that the table cannot name them all on the way down: that is what `back.else` is for. A table of texts that keeps the rest: `{ \"map\": \"/role\", \"table\": { \"human\": \"user\" }, \"else\": \"keep\" }`.",
    mistake: Mistake {
        what: "A table that misses a value of the enum, without `else`.",
        schema: r#"{ "type": "object", "properties": { "role": { "enum": ["human", "assistant", "tool"] } } }"#,
        step: r#"{ "map": "/role", "table": { "human": "user", "assistant": "model" } }"#,
    },
};

#[derive(Debug)]
struct Map {
    at: Path,
    table: Vec<(String, Value<'static>)>,
    unmapped: Unmapped,
    back: Vec<(String, Value<'static>)>,
    back_else: Option<Value<'static>>,
    schema: Option<Schema>,
}

fn read(fields: &mut Fields<'_>) -> Result<Box<dyn Step>> {
    let at = fields.path("map")?;
    let table = fields.optional_object("table")?.unwrap_or_default();
    if table.is_empty() {
        return Err(Error::new(ErrorKind::Chain, "expected a \"table\" with at least one entry, found none"));
    }
    let unmapped = read_unmapped(fields.optional("else"))?;
    let mut back = fields.optional_object("back")?.unwrap_or_default();
    let back_else = back.remove("else").map(Value::into_owned).transpose()?;
    let schema = fields.optional_schema("schema")?;
    Ok(Box::new(Map { at, table: entries(table)?, unmapped, back: entries(back)?, back_else, schema }))
}

fn entries(object: Object<'_>) -> Result<Vec<(String, Value<'static>)>> {
    object.into_iter().map(|(key, value)| Ok((key.into_owned(), value.into_owned()?))).collect()
}

fn read_unmapped(value: Option<Value<'_>>) -> Result<Unmapped> {
    let Some(value) = value else { return Ok(Unmapped::Refuse) };
    match value.opened()? {
        Value::String(word) if word == "keep" => Ok(Unmapped::Keep),
        Value::String(word) if word == "error" => Ok(Unmapped::Refuse),
        Value::Object(mut object) if object.len() == 1 => match object.remove("value") {
            Some(value) => Ok(Unmapped::Default(value.into_owned()?)),
            None => Err(malformed_else()),
        },
        _ => Err(malformed_else()),
    }
}

fn malformed_else() -> Error {
    Error::new(
        ErrorKind::Chain,
        "expected in \"else\" one of \"keep\", \"error\" or {\"value\": …}, found something else",
    )
}

impl Step for Map {
    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let before = lowering.schema.require(&self.at)?;
        let forward = Function::Table { pairs: typed_keys(&self.table, &before)?, unmapped: self.unmapped.clone() };
        let after = self.schema_after(&before, &forward)?;
        let backward = self.backward(&forward, &after)?;
        self.check_way_back(&before, &after, &backward)?;
        lowering.edit(&self.at, forward, backward);
        lowering.schema.replace(&self.at, after);
        Ok(())
    }

    fn words(&self) -> String {
        format!("the values of {} are replaced by their counterparts in a table of {}", self.at, self.table.len())
    }
}

impl Map {
    fn schema_after(&self, before: &Schema, forward: &Function) -> Result<Schema> {
        let images = match before.values() {
            Some(values) => {
                let image = |value: &Value<'static>| {
                    forward.apply(Some(value.clone()), &Scope::unknown()).map_err(|_| unnamed_value())
                };
                let images = values.iter().map(image).collect::<Result<Vec<_>>>()?;
                images.into_iter().flatten().map(Value::into_owned).collect::<Result<Vec<_>>>()?
            }
            None => self.named_images(),
        };
        if let Some(schema) = &self.schema {
            images
                .iter()
                .try_for_each(|image| schema.validate(image))
                .map_err(|error| error.of_kind(ErrorKind::Chain))?;
            return Ok(schema.clone());
        }
        let structured = images.iter().any(|image| matches!(image.kind(), Kind::Object | Kind::Array));
        let shape = images.iter().map(Schema::of).reduce(|a, b| a.join(&b)).unwrap_or_default();
        Ok(match (before.values(), &self.unmapped) {
            (Some(_), _) if !structured => Schema::one_of(distinct(images)),
            (None, Unmapped::Keep) if images.iter().all(|image| before.accepts(image)) => before.clone(),
            (None, Unmapped::Keep) => before.join(&shape),
            _ => shape,
        })
    }

    fn named_images(&self) -> Vec<Value<'static>> {
        let default = match &self.unmapped {
            Unmapped::Default(value) => Some(value.clone()),
            Unmapped::Keep | Unmapped::Refuse => None,
        };
        self.table.iter().map(|(_, image)| image.clone()).chain(default).collect()
    }

    fn backward(&self, forward: &Function, after: &Schema) -> Result<Function> {
        let Function::Table { pairs, .. } = forward else { unreachable!("a map lowers to a table") };
        let mut back = typed_keys(&self.back, after)?;
        for (from, to) in pairs {
            if !back.iter().any(|(named, _)| named == to) {
                back.push((to.clone(), from.clone()));
            }
        }
        let unmapped = match (&self.back_else, &self.unmapped) {
            (Some(value), _) => Unmapped::Default(value.clone()),
            (None, Unmapped::Keep) => Unmapped::Keep,
            (None, _) => Unmapped::Refuse,
        };
        Ok(Function::Table { pairs: back, unmapped })
    }

    /// Every value that the new schema permits must have a way to one that the old schema permits.
    fn check_way_back(&self, before: &Schema, after: &Schema, backward: &Function) -> Result<()> {
        let Function::Table { pairs, unmapped } = backward else { unreachable!("a map lowers to a table") };
        let named = pairs.iter().map(|(_, to)| to);
        let mut targets = named.chain(self.back_else.iter());
        if targets.any(|target| !before.accepts(target)) {
            let message = "expected a way back to values that the schema before it permits, found another value in \"table\" or \"back\"";
            return Err(Error::new(ErrorKind::Chain, message).under_path(&self.at));
        }
        let covered = match (after.values(), unmapped) {
            (_, Unmapped::Default(_)) => true,
            (Some(values), _) => values.iter().all(|value| {
                let image = backward.apply(Some(value.clone()), &Scope::unknown());
                image.is_ok_and(|image| image.is_some_and(|image| before.accepts(&image)))
            }),
            (None, Unmapped::Keep) => before.includes(after),
            (None, Unmapped::Refuse) => false,
        };
        match covered {
            true => Ok(()),
            false => {
                let message = "expected a way back for every value that may stand here later, found none for some; add \"else\" to \"back\"";
                Err(Error::new(ErrorKind::Chain, message).under_path(&self.at))
            }
        }
    }
}

/// Keys of a JSON object are texts. Where the schema says that the values are not, the keys are read as JSON.
fn typed_keys(table: &[(String, Value<'static>)], schema: &Schema) -> Result<Vec<(Value<'static>, Value<'static>)>> {
    let texts = schema.types().is_any() || schema.types().include(Type::String);
    let typed = |(key, value): &(String, Value<'static>)| {
        let key = if texts { Value::from(key.as_str()) } else { Value::parse(key)?.into_owned()? };
        if schema.values().is_some_and(|values| !values.contains(&key)) {
            return Err(Error::new(
                ErrorKind::Chain,
                "expected only values that the schema permits as keys of the table, found another",
            ));
        }
        Ok((key, value.clone()))
    };
    table.iter().map(typed).collect()
}

fn unnamed_value() -> Error {
    Error::new(
        ErrorKind::Chain,
        "expected in \"table\" every value that the schema permits, found one missing; add it, or an \"else\"",
    )
}

fn distinct(values: Vec<Value<'static>>) -> Vec<Value<'static>> {
    let mut distinct: Vec<Value<'static>> = Vec::new();
    for value in values {
        if !distinct.contains(&value) {
            distinct.push(value);
        }
    }
    distinct
}
