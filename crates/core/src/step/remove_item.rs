use super::manual::{Chapter, Example, Form, Manual, Member, Mistake};
use super::{Fields, Lowering, Step, StepKind};
use crate::document::{Path, Value};
use crate::error::Result;
use crate::lens::{EditItem, Function, Op, Place};
use crate::schema::{Type, Types};

pub(super) const KIND: StepKind = StepKind { verb: "remove_item", read };

pub(super) static MANUAL: Manual = Manual {
    chapter: Chapter::Keyed,
    summary: "The item with a key is taken out of a list, and kept as residue, with its place.",
    members: &[
        Member::required("remove_item", Form::Place, "The list."),
        Member::required("by", Form::Field, "Where in an item its key stands."),
        Member::required("key", Form::Value, "The key."),
    ],
    example: Example {
        schema: r#"{ "type": "object", "properties": { "models": { "type": "array", "items": { "type": "object", "properties": { "id": { "type": "string" } } } } } }"#,
        step: r#"{ "remove_item": "/models", "by": "/id", "key": "retired-2" }"#,
        before: r#"{ "models": [ { "id": "retired-2" }, { "id": "sonnet" } ] }"#,
        after: r#"{ "models": [ { "id": "sonnet" } ] }"#,
    },
    notes: "Where several items have the key, all stay: nobody knows which is meant.",
    mistake: Mistake {
        what: "A list that must have so many items.",
        schema: r#"{ "type": "object", "properties": { "models": { "type": "array", "minItems": 1 } } }"#,
        step: r#"{ "remove_item": "/models", "by": "/id", "key": "retired-2" }"#,
    },
};

#[derive(Debug)]
struct RemoveItem {
    list: Path,
    by: Path,
    key: Value<'static>,
}

fn read(fields: &mut Fields<'_>) -> Result<Box<dyn Step>> {
    let (list, by) = (fields.path("remove_item")?, fields.member_path("by")?);
    Ok(Box::new(RemoveItem { list, by, key: fields.value("key")? }))
}

impl Step for RemoveItem {
    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let before = lowering.schema.require(&self.list)?;
        before.types().expect_within(Types::from(Type::Array).or(Type::Null), &self.list)?;
        lowering.expect_any_length(&self.list, &before)?;
        let items = before.inner().unwrap_or_default();
        lowering.push(Op::Item(Box::new(EditItem {
            list: self.list.clone(),
            by: self.by.clone(),
            key: self.key.clone(),
            forward: Function::Withdraw(items),
            backward: Function::Keep,
            place: Place::Last,
        })));
        Ok(())
    }

    fn words(&self) -> String {
        format!("the item with the {} {} goes from {}, and is kept as residue", self.by, self.key.to_json(), self.list)
    }
}
