use super::manual::{Chapter, Example, Form, Manual, Member, Mistake};
use super::{Fields, Lowering, Step, StepKind, supply};
use crate::document::{Path, Value};
use crate::error::Result;
use crate::lens::{Function, Supply};
use crate::schema::Schema;

pub(super) const KIND: StepKind = StepKind { verb: "set", read };

pub(super) static MANUAL: Manual = Manual {
    chapter: Chapter::Fields,
    summary: "A member gets this value in every record, whatever it was.",
    members: &[
        Member::required("set", Form::Field, "The member, which the schema declares."),
        supply::VALUE,
        supply::MAKE,
        Member::optional("schema", Form::Schema, "What later values may be; without it, any of the value's type."),
        Member::optional(
            "back",
            Form::Value,
            "What it is on the way down where a later value would not fit the older schema. Must be given where that can happen and the older schema requires the member.",
        ),
    ],
    example: Example {
        schema: r#"{ "type": "object", "required": ["model"], "properties": { "model": { "type": "string" } } }"#,
        step: r#"{ "set": "/model", "value": "sonnet-4" }"#,
        before: r#"{ "model": "retired-2" }"#,
        after: r#"{ "model": "sonnet-4" }"#,
    },
    notes: "What was there is kept as residue, and comes back unless somebody changed the new value meanwhile.",
    mistake: Mistake {
        what: "Setting a member that nobody declared: for a new one there is `add`.",
        schema: r#"{ "type": "object", "properties": { "model": { "type": "string" } } }"#,
        step: r#"{ "set": "/modell", "value": "sonnet-4" }"#,
    },
};

#[derive(Debug)]
struct Set {
    at: Path,
    value: Supply,
    schema: Schema,
    back: Option<Value<'static>>,
}

fn read(fields: &mut Fields<'_>) -> Result<Box<dyn Step>> {
    let (at, value) = (fields.member_path("set")?, supply::read(fields)?);
    let schema = fields.optional_schema("schema")?.unwrap_or_else(|| supply::schema_of(&value));
    supply::check_fits(&value, &schema)?;
    Ok(Box::new(Set { at, value, schema, back: fields.optional_value("back")? }))
}

impl Step for Set {
    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let before = lowering.schema.require(&self.at)?;
        lowering.expect_objects_around(&self.at)?;
        let forward = Function::Constant(self.value.clone());
        match &self.back {
            None if !before.includes(&self.schema) && !lowering.schema.requires(&self.at) => {
                lowering.edit(&self.at, forward, Function::Admit(before));
            }
            back => {
                let total = before.includes(&self.schema);
                lowering.edit_with_back(&self.at, forward, Function::Keep, total, back.as_ref())?;
            }
        }
        lowering.schema.declare(&self.at, self.schema.clone(), true);
        Ok(())
    }

    fn words(&self) -> String {
        format!("{} is set, whatever it was", self.at)
    }
}
