use super::manual::{Chapter, Example, Form, Manual, Member, Mistake};
use super::{Fields, Lowering, Step, StepKind};
use crate::document::{Path, Value};
use crate::error::Result;
use crate::lens::Function;
use crate::schema::Schema;

pub(super) const KIND: StepKind = StepKind { verb: "wrap", read };

pub(super) static MANUAL: Manual = Manual {
    chapter: Chapter::Values,
    summary: "A value becomes a list of nothing but itself, or an object of nothing but itself.",
    members: &[
        Member::required("wrap", Form::Place, "The value."),
        Member::required("in", Form::Word(&["list", "object"]), "What it is wrapped in."),
        Member::optional("name", Form::Text, "The name that it gets in the object: a bare name, not a path."),
        Member::optional(
            "back",
            Form::Value,
            "What it is, on the way down, where a later list is empty. Must be given where the older schema requires the value.",
        ),
    ],
    example: Example {
        schema: r#"{ "type": "object", "required": ["model"], "properties": { "model": { "type": "string" } } }"#,
        step: r#"{ "wrap": "/model", "in": "list", "back": "default" }"#,
        before: r#"{ "model": "sonnet" }"#,
        after: r#"{ "model": ["sonnet"] }"#,
    },
    notes: "Later lists may hold any number of items. On the way down the first is the value, and the others wait in the residue. With `\"in\": \"object\", \"name\": \"id\"` the example becomes `{ \"model\": { \"id\": \"sonnet\" } }`.",
    mistake: Mistake {
        what: "Leaving `back` out for a required value.",
        schema: r#"{ "type": "object", "required": ["model"], "properties": { "model": { "type": "string" } } }"#,
        step: r#"{ "wrap": "/model", "in": "list" }"#,
    },
};

#[derive(Debug)]
struct Wrap {
    at: Path,
    wrapping: Wrapping,
    back: Option<Value<'static>>,
}

/// What a value is wrapped in.
#[derive(Debug)]
pub(super) enum Wrapping {
    List,
    Object { name: String },
}

impl Wrapping {
    pub(super) fn read(fields: &mut Fields<'_>) -> Result<Self> {
        match fields.word("in", &[("list", true), ("object", false)])? {
            true => Ok(Self::List),
            false => Ok(Self::Object { name: fields.text("name")? }),
        }
    }
}

fn read(fields: &mut Fields<'_>) -> Result<Box<dyn Step>> {
    let (at, wrapping) = (fields.path("wrap")?, Wrapping::read(fields)?);
    let back = match &wrapping {
        Wrapping::List => fields.optional_value("back")?,
        Wrapping::Object { .. } => None,
    };
    Ok(Box::new(Wrap { at, wrapping, back }))
}

impl Step for Wrap {
    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let before = lowering.schema.require(&self.at)?;
        let after = match &self.wrapping {
            Wrapping::List => {
                let total = !lowering.schema.requires(&self.at);
                lowering.edit_with_back(&self.at, Function::Enlist, Function::First, total, self.back.as_ref())?;
                Schema::array_of(before)
            }
            Wrapping::Object { name } => {
                lowering.edit(&self.at, Function::Enfold(name.clone()), Function::Unfold(name.clone()));
                let mut object = Schema::map_of(Schema::any());
                object.declare(&Path::default().join(name), before, true);
                object
            }
        };
        lowering.schema.replace(&self.at, after);
        Ok(())
    }

    fn words(&self) -> String {
        match &self.wrapping {
            Wrapping::List => format!("{} becomes a list of itself", self.at),
            Wrapping::Object { name } => format!("{} becomes an object that has it as {name}", self.at),
        }
    }
}
