use super::manual::{Chapter, Example, Form, Manual, Member, Mistake};
use super::{Fields, Lowering, Step, StepKind};
use crate::document::Path;
use crate::error::Result;

pub(super) const KIND: StepKind = StepKind { verb: "move", read };

pub(super) static MANUAL: Manual = Manual {
    chapter: Chapter::Fields,
    summary: "A member goes to another object. Objects on the way that the schema does not declare are made, and on the way down taken away again where they are left empty.",
    members: &[
        Member::required("move", Form::Field, "The member."),
        Member::required("to", Form::Field, "Its new place."),
    ],
    example: Example {
        schema: r#"{ "type": "object", "properties": { "privacy_mode": { "type": "string" } } }"#,
        step: r#"{ "move": "/privacy_mode", "to": "/privacy/mode" }"#,
        before: r#"{ "privacy_mode": "strict" }"#,
        after: r#"{ "privacy": { "mode": "strict" } }"#,
    },
    notes: "",
    mistake: Mistake {
        what: "Out of, or into, an object that may be absent, though the member may not: a record could then not go both ways. `add` the object first.",
        schema: r#"{ "type": "object", "properties": { "ai": { "type": "object", "required": ["mode"], "properties": { "mode": { "type": "string" } } } } }"#,
        step: r#"{ "move": "/ai/mode", "to": "/mode" }"#,
    },
};

#[derive(Debug)]
struct MoveField {
    from: Path,
    to: Path,
}

fn read(fields: &mut Fields<'_>) -> Result<Box<dyn Step>> {
    Ok(Box::new(MoveField { from: fields.member_path("move")?, to: fields.member_path("to")? }))
}

impl Step for MoveField {
    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        lowering.move_field(&self.from, &self.to)
    }

    fn words(&self) -> String {
        format!("{} moves to {}", self.from, self.to)
    }
}
