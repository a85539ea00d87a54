use super::manual::{Chapter, Example, Form, Manual, Member, Mistake};
use super::{Fields, Lowering, Step, StepKind};
use crate::document::{Path, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::lens::{EditItem, Function, Op, Place, Supply};
use crate::schema::{Type, Types};

pub(super) const KIND: StepKind = StepKind { verb: "insert_item", read };

/// What `place` may be.
const PLACES: &str = r#"{"oneOf":[{"enum":["first","last"]},{"type":"object","required":["after"],"additionalProperties":false,"properties":{"after":{}}}]}"#;

pub(super) static MANUAL: Manual = Manual {
    chapter: Chapter::Keyed,
    summary: "An item is put into a list, unless one with its key is there.",
    members: &[
        Member::required("insert_item", Form::Place, "The list."),
        Member::required("by", Form::Field, "Where in an item its key stands."),
        Member::required("item", Form::Value, "The item."),
        Member::optional(
            "place",
            Form::Other("`\"first\"`, `\"last\"` or `{ \"after\": KEY }`", PLACES),
            "Where it goes; `last` without it, and where there is no item with that key.",
        ),
    ],
    example: Example {
        schema: r#"{ "type": "object", "properties": { "presets": { "type": "array", "items": { "type": "object", "properties": { "id": { "type": "string" }, "prompt": { "type": "string" } } } } } }"#,
        step: r#"{ "insert_item": "/presets", "by": "/id", "item": { "id": "shorten", "prompt": "Say it in half as many words." }, "place": { "after": "translate" } }"#,
        before: r#"{ "presets": [ { "id": "translate" }, { "id": "mine" } ] }"#,
        after: r#"{ "presets": [ { "id": "translate" }, { "id": "shorten", "prompt": "Say it in half as many words." }, { "id": "mine" } ] }"#,
    },
    notes: "Where there is no list, nothing happens. On the way down the item goes again, unless it was there before; what users made of it is kept, and comes back on the way up.",
    mistake: Mistake {
        what: "An item that does not fit the list.",
        schema: r#"{ "type": "object", "properties": { "presets": { "type": "array", "items": { "type": "object", "required": ["prompt"], "properties": { "id": { "type": "string" }, "prompt": { "type": "string" } } } } } }"#,
        step: r#"{ "insert_item": "/presets", "by": "/id", "item": { "id": "shorten" } }"#,
    },
};

#[derive(Debug)]
struct InsertItem {
    list: Path,
    by: Path,
    key: Value<'static>,
    item: Value<'static>,
    place: Place,
}

fn read(fields: &mut Fields<'_>) -> Result<Box<dyn Step>> {
    let (list, by, mut item) = (fields.path("insert_item")?, fields.member_path("by")?, fields.value("item")?);
    let Some(key) = by.get(&mut item)?.map(|key| key.clone()) else {
        let message = "expected in \"item\" a key at the place that \"by\" names, found none";
        return Err(Error::new(ErrorKind::Chain, message).under_path(&by));
    };
    let place = fields.optional("place").map_or(Ok(Place::Last), |value| read_place(&value))?;
    Ok(Box::new(InsertItem { list, by, key, item, place }))
}

fn read_place(value: &Value<'_>) -> Result<Place> {
    match value.opened()? {
        Value::String(word) if word == "first" => Ok(Place::First),
        Value::String(word) if word == "last" => Ok(Place::Last),
        Value::Object(mut object) if object.len() == 1 && object.get("after").is_some() => {
            Ok(Place::After(object.remove("after").unwrap_or(Value::Null).into_owned()?))
        }
        _ => {
            let message = "expected in \"place\" one of \"first\", \"last\" or {\"after\": KEY}, found something else";
            Err(Error::new(ErrorKind::Chain, message))
        }
    }
}

impl Step for InsertItem {
    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let before = lowering.schema.require(&self.list)?;
        before.types().expect_within(Types::from(Type::Array).or(Type::Null), &self.list)?;
        lowering.expect_any_length(&self.list, &before)?;
        let items = before.inner().unwrap_or_default();
        items.validate(&self.item).map_err(|error| error.of_kind(ErrorKind::Chain))?;
        lowering.push(Op::Item(Box::new(EditItem {
            list: self.list.clone(),
            by: self.by.clone(),
            key: self.key.clone(),
            forward: Function::Default { value: Supply::Literal(self.item.clone()), fits: items.clone() },
            backward: Function::Withdraw(items),
            place: self.place.clone(),
        })));
        Ok(())
    }

    fn words(&self) -> String {
        format!("an item is put into {} where none has the {} {}", self.list, self.by, self.key.to_json())
    }
}
