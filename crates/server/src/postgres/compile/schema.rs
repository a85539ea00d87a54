//! Whether a value fits a schema: a condition where the types alone decide, else a function of the schema's own.

use std::fmt::Write;

use exuvia_core::document::{Json, Kind, Number, Value};
use exuvia_core::json_object;
use exuvia_core::schema::{Schema, Type, Types};
use litemap::LiteMap;

use super::literal::{constants, literal, texts};
use super::routine::Routine;
use super::{Reason, Result, named};

/// What a schema says, part by part, as compiled chains keep it.
#[derive(Default)]
struct Parts {
    types: Types,
    values: Vec<Value<'static>>,
    text: Text,
    number: Range,
    array: Items,
    shapes: Vec<Shape>,
}

json_object!(Parts {; "types": types, "values": values, "text": text, "number": number, "array": array, "shapes": shapes });

#[derive(Default, PartialEq)]
struct Span {
    least: Option<u64>,
    most: Option<u64>,
}

json_object!(Span { "least": least, "most": most });

#[derive(Default, PartialEq)]
struct Text {
    length: Span,
    date_time: bool,
}

json_object!(Text { "dateTime": date_time; "length": length });

#[derive(Default, PartialEq)]
struct Range {
    minimum: Option<Number<'static>>,
    maximum: Option<Number<'static>>,
}

json_object!(Range { "minimum": minimum, "maximum": maximum });

#[derive(Default, PartialEq)]
struct Items {
    items: Option<Box<Schema>>,
    count: Span,
}

json_object!(Items { "items": items; "count": count });

#[derive(PartialEq)]
struct Shape {
    members: LiteMap<String, Member>,
    rest: Option<Box<Schema>>,
}

json_object!(Shape { "members": members, "rest": rest });

#[derive(PartialEq)]
struct Member {
    schema: Schema,
    required: bool,
}

json_object!(Member { "required": required; "schema": schema });

impl Parts {
    /// A part that this build does not know would be a rule that nobody checks.
    fn of(schema: &Schema) -> Result<Self> {
        let said = Json::to_json(schema);
        let parts = Self::from_json(&said).filter(|parts| parts.to_json() == said);
        parts.ok_or(Reason::new("a schema that says more than this version of Exuvia can tell PostgreSQL"))
    }
}

const KINDS: [Kind; 6] = [Kind::Null, Kind::Boolean, Kind::Number, Kind::String, Kind::Array, Kind::Object];

impl Routine {
    /// Whether the value of an expression, which is not NULL, fits a schema; as a condition that is never NULL then.
    pub(super) fn fits(&mut self, schema: &Schema, value: &str) -> Result<String> {
        let types = schema.types();
        if schema.is_plain() && (types.include(Type::Number) || !types.include(Type::Integer)) {
            return Ok(of_types(types, value));
        }
        let name = named("fits", &Json::to_json(schema));
        if !self.has_function(&name) {
            let fits = self.condition(&Parts::of(schema)?)?;
            let body = literal(&format!("BEGIN\n  RETURN {fits};\nEND\n"))?;
            let function = format!(
                "CREATE OR REPLACE FUNCTION {name}(value jsonb) RETURNS boolean\nLANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS {body}"
            );
            self.add_function(name.clone(), function);
        }
        Ok(format!("{name}({value})"))
    }

    /// The whole of a schema, as a condition on `value`.
    fn condition(&mut self, parts: &Parts) -> Result<String> {
        let mut out = String::from("CASE jsonb_typeof(value)");
        for kind in KINDS.into_iter().filter(|kind| parts.types.touch(*kind)) {
            let mut all = Vec::new();
            if kind == Kind::Number && !parts.types.include(Type::Number) {
                all.push("value::numeric = trunc(value::numeric)".to_owned());
            }
            let listed: Vec<_> = parts.values.iter().filter(|value| value.kind() == kind).cloned().collect();
            match listed.is_empty() {
                true => all.extend(self.of_kind(kind, parts)?),
                false => all.push(format!("value IN ({})", constants(&listed)?)),
            }
            // Writing to a `String` does not fail.
            let _ = write!(out, "\n    WHEN '{kind}' THEN {}", every(all));
        }
        match parts.types == Types::NONE {
            true => Ok("false".to_owned()),
            false => Ok(format!("{out}\n    ELSE false END")),
        }
    }

    /// What a schema asks of the values of one type.
    fn of_kind(&mut self, kind: Kind, parts: &Parts) -> Result<Vec<String>> {
        match kind {
            Kind::Null | Kind::Boolean => Ok(Vec::new()),
            Kind::Number => parts.number.conditions(),
            Kind::String => {
                let mut all = parts.text.length.conditions("length(value #>> '{}')");
                if parts.text.date_time {
                    all.push("exuvia.is_time(value #>> '{}')".to_owned());
                }
                Ok(all)
            }
            Kind::Array => {
                let mut all = parts.array.count.conditions("jsonb_array_length(value)");
                if let Some(items) = &parts.array.items {
                    let fits = self.fits(items, "item.part")?;
                    all.push(format!(
                        "NOT EXISTS (SELECT FROM jsonb_array_elements(value) AS item(part) WHERE NOT {fits})"
                    ));
                }
                Ok(all)
            }
            Kind::Object => match &parts.shapes[..] {
                [] => Ok(Vec::new()),
                [shape] => self.of_shape(shape),
                shapes => {
                    let mut out = String::from("CASE");
                    for shape in shapes {
                        let fits = every(self.of_shape(shape)?);
                        let _ = write!(out, " WHEN {} THEN {fits}", shape.claims()?);
                    }
                    Ok(vec![format!("{out} ELSE false END")])
                }
            },
        }
    }

    fn of_shape(&mut self, shape: &Shape) -> Result<Vec<String>> {
        let mut all = Vec::new();
        for (name, member) in shape.members.iter() {
            let name = literal(name)?;
            let fits = self.fits(&member.schema, &format!("(value->{name}::text)"))?;
            match (member.required, fits.as_str()) {
                (true, "true") => all.push(format!("value ? {name}")),
                (true, fits) => all.push(format!("value ? {name} AND {fits}")),
                (false, "true") => {}
                (false, fits) => all.push(format!("(NOT value ? {name} OR {fits})")),
            }
        }
        if let Some(rest) = &shape.rest {
            let others = format!("value - {}", texts(shape.members.keys().map(String::as_str))?);
            match rest.types() == Types::NONE {
                true => all.push(format!("{others} = '{{}}'")),
                false => {
                    let fits = self.fits(rest, "member.part")?;
                    all.push(format!(
                        "NOT EXISTS (SELECT FROM jsonb_each({others}) AS member(name, part) WHERE NOT {fits})"
                    ));
                }
            }
        }
        Ok(all)
    }
}

impl Shape {
    /// Whether an object has the values that tell this form from the others.
    fn claims(&self) -> Result<String> {
        let mut all = Vec::new();
        for (name, member) in self.members.iter().filter(|(_, member)| member.required) {
            if let Some(values) = member.schema.values() {
                let listed = if values.is_empty() { "NULL".to_owned() } else { constants(values)? };
                all.push(format!("coalesce(value->{}::text IN ({listed}), false)", literal(name)?));
            }
        }
        Ok(every(all))
    }
}

impl Span {
    fn conditions(&self, count: &str) -> Vec<String> {
        let least = self.least.map(|least| format!("{count} >= {least}"));
        let most = self.most.map(|most| format!("{count} <= {most}"));
        least.into_iter().chain(most).collect()
    }
}

impl Range {
    fn conditions(&self) -> Result<Vec<String>> {
        let bound = |number: &Option<Number<'static>>, sign: &str| {
            let value = number.clone().map(Value::Number);
            value.map(|value| Ok(format!("value {sign} {}", super::literal::constant(&value)?))).transpose()
        };
        let bounds = [bound(&self.minimum, ">=")?, bound(&self.maximum, "<=")?];
        Ok(bounds.into_iter().flatten().collect())
    }
}

fn every(all: Vec<String>) -> String {
    if all.is_empty() { "true".to_owned() } else { all.join(" AND ") }
}

/// Whether a value is of one of these types, of which `integer` is not the only number.
fn of_types(types: Types, value: &str) -> String {
    if types.is_any() {
        return "true".to_owned();
    }
    let kinds: Vec<_> = KINDS.into_iter().filter(|kind| types.touch(*kind)).map(|kind| format!("'{kind}'")).collect();
    match kinds.is_empty() {
        true => "false".to_owned(),
        false => format!("jsonb_typeof({value}) IN ({})", kinds.join(", ")),
    }
}
