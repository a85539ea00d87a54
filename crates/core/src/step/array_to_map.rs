use super::manual::{Chapter, Example, Form, Manual, Member, Mistake};
use super::{Fields, Lowering, Step, StepKind};
use crate::document::Path;
use crate::error::{Error, ErrorKind, Result};
use crate::lens::{Op, Rekey, Spare, Way};
use crate::schema::{Schema, Type, Types};

pub(super) const KIND: StepKind = StepKind { verb: "array_to_map", read };

pub(super) static MANUAL: Manual = Manual {
    chapter: Chapter::Keyed,
    summary: "A list of objects becomes an object of them, by a text that each has as its key. The order is kept as residue.",
    members: &[
        Member::required("array_to_map", Form::Place, "The list."),
        Member::required("by", Form::Field, "The member of an item that is its key: one name, after a `/`."),
        Member::optional(
            "spare",
            Form::Word(&["error", "first", "last"]),
            "What happens to an item without a key, or with the key of another: the record is refused (the default), or the first or the last with a key goes into the object, and the others are kept as residue.",
        ),
    ],
    example: Example {
        schema: r#"{ "type": "object", "properties": { "notes": { "type": "array", "items": { "type": "object", "required": ["id"], "properties": { "id": { "type": "string" }, "text": { "type": "string" } } } } } }"#,
        step: r#"{ "array_to_map": "/notes", "by": "/id" }"#,
        before: r#"{ "notes": [ { "id": "n2", "text": "wings" }, { "id": "n1", "text": "legs" } ] }"#,
        after: r#"{ "notes": { "n2": { "text": "wings" }, "n1": { "text": "legs" } } }"#,
    },
    notes: "On the way down the items that were in the list stand as they stood, and later ones follow in the order of their keys.",
    mistake: Mistake {
        what: "A key that is a number: `convert` it inside an `each` first.",
        schema: r#"{ "type": "object", "properties": { "notes": { "type": "array", "items": { "type": "object", "properties": { "id": { "type": "integer" } } } } } }"#,
        step: r#"{ "array_to_map": "/notes", "by": "/id" }"#,
    },
};

#[derive(Debug)]
struct ArrayToMap {
    at: Path,
    by: Path,
    spare: Spare,
}

fn read(fields: &mut Fields<'_>) -> Result<Box<dyn Step>> {
    let (at, by) = (fields.path("array_to_map")?, fields.name_path("by")?);
    let words = [("error", Spare::Refuse), ("first", Spare::First), ("last", Spare::Last)];
    let spare = fields.optional_word("spare", &words)?.unwrap_or(Spare::Refuse);
    Ok(Box::new(ArrayToMap { at, by, spare }))
}

impl Step for ArrayToMap {
    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let before = lowering.schema.require(&self.at)?;
        before.types().expect_within(Types::from(Type::Array).or(Type::Null), &self.at)?;
        lowering.expect_any_length(&self.at, &before)?;
        let items = before.inner().unwrap_or_default();
        let key = items.require(&self.by).map_err(|error| error.under_path(&self.at))?;
        let text = Schema::of_types(Type::String.into());
        if !items.types().only_object() || key != text {
            let message = "expected a list of objects whose key is a text without further bounds, found another";
            return Err(Error::new(ErrorKind::Chain, message).under_path(&self.by).under_path(&self.at));
        }
        let mut values = items.clone();
        values.undeclare(&self.by);
        let mut listed = values.clone();
        listed.declare(&self.by, text, true);
        if !items.includes(&listed) {
            let message = "expected items that are alike without their key, found several forms that it tells apart";
            return Err(Error::new(ErrorKind::Chain, message).under_path(&self.at));
        }
        let name = self.by.tokens().next().unwrap_or_default().to_owned();
        lowering.push(Op::Rekey(Rekey { at: self.at.clone(), by: name, spare: self.spare, list: Way::Down }));
        let after = Schema::map_of(values);
        let after = if before.types().include(Type::Null) { after.or_null() } else { after };
        lowering.schema.replace(&self.at, after);
        Ok(())
    }

    fn words(&self) -> String {
        format!("the list {} becomes an object by its items' {}", self.at, self.by)
    }
}
