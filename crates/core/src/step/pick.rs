use super::manual::{Chapter, Example, Form, Manual, Member, Mistake};
use super::{Fields, Lowering, Step, StepKind};
use crate::document::Path;
use crate::error::{Error, ErrorKind, Result};
use crate::lens::{Names, Op, Part};

pub(super) const KIND: StepKind = StepKind { verb: "pick", read };

pub(super) static MANUAL: Manual = Manual {
    chapter: Chapter::Keyed,
    summary: "Of the members of an object only these stay; all others, known or unknown, go and are kept as residue.",
    members: &[
        Member::required("pick", Form::Place, "The object; `\"\"` is the record itself."),
        Member::required("keep", Form::Texts, "The names that stay: bare names, not paths."),
    ],
    example: Example {
        schema: r#"{ "type": "object", "properties": { "cache": { "type": "object", "properties": { "etag": { "type": "string" } } } } }"#,
        step: r#"{ "pick": "/cache", "keep": ["etag"] }"#,
        before: r#"{ "cache": { "etag": "x7", "tmp_1": 1, "tmp_2": 2 } }"#,
        after: r#"{ "cache": { "etag": "x7" } }"#,
    },
    notes: "For objects that have gathered what nobody remembers. A single member goes with `remove`.",
    mistake: Mistake {
        what: "A required member that is not kept: a record of the later version could not get it back.",
        schema: r#"{ "type": "object", "properties": { "cache": { "type": "object", "required": ["at"], "properties": { "at": { "type": "number" } } } } }"#,
        step: r#"{ "pick": "/cache", "keep": ["etag"] }"#,
    },
};

#[derive(Debug)]
struct Pick {
    at: Path,
    keep: Vec<String>,
}

fn read(fields: &mut Fields<'_>) -> Result<Box<dyn Step>> {
    Ok(Box::new(Pick { at: fields.path("pick")?, keep: fields.texts("keep")? }))
}

impl Step for Pick {
    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let before = lowering.schema.require(&self.at)?;
        lowering.expect_objects_around(&self.at.join(""))?;
        // What goes is unknown, for the most part, and comes back.
        lowering.unknown_at(&self.at.join(""))?;
        for name in before.member_names().into_iter().filter(|name| !self.keep.contains(name)) {
            let member = self.at.join(&name);
            lowering.schema.require(&member)?;
            if lowering.schema.requires(&member) {
                let message = "expected to keep every member that the schema requires, found one that goes; \"remove\" it first, with \"back\"";
                return Err(Error::new(ErrorKind::Chain, message).under_path(&member));
            }
            lowering.schema.undeclare(&member);
        }
        let names = Names::AllBut(self.keep.clone());
        lowering.push(Op::Part(Part { from: self.at.clone(), to: None, names }));
        Ok(())
    }

    fn words(&self) -> String {
        let at = if self.at == Path::default() { "the record".to_owned() } else { self.at.to_string() };
        format!("of the members of {at} only {} stay; the others are kept as residue", self.keep.join(", "))
    }
}
