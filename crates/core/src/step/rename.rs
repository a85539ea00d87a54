use super::manual::{Chapter, Example, Form, Manual, Member, Mistake};
use super::{Fields, Lowering, Step, StepKind};
use crate::document::Path;
use crate::error::{Error, ErrorKind, Result};

pub(super) const KIND: StepKind = StepKind { verb: "rename", read };

pub(super) static MANUAL: Manual = Manual {
    chapter: Chapter::Fields,
    summary: "A member gets another name in the same object.",
    members: &[
        Member::required("rename", Form::Field, "The member."),
        Member::required("to", Form::Field, "Its new place: a whole path, not a bare name."),
    ],
    example: Example {
        schema: r#"{ "type": "object", "required": ["sender"], "properties": { "sender": { "type": "string" } } }"#,
        step: r#"{ "rename": "/sender", "to": "/role" }"#,
        before: r#"{ "sender": "human" }"#,
        after: r#"{ "role": "human" }"#,
    },
    notes: "",
    mistake: Mistake {
        what: "A target in another object: that is a `move`.",
        schema: r#"{ "type": "object", "properties": { "sender": { "type": "string" } } }"#,
        step: r#"{ "rename": "/sender", "to": "/author/name" }"#,
    },
};

#[derive(Debug)]
struct Rename {
    from: Path,
    to: Path,
}

fn read(fields: &mut Fields<'_>) -> Result<Box<dyn Step>> {
    let (from, to) = (fields.member_path("rename")?, fields.member_path("to")?);
    let parent = |path: &Path| path.split_last().map(|(parent, _)| parent);
    if parent(&from) != parent(&to) {
        let message = "expected a new name in the same object, found a place in another; use \"move\"";
        return Err(Error::new(ErrorKind::Chain, message).under_path(&to));
    }
    Ok(Box::new(Rename { from, to }))
}

impl Step for Rename {
    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        lowering.move_field(&self.from, &self.to)
    }

    fn words(&self) -> String {
        format!("{} is renamed {}", self.from, self.to)
    }
}
