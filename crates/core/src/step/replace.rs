use super::manual::{Chapter, Example, Form, Manual, Member, Mistake};
use super::{Fields, Lowering, Step, StepKind};
use crate::document::Path;
use crate::error::{Error, ErrorKind, Result};
use crate::lens::{Anchor, Function};
use crate::schema::{Type, Types};

pub(super) const KIND: StepKind = StepKind { verb: "replace", read };

pub(super) static MANUAL: Manual = Manual {
    chapter: Chapter::Values,
    summary: "A part of a text is replaced: everywhere, or only at the start or the end. The part is taken literally.",
    members: &[
        Member::required("replace", Form::Place, "The text."),
        Member::required("find", Form::Text, "What is looked for; not empty."),
        Member::required("with", Form::Text, "What takes its place; may be empty."),
        Member::optional("at", Form::Word(&["anywhere", "start", "end"]), "Where it is looked for; `anywhere` without it."),
        Member::optional(
            "back",
            Form::Word(&["reverse", "keep"]),
            "What happens, on the way down, to texts that were written later: the replacement is made backwards, or they stay. Without it `reverse`, or `keep` where `with` is empty.",
        ),
    ],
    example: Example {
        schema: r#"{ "type": "object", "properties": { "endpoint": { "type": "string" } } }"#,
        step: r#"{ "replace": "/endpoint", "find": "http://", "with": "https://", "at": "start", "back": "keep" }"#,
        before: r#"{ "endpoint": "http://localhost:11434" }"#,
        after: r#"{ "endpoint": "https://localhost:11434" }"#,
    },
    notes: "Texts that existed before the step come back as they were, whatever `back` says.",
    mistake: Mistake {
        what: "A value of an enum: `map` says which become which.",
        schema: r#"{ "type": "object", "properties": { "model": { "enum": ["gpt-3", "gpt-4"] } } }"#,
        step: r#"{ "replace": "/model", "find": "gpt-", "with": "" }"#,
    },
};

#[derive(Debug)]
struct Replace {
    at: Path,
    find: String,
    with: String,
    anchor: Anchor,
    reverses: bool,
}

fn read(fields: &mut Fields<'_>) -> Result<Box<dyn Step>> {
    let (at, find, with) = (fields.path("replace")?, fields.separator("find")?, fields.text("with")?);
    let anchors = [("anywhere", Anchor::Anywhere), ("start", Anchor::Prefix), ("end", Anchor::Suffix)];
    let anchor = fields.optional_word("at", &anchors)?.unwrap_or(Anchor::Anywhere);
    let reverses = fields.optional_word("back", &[("reverse", true), ("keep", false)])?;
    if reverses == Some(true) && with.is_empty() {
        let message = "expected \"back\": \"keep\" where \"with\" is empty, found \"reverse\"; nobody could find nothing";
        return Err(Error::new(ErrorKind::Chain, message));
    }
    let reverses = reverses.unwrap_or(!with.is_empty());
    Ok(Box::new(Replace { at, find, with, anchor, reverses }))
}

impl Step for Replace {
    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let before = lowering.schema.require(&self.at)?;
        before.types().expect_within(Types::from(Type::String).or(Type::Null), &self.at)?;
        lowering.expect_plain(&self.at, &before)?;
        let replace = |find: &str, with: &str| Function::Replace {
            find: find.to_owned(),
            with: with.to_owned(),
            anchor: self.anchor,
        };
        let backward = if self.reverses { replace(&self.with, &self.find) } else { Function::Keep };
        lowering.edit(&self.at, replace(&self.find, &self.with), backward);
        Ok(())
    }

    fn words(&self) -> String {
        let place = match self.anchor {
            Anchor::Anywhere => "",
            Anchor::Prefix => " at the start",
            Anchor::Suffix => " at the end",
        };
        format!("in {}, {:?}{place} is replaced by {:?}", self.at, self.find, self.with)
    }
}
