//! Whether one schema permits all that another does.

use super::{Member, Schema, Shape, Type};
use crate::document::{Kind, Value};

const KINDS: [Kind; 6] = [Kind::Null, Kind::Boolean, Kind::Number, Kind::String, Kind::Array, Kind::Object];

impl Schema {
    /// Whether every value that fits the other fits this one. `false` where it would take more than comparing the two
    /// part by part to know.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        *self == Self::any()
            || KINDS.into_iter().filter(|kind| other.types.touch(*kind)).all(|kind| self.includes_kind(other, kind))
    }

    fn includes_kind(&self, other: &Self, kind: Kind) -> bool {
        if other.lists(kind) {
            return other.values.iter().filter(|value| value.kind() == kind).all(|value| self.accepts(value));
        }
        match kind {
            Kind::Null => self.accepts(&Value::Null),
            Kind::Boolean => self.accepts(&Value::Bool(true)) && self.accepts(&Value::Bool(false)),
            _ if self.lists(kind) || !self.types.touch(kind) => false,
            Kind::Number => {
                let whole = !self.types.include(Type::Number);
                !(whole && other.types.include(Type::Number)) && self.number.join(&other.number) == self.number
            }
            Kind::String => self.text.join(&other.text) == self.text,
            Kind::Array => self.array.includes(&other.array),
            Kind::Object => self.includes_shapes(other),
        }
    }

    fn includes_shapes(&self, other: &Self) -> bool {
        let any = Shape::default();
        let theirs = if other.shapes.is_empty() { std::slice::from_ref(&any) } else { &other.shapes };
        self.shapes.is_empty() || theirs.iter().all(|theirs| self.shapes.iter().any(|mine| mine.includes(theirs)))
    }
}

impl super::Items {
    fn includes(&self, other: &Self) -> bool {
        let any = Schema::any();
        let items = self.items.as_deref().unwrap_or(&any);
        let theirs = other.items.as_deref().unwrap_or(&any);
        self.count.join(other.count) == self.count && items.includes(theirs)
    }
}

impl Shape {
    fn includes(&self, other: &Self) -> bool {
        let member = |(name, Member { schema, required }): (&String, &Member)| {
            (!required || other.members.get(name).is_some_and(|theirs| theirs.required))
                && schema.includes(&other.part(name))
        };
        let any = Schema::any();
        let rest = self.rest.as_deref().unwrap_or(&any);
        let beyond = other.members.iter().filter(|(name, _)| !self.members.contains_key(*name));
        self.members.iter().all(member)
            && beyond.into_iter().all(|(_, theirs)| rest.includes(&theirs.schema))
            && rest.includes(other.rest.as_deref().unwrap_or(&any))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(text: &str) -> Schema {
        Schema::read(&Value::parse(text).unwrap()).unwrap()
    }

    #[test]
    fn what_is_permitted_is_compared_part_by_part() {
        let included = [
            ("true", r#"{"type":"object"}"#),
            (r#"{"type":["string","null"]}"#, r#"{"const":"a"}"#),
            (r#"{"type":"number","minimum":0}"#, r#"{"type":"integer","minimum":1,"maximum":3}"#),
            (r#"{"type":"boolean"}"#, r#"{"enum":[true]}"#),
            (
                r#"{"type":"array","items":{"type":"number"}}"#,
                r#"{"type":"array","items":{"type":"integer"},"maxItems":2}"#,
            ),
            (
                r#"{"type":"object","properties":{"a":{"type":"string"}}}"#,
                r#"{"type":"object","properties":{"a":{"enum":["x"]},"b":{}},"required":["a"]}"#,
            ),
            (
                r#"{"anyOf":[{"type":"object","properties":{"k":{"const":1}},"required":["k"]},{"type":"string"}]}"#,
                r#"{"type":"object","properties":{"k":{"const":1},"z":{"type":"null"}},"required":["k"]}"#,
            ),
            (r#"{"type":"string"}"#, "false"),
        ];
        let not_included = [
            (r#"{"type":"object"}"#, "true"),
            (r#"{"type":"integer"}"#, r#"{"type":"number"}"#),
            (r#"{"enum":["a"]}"#, r#"{"type":"string"}"#),
            (r#"{"type":"string","maxLength":2}"#, r#"{"type":"string"}"#),
            (r#"{"type":"object","properties":{"a":{"type":"string"}}}"#, r#"{"type":"object"}"#),
            (
                r#"{"type":"object","properties":{"a":{}},"required":["a"]}"#,
                r#"{"type":"object","properties":{"a":{}}}"#,
            ),
            (r#"{"type":"object","additionalProperties":false}"#, r#"{"type":"object","properties":{"a":{}}}"#),
        ];
        for (outer, inner) in included {
            assert!(schema(outer).includes(&schema(inner)), "{outer} includes {inner}");
        }
        for (outer, inner) in not_included {
            assert!(!schema(outer).includes(&schema(inner)), "{outer} does not include {inner}");
        }
    }
}
