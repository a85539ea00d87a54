use std::borrow::Cow;

use super::{Additional, Schema, Span, Types};
use crate::document::{Object, Value};

impl Schema {
    /// The schema as JSON Schema (draft 2020-12), without `$schema`.
    #[must_use]
    pub fn to_value(&self) -> Value<'static> {
        if self.types == Types::NONE {
            return Value::Bool(false);
        }
        let mut out = Object::new();
        if !self.types.is_any() {
            let mut names: Vec<_> = self.types.names().map(Value::from).collect();
            let single = if names.len() == 1 { names.pop() } else { None };
            out.insert("type", single.unwrap_or(Value::Array(names)));
        }
        if let Some(values) = &self.values {
            out.insert("enum", Value::Array(values.clone()));
        }
        if self.date_time {
            out.insert("format", Value::from("date-time"));
        }
        if !self.required.is_empty() {
            out.insert("required", Value::Array(self.required.iter().map(|name| Value::from(name.as_str())).collect()));
        }
        if !self.properties.is_empty() {
            let member = |(name, schema): (&String, &Schema)| (Cow::Owned(name.clone()), schema.to_value());
            out.insert("properties", Value::Object(self.properties.iter().map(member).collect()));
        }
        match &self.additional {
            Additional::Anything => {}
            Additional::Nothing => drop(out.insert("additionalProperties", Value::Bool(false))),
            Additional::Fitting(schema) => drop(out.insert("additionalProperties", schema.to_value())),
        }
        if let Some(items) = &self.items {
            out.insert("items", items.to_value());
        }
        self.write_bounds(&mut out);
        Value::Object(out)
    }

    fn write_bounds(&self, out: &mut Object<'static>) {
        let bounds = &self.bounds;
        for (keyword, number) in [("minimum", &bounds.minimum), ("maximum", &bounds.maximum)] {
            if let Some(number) = number {
                out.insert(keyword, Value::Number(number.clone()));
            }
        }
        let mut span = |least: &'static str, most: &'static str, span: Span| {
            for (keyword, count) in [(least, span.least), (most, span.most)] {
                if let Some(count) = count {
                    out.insert(keyword, Value::from(i64::try_from(count).unwrap_or(i64::MAX)));
                }
            }
        };
        span("minLength", "maxLength", bounds.length);
        span("minItems", "maxItems", bounds.items);
    }
}
