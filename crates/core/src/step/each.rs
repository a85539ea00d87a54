use super::manual::{Chapter, Example, Form, Manual, Member, Mistake};
use super::{CustomExample, Fields, Lowering, Step, StepKind, Steps};
use crate::document::Path;
use crate::error::{Error, ErrorKind, Result};
use crate::lens::{Align, Each, Op};
use crate::schema::{Presence, Type, Types};

pub(super) const KIND: StepKind = StepKind { verb: "each", read };

pub(super) static MANUAL: Manual = Manual {
    chapter: Chapter::Inside,
    summary: "Steps for each item of an array, or each value of an object that is used as a map. Paths inside start at the item.",
    members: &[
        Member::required("each", Form::Place, "The array, or the object whose members are all alike."),
        Member::required("do", Form::Steps, "The steps."),
        Member::optional(
            "by",
            Form::Place,
            "The member that an item of an array is known by, so that its residue finds it again when items were added, deleted or moved meanwhile. Without it, items are known by how they look.",
        ),
    ],
    example: Example {
        schema: r#"{ "type": "object", "properties": { "messages": { "type": "array", "items": { "type": "object", "properties": { "id": { "type": "string" }, "sender": { "type": "string" }, "time": { "type": "number" } } } } } }"#,
        step: r#"{ "each": "/messages", "by": "/id", "do": [ { "rename": "/sender", "to": "/role" }, { "convert": "/time", "from": "epoch-s", "to": "iso" } ] }"#,
        before: r#"{ "messages": [ { "id": "m1", "sender": "human", "time": 1697043600.5 } ] }"#,
        after: r#"{ "messages": [ { "id": "m1", "role": "human", "time": "2023-10-11T17:00:00.5Z" } ] }"#,
    },
    notes: "An `each` may stand inside another. Where the list is absent or `null`, nothing happens.",
    mistake: Mistake {
        what: "A `by` that the steps themselves change.",
        schema: r#"{ "type": "object", "properties": { "messages": { "type": "array", "items": { "type": "object", "properties": { "id": { "type": "string" } } } } } }"#,
        step: r#"{ "each": "/messages", "by": "/id", "do": [ { "rename": "/id", "to": "/key" } ] }"#,
    },
};

#[derive(Debug)]
struct EachItem {
    at: Path,
    by: Option<Path>,
    steps: Steps,
}

fn read(fields: &mut Fields<'_>) -> Result<Box<dyn Step>> {
    let at = fields.path("each")?;
    let by = fields.optional_text("by")?.map(|text| Path::parse(&text)).transpose()?;
    let steps = Steps::read(&fields.required("do")?)?;
    Ok(Box::new(EachItem { at, by, steps }))
}

impl Step for EachItem {
    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let before = lowering.schema.require(&self.at)?;
        let container = Types::from(Type::Array).or(Type::Object).or(Type::Null);
        before.types().expect_within(container, &self.at)?;
        let Some(mut inner) = before.inner() else {
            let message = "expected a list, or an object whose members are all alike, found one that declares its members by name, or different things of items and members; change each by a step of its own";
            return Err(Error::new(ErrorKind::Chain, message).under_path(&self.at));
        };
        let keyed = self.by.as_ref().and_then(|by| inner.at(by).cloned());
        let body = lowering.inside(&self.steps, &mut inner)?;
        let align = match &self.by {
            None if before.types().include(Type::Array) && body.forgets_and_remembers() => {
                let message = "expected \"by\", because what is remembered of an item without it goes by a digest of all that it held, and would tell of what the steps forget; found none. Name a key, or forget in an \"each\" of its own";
                return Err(Error::new(ErrorKind::Chain, message).under_path(&self.at));
            }
            None => Align::Image,
            Some(by) if inner.presence(by) == Presence::Untyped || inner.at(by) == keyed.as_ref() => {
                Align::Key(by.clone())
            }
            Some(by) => {
                let message = "expected in \"by\" a field that the steps leave alone, found one that they change";
                return Err(Error::new(ErrorKind::Chain, message).under_path(by));
            }
        };
        lowering.push(Op::Each(Each { at: self.at.clone(), align, body }));
        lowering.schema.replace(&self.at, before.with_inner(inner));
        Ok(())
    }

    fn examples(&self) -> Vec<CustomExample<'_>> {
        self.steps.examples().collect()
    }

    fn words(&self) -> String {
        let inner: Vec<_> = self.steps.words().collect();
        format!("in each of {}: {}", self.at, inner.join("; "))
    }
}
