use super::manual::{Chapter, Example, Form, Manual, Member, Mistake};
use super::{Fields, Lowering, Step, StepKind, supply};
use crate::document::Path;
use crate::error::{Error, ErrorKind, Result};
use crate::lens::{Function, Supply};
use crate::schema::{Presence, Schema};

pub(super) const KIND: StepKind = StepKind { verb: "add", read };

pub(super) static MANUAL: Manual = Manual {
    chapter: Chapter::Fields,
    summary: "A member that is always there from now on. A value that is there already stays, if it fits.",
    members: &[
        Member::required("add", Form::Field, "The member. Objects around it that the schema does not declare are made."),
        supply::VALUE,
        supply::MAKE,
        Member::optional("schema", Form::Schema, "What later values may be; without it, any of the value's type."),
    ],
    example: Example {
        schema: r#"{ "type": "object", "properties": { "theme": { "type": "string" } } }"#,
        step: r#"{ "add": "/ai/auto_distill", "value": false }"#,
        before: r#"{ "theme": "dark" }"#,
        after: r#"{ "theme": "dark", "ai": { "auto_distill": false } }"#,
    },
    notes: "On the way down a member that the older schema did not declare goes again. A made id, `\"make\": { \"key\": \"tag-\" }`, is the same on every device and in every database, because it is made from the record's key; and the time of a run is one time for all its records, however long it takes.",
    mistake: Mistake {
        what: "Adding what is always there.",
        schema: r#"{ "type": "object", "required": ["theme"], "properties": { "theme": { "type": "string" } } }"#,
        step: r#"{ "add": "/theme", "value": "dark" }"#,
    },
};

#[derive(Debug)]
struct Add {
    at: Path,
    value: Supply,
    schema: Option<Schema>,
}

fn read(fields: &mut Fields<'_>) -> Result<Box<dyn Step>> {
    let add =
        Add { at: fields.member_path("add")?, value: supply::read(fields)?, schema: fields.optional_schema("schema")? };
    if let Some(schema) = &add.schema {
        supply::check_fits(&add.value, schema)?;
    }
    Ok(Box::new(add))
}

impl Step for Add {
    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        lowering.enclose_ancestors(&self.at)?;
        let presence = lowering.schema.presence(&self.at);
        let declared = lowering.schema.at(&self.at).cloned();
        let (schema, backward) = match (presence, declared) {
            (Presence::Required, _) if lowering.schema.requires(&self.at) => {
                let message = "expected a place that may be empty, found a member that the schema requires; use \"set\" to change it";
                return Err(Error::new(ErrorKind::Chain, message).under_path(&self.at));
            }
            (_, Some(declared)) => {
                supply::check_fits(&self.value, &declared)?;
                (declared, Function::Keep)
            }
            (_, None) => (
                self.schema.clone().unwrap_or_else(|| supply::schema_of(&self.value)),
                Function::Withdraw(lowering.unknown_at(&self.at)?),
            ),
        };
        let forward = Function::Default { value: self.value.clone(), fits: schema.clone() };
        lowering.edit(&self.at, forward, backward);
        lowering.schema.declare(&self.at, schema, true);
        Ok(())
    }

    fn words(&self) -> String {
        format!("{} is added where it is missing", self.at)
    }
}
