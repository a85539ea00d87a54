use super::manual::{Chapter, Example, Form, Manual, Member, Mistake};
use super::{Fields, Lowering, Step, StepKind};
use crate::document::{Path, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::lens::{Edit, Function, Op, Supply};
use crate::schema::{Presence, Schema};

pub(super) const KIND: StepKind = StepKind { verb: "copy", read };

pub(super) static MANUAL: Manual = Manual {
    chapter: Chapter::Fields,
    summary: "A new member starts as a copy of another; of the first that is there, where several are named.",
    members: &[
        Member::required("copy", Form::FieldOrFields, "The member to copy, or several, the best first."),
        Member::required("to", Form::Field, "The new member, which the schema does not declare yet."),
        Member::optional("else", Form::Value, "What it is where none of them is there."),
    ],
    example: Example {
        schema: r#"{ "type": "object", "properties": { "title": { "type": "string" }, "summary": { "type": "string" } } }"#,
        step: r#"{ "copy": ["/title", "/summary"], "to": "/label", "else": "untitled" }"#,
        before: r#"{ "summary": "On moths" }"#,
        after: r#"{ "summary": "On moths", "label": "On moths" }"#,
    },
    notes: "From then on the two are apart: each keeps its own edits. `null` is a value, and is copied. On the way down the copy goes.",
    mistake: Mistake {
        what: "Copying onto a member that is declared already.",
        schema: r#"{ "type": "object", "properties": { "title": { "type": "string" }, "label": { "type": "string" } } }"#,
        step: r#"{ "copy": "/title", "to": "/label" }"#,
    },
};

#[derive(Debug)]
struct Copy {
    sources: Vec<Path>,
    to: Path,
    otherwise: Option<Value<'static>>,
}

fn read(fields: &mut Fields<'_>) -> Result<Box<dyn Step>> {
    let sources = fields.member_paths("copy")?;
    Ok(Box::new(Copy { sources, to: fields.member_path("to")?, otherwise: fields.optional_value("else")? }))
}

impl Step for Copy {
    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        if self.sources.iter().any(|source| source.overlaps(&self.to)) {
            let message = "expected a target apart from the source, found one inside the other";
            return Err(Error::new(ErrorKind::Chain, message).under_path(&self.to));
        }
        let copied = self.sources.iter().map(|source| lowering.schema.require(source)).collect::<Result<Vec<_>>>()?;
        lowering.schema.refuse(&self.to)?;
        let always = |source: &Path| lowering.schema.presence(source) == Presence::Required;
        let required = self.otherwise.is_some() || self.sources.iter().any(always);
        let schema = copied.into_iter().chain(self.otherwise.as_ref().map(Schema::of)).reduce(|a, b| a.join(&b));
        lowering.enclose_ancestors(&self.to)?;
        let forward = match &self.otherwise {
            Some(value) => Function::Default { value: Supply::Literal(value.clone()), fits: Schema::any() },
            None => Function::Keep,
        };
        let backward = Function::Withdraw(lowering.unknown_at(&self.to)?);
        let edit = Edit { sources: self.sources.clone(), ..Edit::new(&self.to, forward, backward) };
        lowering.push(Op::Edit(Box::new(edit)));
        lowering.schema.declare(&self.to, schema.unwrap_or_default(), required);
        Ok(())
    }

    fn words(&self) -> String {
        match &self.sources[..] {
            [source] => format!("{} starts as a copy of {source}", self.to),
            sources => {
                let sources: Vec<_> = sources.iter().map(Path::to_string).collect();
                format!("{} starts as a copy of the first of {} that is there", self.to, sources.join(", "))
            }
        }
    }
}
