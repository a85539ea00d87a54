use std::borrow::Cow;

use super::parts::Span;
use super::{About, Schema, Shape, Types};
use crate::document::{Kind, Object, Value};

impl Schema {
    /// The schema as JSON Schema (draft 2020-12), without `$schema`.
    #[must_use]
    pub fn to_value(&self) -> Value<'static> {
        let mut forms = self.forms();
        if forms.is_empty() {
            return Value::Bool(false);
        }
        let mut out = match forms.len() {
            1 => forms.swap_remove(0),
            _ => {
                let forms = forms.into_iter().map(Value::Object).collect();
                Object::from_iter([(Cow::Borrowed("anyOf"), Value::Array(forms))])
            }
        };
        self.about.write(&mut out);
        Value::Object(out)
    }

    /// What a value may be one of, each written without an `anyOf`: the listed values, the rest, and each form of
    /// objects where there are several.
    fn forms(&self) -> Vec<Object<'static>> {
        let mut forms = Vec::new();
        if let [value] = &self.values[..] {
            forms.push(Object::from_iter([(Cow::Borrowed("const"), value.clone())]));
        } else if !self.values.is_empty() {
            forms.push(Object::from_iter([(Cow::Borrowed("enum"), Value::Array(self.values.clone()))]));
        }
        let several = self.shapes.len() > 1;
        let rest = self.types.without(self.listed());
        let rest = if several { rest.without(Kind::Object) } else { rest };
        if rest != Types::NONE {
            forms.push(self.write_rest(rest));
        }
        if several {
            forms.extend(self.shapes.iter().map(|shape| {
                let mut out = Object::from_iter([(Cow::Borrowed("type"), Value::from("object"))]);
                shape.write(&mut out);
                shape.about.write(&mut out);
                out
            }));
        }
        forms
    }

    fn write_rest(&self, types: Types) -> Object<'static> {
        let mut out = Object::new();
        if !types.is_any() {
            let mut names: Vec<_> = types.names().map(Value::from).collect();
            let single = if names.len() == 1 { names.pop() } else { None };
            out.insert("type", single.unwrap_or(Value::Array(names)));
        }
        if self.text.date_time {
            out.insert("format", Value::from("date-time"));
        }
        if let [shape] = &self.shapes[..] {
            shape.write(&mut out);
        }
        if let Some(items) = &self.array.items {
            out.insert("items", items.to_value());
        }
        for (keyword, number) in [("minimum", &self.number.minimum), ("maximum", &self.number.maximum)] {
            if let Some(number) = number {
                out.insert(keyword, Value::Number(number.clone()));
            }
        }
        self.text.length.write(["minLength", "maxLength"], &mut out);
        self.array.count.write(["minItems", "maxItems"], &mut out);
        out
    }
}

impl Shape {
    fn write(&self, out: &mut Object<'static>) {
        let required = self.members.iter().filter(|(_, member)| member.required);
        let required: Vec<_> = required.map(|(name, _)| Value::from(name.as_str())).collect();
        if !required.is_empty() {
            out.insert("required", Value::Array(required));
        }
        if !self.members.is_empty() {
            let members =
                self.members.iter().map(|(name, member)| (Cow::Owned(name.clone()), member.schema.to_value()));
            out.insert("properties", Value::Object(members.collect()));
        }
        if let Some(rest) = &self.rest {
            out.insert("additionalProperties", rest.to_value());
        }
    }
}

impl About {
    fn write(&self, out: &mut Object<'static>) {
        for (keyword, text) in [("title", &self.title), ("description", &self.description)] {
            if let Some(text) = text {
                out.insert(keyword, Value::from(&**text));
            }
        }
    }
}

impl Span {
    fn write(self, [least, most]: [&'static str; 2], out: &mut Object<'static>) {
        for (keyword, count) in [(least, self.least), (most, self.most)] {
            if let Some(count) = count {
                out.insert(keyword, Value::from(i64::try_from(count).unwrap_or(i64::MAX)));
            }
        }
    }
}
