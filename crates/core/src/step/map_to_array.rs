use super::manual::{Chapter, Example, Form, Manual, Member, Mistake};
use super::{Fields, Lowering, Step, StepKind};
use crate::document::Path;
use crate::error::{Error, ErrorKind, Result};
use crate::lens::{Op, Rekey, Spare, Way};
use crate::schema::{Presence, Schema, Type, Types};

pub(super) const KIND: StepKind = StepKind { verb: "map_to_array", read };

pub(super) static MANUAL: Manual = Manual {
    chapter: Chapter::Keyed,
    summary: "An object of objects becomes a list of them, each with its name as a member, in the order of the names.",
    members: &[
        Member::required("map_to_array", Form::Place, "The object, used as a map: its members are all alike."),
        Member::required("by", Form::Field, "The member of an item that its name becomes: one name, after a `/`."),
        Member::optional(
            "spare",
            Form::Word(&["first", "last"]),
            "Which of several later items with one key goes into the object on the way down; `first` without it.",
        ),
    ],
    example: Example {
        schema: r#"{ "type": "object", "properties": { "providers": { "type": "object", "additionalProperties": { "type": "object", "properties": { "url": { "type": "string" } } } } } }"#,
        step: r#"{ "map_to_array": "/providers", "by": "/name" }"#,
        before: r#"{ "providers": { "ollama": { "url": "http://localhost" }, "acme": { "url": "https://acme.example" } } }"#,
        after: r#"{ "providers": [ { "name": "acme", "url": "https://acme.example" }, { "name": "ollama", "url": "http://localhost" } ] }"#,
    },
    notes: "On the way down the order that users gave the list is kept as residue.",
    mistake: Mistake {
        what: "An object that declares its members by name is no map.",
        schema: r#"{ "type": "object", "properties": { "providers": { "type": "object", "properties": { "acme": { "type": "object" } } } } }"#,
        step: r#"{ "map_to_array": "/providers", "by": "/name" }"#,
    },
};

#[derive(Debug)]
struct MapToArray {
    at: Path,
    by: Path,
    spare: Spare,
}

fn read(fields: &mut Fields<'_>) -> Result<Box<dyn Step>> {
    let (at, by) = (fields.path("map_to_array")?, fields.name_path("by")?);
    let spare = fields.optional_word("spare", &[("first", Spare::First), ("last", Spare::Last)])?;
    Ok(Box::new(MapToArray { at, by, spare: spare.unwrap_or(Spare::First) }))
}

impl Step for MapToArray {
    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let before = lowering.schema.require(&self.at)?;
        before.types().expect_within(Types::from(Type::Object).or(Type::Null), &self.at)?;
        let fail = |message: &str| Err(Error::new(ErrorKind::Chain, message).under_path(&self.at));
        let Some(values) = before.inner().filter(|values| values.types().only_object()) else {
            return fail("expected an object whose \"additionalProperties\" are objects, and that declares none by name; found another");
        };
        if values.presence(&self.by) != Presence::Undeclared {
            return fail("expected a new name in \"by\", found one that the objects declare already");
        }
        let mut items = values.clone();
        items.declare(&self.by, Schema::of_types(Type::String.into()), true);
        let name = self.by.tokens().next().unwrap_or_default().to_owned();
        lowering.push(Op::Rekey(Rekey { at: self.at.clone(), by: name, spare: self.spare, list: Way::Up }));
        let after = Schema::array_of(items);
        let after = if before.types().include(Type::Null) { after.or_null() } else { after };
        lowering.schema.replace(&self.at, after);
        Ok(())
    }

    fn words(&self) -> String {
        format!("the object {} becomes a list whose items have their names as {}", self.at, self.by)
    }
}
