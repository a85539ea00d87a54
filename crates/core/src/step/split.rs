use super::manual::{Chapter, Example, Form, Manual, Member, Mistake};
use super::{Fields, Lowering, Step, StepKind};
use crate::document::Path;
use crate::error::Result;
use crate::lens::Function;
use crate::schema::{Schema, Type};

pub(super) const KIND: StepKind = StepKind { verb: "split", read };

pub(super) static MANUAL: Manual = Manual {
    chapter: Chapter::Values,
    summary: "A text becomes a list of texts; the empty text becomes the empty list.",
    members: &[
        Member::required("split", Form::Place, "The text."),
        Member::required("by", Form::Text, "The separator; not empty."),
    ],
    example: Example {
        schema: r#"{ "type": "object", "properties": { "tags": { "type": "string" } } }"#,
        step: r#"{ "split": "/tags", "by": ", " }"#,
        before: r#"{ "tags": "moths, wings of glass" }"#,
        after: r#"{ "tags": ["moths", "wings of glass"] }"#,
    },
    notes: "On the way down the list is joined again.",
    mistake: Mistake {
        what: "A text whose schema has an enum, or a bound on its length: a list that is joined again could break it.",
        schema: r#"{ "type": "object", "properties": { "tags": { "type": "string", "maxLength": 80 } } }"#,
        step: r#"{ "split": "/tags", "by": ", " }"#,
    },
};

#[derive(Debug)]
struct Split {
    at: Path,
    by: String,
}

fn read(fields: &mut Fields<'_>) -> Result<Box<dyn Step>> {
    let (at, by) = (fields.path("split")?, fields.separator("by")?);
    Ok(Box::new(Split { at, by }))
}

impl Step for Split {
    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let before = lowering.schema.require(&self.at)?;
        before.types().expect_within(Type::String.into(), &self.at)?;
        lowering.expect_plain(&self.at, &before)?;
        lowering.edit(&self.at, Function::Split(self.by.clone()), Function::Join(self.by.clone()));
        lowering.schema.replace(&self.at, Schema::array_of(Schema::of_types(Type::String.into())));
        Ok(())
    }

    fn words(&self) -> String {
        format!("{} is split by {:?} into a list", self.at, self.by)
    }
}
