use super::manual::{Chapter, Example, Form, Manual, Member, Mistake};
use super::{Fields, Lowering, Step, StepKind};
use crate::document::Path;
use crate::error::{Error, ErrorKind, Result};
use crate::lens::Function;
use crate::schema::{Schema, Type, Types};

pub(super) const KIND: StepKind = StepKind { verb: "join", read };

pub(super) static MANUAL: Manual = Manual {
    chapter: Chapter::Values,
    summary: "A list of texts becomes one text.",
    members: &[
        Member::required("join", Form::Place, "The list."),
        Member::required("by", Form::Text, "The separator; not empty."),
    ],
    example: Example {
        schema: r#"{ "type": "object", "properties": { "stop": { "type": "array", "items": { "type": "string" } } } }"#,
        step: r#"{ "join": "/stop", "by": "\n" }"#,
        before: r#"{ "stop": ["END", "STOP"] }"#,
        after: r#"{ "stop": "END\nSTOP" }"#,
    },
    notes: "On the way down the text is split again. A list whose texts hold the separator is kept as residue.",
    mistake: Mistake {
        what: "A list of something else than texts.",
        schema: r#"{ "type": "object", "properties": { "stop": { "type": "array", "items": { "type": "number" } } } }"#,
        step: r#"{ "join": "/stop", "by": "\n" }"#,
    },
};

#[derive(Debug)]
struct Join {
    at: Path,
    by: String,
}

fn read(fields: &mut Fields<'_>) -> Result<Box<dyn Step>> {
    Ok(Box::new(Join { at: fields.path("join")?, by: fields.separator("by")? }))
}

impl Step for Join {
    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let before = lowering.schema.require(&self.at)?;
        before.types().expect_within(Types::from(Type::Array).or(Type::Null), &self.at)?;
        lowering.expect_any_length(&self.at, &before)?;
        let text = Schema::of_types(Type::String.into());
        if before.inner() != Some(text.clone()) {
            let message = "expected a list of texts without further bounds, found another; split again, a text could break them";
            return Err(Error::new(ErrorKind::Chain, message).under_path(&self.at));
        }
        lowering.edit(&self.at, Function::Join(self.by.clone()), Function::Split(self.by.clone()));
        let after = if before.types().include(Type::Null) { text.or_null() } else { text };
        lowering.schema.replace(&self.at, after);
        Ok(())
    }

    fn words(&self) -> String {
        format!("{} is joined by {:?} into one text", self.at, self.by)
    }
}
