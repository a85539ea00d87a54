use super::manual::{Chapter, Example, Form, Manual, Member, Mistake};
use super::{Fields, Lowering, Step, StepKind};
use crate::document::Path;
use crate::error::{Error, ErrorKind, Result};
use crate::lens::Function;
use crate::schema::{Schema, Type, Types};

pub(super) const KIND: StepKind = StepKind { verb: "truncate", read };

pub(super) static MANUAL: Manual = Manual {
    chapter: Chapter::Values,
    summary: "A text is cut to so many characters. What was cut off is kept as residue.",
    members: &[
        Member::required("truncate", Form::Place, "The text."),
        Member::required("to", Form::Count, "How many characters stay: Unicode code points."),
    ],
    example: Example {
        schema: r#"{ "type": "object", "properties": { "title": { "type": "string" } } }"#,
        step: r#"{ "truncate": "/title", "to": 9 }"#,
        before: r#"{ "title": "Moulting: a history" }"#,
        after: r#"{ "title": "Moulting:" }"#,
    },
    notes: "From then on the schema has the bound, `maxLength`.",
    mistake: Mistake {
        what: "A text that must be longer.",
        schema: r#"{ "type": "object", "properties": { "title": { "type": "string", "minLength": 12 } } }"#,
        step: r#"{ "truncate": "/title", "to": 9 }"#,
    },
};

#[derive(Debug)]
struct Truncate {
    at: Path,
    length: usize,
}

fn read(fields: &mut Fields<'_>) -> Result<Box<dyn Step>> {
    Ok(Box::new(Truncate { at: fields.path("truncate")?, length: fields.count("to")? }))
}

impl Step for Truncate {
    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let before = lowering.schema.require(&self.at)?;
        before.types().expect_within(Types::from(Type::String).or(Type::Null), &self.at)?;
        let length = self.length as u64;
        // Cut, a text has this length or kept its own, shorter one; nothing else may be asked of it.
        let cut = Schema::texts_of(length..=length);
        if !before.includes(&cut) {
            let message = format!(
                "expected a schema that permits any text of {} characters, found one that asks for something else",
                self.length
            );
            return Err(Error::new(ErrorKind::Chain, message).under_path(&self.at));
        }
        lowering.edit(&self.at, Function::Truncate(self.length), Function::Keep);
        lowering.schema.replace(&self.at, before.meet(&Schema::texts_of(0..=length).or_null()));
        Ok(())
    }

    fn words(&self) -> String {
        format!("{} is cut to {} characters", self.at, self.length)
    }
}
