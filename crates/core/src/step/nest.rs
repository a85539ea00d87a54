use super::manual::{Chapter, Example, Form, Manual, Member, Mistake};
use super::{Fields, Lowering, Step, StepKind};
use crate::document::Path;
use crate::error::Result;

pub(super) const KIND: StepKind = StepKind { verb: "nest", read };

pub(super) static MANUAL: Manual = Manual {
    chapter: Chapter::Fields,
    summary: "Several members go, with their names, into one object, which is made where it is missing.",
    members: &[
        Member::required("nest", Form::Fields, "The members."),
        Member::required("under", Form::Field, "The object they go into."),
    ],
    example: Example {
        schema: r#"{ "type": "object", "properties": { "model": { "type": "string" }, "mode": { "type": "string" } } }"#,
        step: r#"{ "nest": ["/model", "/mode"], "under": "/ai_settings" }"#,
        before: r#"{ "model": "m", "mode": "open" }"#,
        after: r#"{ "ai_settings": { "model": "m", "mode": "open" } }"#,
    },
    notes: "",
    mistake: Mistake {
        what: "An `under` that is declared already and is no object.",
        schema: r#"{ "type": "object", "properties": { "model": { "type": "string" }, "ai": { "type": "boolean" } } }"#,
        step: r#"{ "nest": ["/model"], "under": "/ai" }"#,
    },
};

#[derive(Debug)]
struct Nest {
    fields: Vec<Path>,
    under: Path,
}

fn read(fields: &mut Fields<'_>) -> Result<Box<dyn Step>> {
    Ok(Box::new(Nest { fields: fields.member_paths("nest")?, under: fields.member_path("under")? }))
}

impl Step for Nest {
    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        lowering.enclose_ancestors(&self.under)?;
        lowering.enclose(&self.under)?;
        for from in &self.fields {
            if let Some((_, name)) = from.split_last() {
                lowering.move_field(from, &self.under.join(name))?;
            }
        }
        Ok(())
    }

    fn words(&self) -> String {
        let fields: Vec<_> = self.fields.iter().map(Path::to_string).collect();
        format!("{} go into {}", fields.join(", "), self.under)
    }
}
