use super::manual::{Chapter, Example, Form, Manual, Member, Mistake};
use super::{Fields, Lowering, Step, StepKind};
use crate::document::{Path, Value};
use crate::error::Result;
use crate::lens::Function;
use crate::schema::{Schema, Type, Types};

pub(super) const KIND: StepKind = StepKind { verb: "not", read };

pub(super) static MANUAL: Manual = Manual {
    chapter: Chapter::Values,
    summary: "`true` becomes `false`, and `false` becomes `true`.",
    members: &[Member::required("not", Form::Place, "The value.")],
    example: Example {
        schema: r#"{ "type": "object", "properties": { "tracking_off": { "type": "boolean" } } }"#,
        step: r#"{ "not": "/tracking_off" }"#,
        before: r#"{ "tracking_off": true }"#,
        after: r#"{ "tracking_off": false }"#,
    },
    notes: "Usually with a `rename`, because the name then says the opposite. `null` stays `null`.",
    mistake: Mistake {
        what: "A switch that is a number, or a text. `convert` it first.",
        schema: r#"{ "type": "object", "properties": { "tracking_off": { "type": "integer" } } }"#,
        step: r#"{ "not": "/tracking_off" }"#,
    },
};

#[derive(Debug)]
struct Not {
    at: Path,
}

fn read(fields: &mut Fields<'_>) -> Result<Box<dyn Step>> {
    Ok(Box::new(Not { at: fields.path("not")? }))
}

impl Step for Not {
    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let before = lowering.schema.require(&self.at)?;
        before.types().expect_within(Types::from(Type::Boolean).or(Type::Null), &self.at)?;
        lowering.edit(&self.at, Function::Not, Function::Not);
        if let Some(values) = before.values() {
            let negated = |value: &Value<'static>| match value {
                Value::Bool(truth) => Value::Bool(!truth),
                other => other.clone(),
            };
            lowering.schema.replace(&self.at, Schema::one_of(values.iter().map(negated).collect()));
        }
        Ok(())
    }

    fn words(&self) -> String {
        format!("{} is turned into its opposite", self.at)
    }
}
