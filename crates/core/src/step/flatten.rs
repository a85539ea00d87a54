use super::manual::{Chapter, Example, Form, Manual, Member, Mistake};
use super::{Fields, Lowering, Step, StepKind};
use crate::document::{Object, Path, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::lens::{Function, Supply};
use crate::schema::Schema;

pub(super) const KIND: StepKind = StepKind { verb: "flatten", read };

pub(super) static MANUAL: Manual = Manual {
    chapter: Chapter::Fields,
    summary: "The members of an object go up into the object around it, and the empty object goes: `nest` the other way round.",
    members: &[Member::required("flatten", Form::Field, "The object.")],
    example: Example {
        schema: r#"{ "type": "object", "required": ["ai"], "properties": { "ai": { "type": "object", "properties": { "model": { "type": "string" }, "mode": { "type": "string" } } } } }"#,
        step: r#"{ "flatten": "/ai" }"#,
        before: r#"{ "ai": { "model": "m", "mode": "open" } }"#,
        after: r#"{ "model": "m", "mode": "open" }"#,
    },
    notes: "Members that no schema declares stay in the object, which is then not empty and stays too.",
    mistake: Mistake {
        what: "A member that would meet another of its name.",
        schema: r#"{ "type": "object", "properties": { "name": { "type": "string" }, "ai": { "type": "object", "properties": { "name": { "type": "string" } } } } }"#,
        step: r#"{ "flatten": "/ai" }"#,
    },
};

#[derive(Debug)]
struct Flatten {
    at: Path,
}

fn read(fields: &mut Fields<'_>) -> Result<Box<dyn Step>> {
    Ok(Box::new(Flatten { at: fields.member_path("flatten")? }))
}

impl Step for Flatten {
    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let enclosing = self.at.split_last().map(|(parent, _)| parent).unwrap_or_default();
        for name in lowering.schema.require(&self.at)?.member_names() {
            lowering.move_field(&self.at.join(&name), &enclosing.join(&name))?;
        }
        lowering.expect_objects_around(&self.at.join(""))?;
        let emptied = lowering.schema.require(&self.at)?;
        if !emptied.strangers().is_some_and(|strangers| strangers == Schema::any() || strangers == Schema::never()) {
            let message = "expected an object that declares its members by name, found one that is used as a map, or whose permitted values are listed";
            return Err(Error::new(ErrorKind::Chain, message).under_path(&self.at));
        }
        let backward = match lowering.schema.requires(&self.at) {
            true => Function::Default { value: Supply::Literal(Value::Object(Object::new())), fits: emptied },
            false => Function::Admit(emptied),
        };
        lowering.schema.undeclare(&self.at);
        lowering.edit(&self.at, Function::Prune(lowering.unknown_at(&self.at)?), backward);
        Ok(())
    }

    fn words(&self) -> String {
        format!("the members of {} go up one level", self.at)
    }
}
