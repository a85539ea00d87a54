use super::manual::{Chapter, Example, Form, Manual, Member, Mistake};
use super::wrap::Wrapping;
use super::{Fields, Lowering, Step, StepKind};
use crate::document::{Object, Path, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::lens::{Function, Supply};
use crate::schema::{Schema, Type};

pub(super) const KIND: StepKind = StepKind { verb: "unwrap", read };

pub(super) static MANUAL: Manual = Manual {
    chapter: Chapter::Values,
    summary: "A list becomes its first item, or an object becomes one of its members. The others are kept as residue.",
    members: &[
        Member::required("unwrap", Form::Place, "The list, or the object."),
        Member::required("in", Form::Word(&["list", "object"]), "Which of the two it is."),
        Member::optional("name", Form::Text, "The member of the object that stays: a bare name, not a path."),
        Member::optional("else", Form::Value, "What it becomes where the list is empty; absent without it."),
    ],
    example: Example {
        schema: r#"{ "type": "object", "required": ["model"], "properties": { "model": { "type": "object", "required": ["id"], "properties": { "id": { "type": "string" }, "label": { "type": "string" } } } } }"#,
        step: r#"{ "unwrap": "/model", "in": "object", "name": "id" }"#,
        before: r#"{ "model": { "id": "sonnet", "label": "Sonnet" } }"#,
        after: r#"{ "model": "sonnet" }"#,
    },
    notes: "A later value comes down as a list, or an object, of nothing but itself.",
    mistake: Mistake {
        what: "An object that must have other members too: a value from a later version could not become one.",
        schema: r#"{ "type": "object", "required": ["model"], "properties": { "model": { "type": "object", "required": ["id", "label"], "properties": { "id": { "type": "string" }, "label": { "type": "string" } } } } }"#,
        step: r#"{ "unwrap": "/model", "in": "object", "name": "id" }"#,
    },
};

#[derive(Debug)]
struct Unwrap {
    at: Path,
    wrapping: Wrapping,
    otherwise: Option<Value<'static>>,
}

fn read(fields: &mut Fields<'_>) -> Result<Box<dyn Step>> {
    let (at, wrapping) = (fields.path("unwrap")?, Wrapping::read(fields)?);
    let otherwise = match &wrapping {
        Wrapping::List => fields.optional_value("else")?,
        Wrapping::Object { .. } => None,
    };
    Ok(Box::new(Unwrap { at, wrapping, otherwise }))
}

impl Step for Unwrap {
    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        match &self.wrapping {
            Wrapping::List => self.lower_list(lowering),
            Wrapping::Object { name } => self.lower_object(name, lowering),
        }
    }

    fn words(&self) -> String {
        match &self.wrapping {
            Wrapping::List => format!("{} becomes its first item; the others are kept as residue", self.at),
            Wrapping::Object { name } => format!("{} becomes its member {name}; the others are kept as residue", self.at),
        }
    }
}

impl Unwrap {
    fn lower_list(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let before = lowering.schema.require(&self.at)?;
        before.types().expect_within(Type::Array.into(), &self.at)?;
        lowering.expect_any_length(&self.at, &before)?;
        let items = before.inner().unwrap_or_default();
        let required = lowering.schema.requires(&self.at);
        let forward = match &self.otherwise {
            None if self.at == Path::default() => {
                let message = "expected \"else\", because the record itself cannot be absent; found none";
                return Err(Error::new(ErrorKind::Chain, message));
            }
            None => Function::First,
            Some(value) => {
                items.validate(value).map_err(|error| error.of_kind(ErrorKind::Chain))?;
                Function::Within {
                    function: Box::new(Function::First),
                    fits: Schema::any(),
                    otherwise: value.clone(),
                }
            }
        };
        if required {
            self.fill(Value::Array(Vec::new()), &before, lowering);
        }
        lowering.edit(&self.at, forward, Function::Enlist);
        lowering.schema.declare(&self.at, items, required && self.otherwise.is_some());
        Ok(())
    }

    fn lower_object(&self, name: &str, lowering: &mut Lowering<'_>) -> Result<()> {
        let member = self.at.join(name);
        let (before, inner) = (lowering.schema.require(&self.at)?, lowering.schema.require(&member)?);
        lowering.expect_objects_around(&member)?;
        let (required, always) = (lowering.schema.requires(&self.at), lowering.schema.requires(&member));
        let empty = Value::Object(Object::new());
        let may_be_empty = always || !required || before.accepts(&empty);
        if !before.includes(&Schema::object_of(name, inner.clone())) || !may_be_empty {
            let message = format!(
                "expected an object that may consist of {name:?} alone, found one that requires another member; remove that one first, with \"back\""
            );
            return Err(Error::new(ErrorKind::Chain, message).under_path(&self.at));
        }
        if self.at == Path::default() && !always {
            let message = "expected a member that is always there, because the record itself cannot be absent; found one that may be";
            return Err(Error::new(ErrorKind::Chain, message).under_path(&member));
        }
        if required && !always {
            self.fill(empty, &before, lowering);
        }
        lowering.edit(&self.at, Function::Unfold(name.to_owned()), Function::Enfold(name.to_owned()));
        lowering.schema.declare(&self.at, inner, required && always);
        Ok(())
    }

    /// A value that is required in the older version and may be absent in the newer: on the way down, one that has
    /// nothing in it.
    fn fill(&self, empty: Value<'static>, before: &Schema, lowering: &mut Lowering<'_>) {
        let filled = Function::Default { value: Supply::Literal(empty), fits: before.clone() };
        lowering.edit(&self.at, Function::Keep, filled);
    }
}
