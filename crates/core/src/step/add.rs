use super::{Fields, Lowering, Step, StepKind};
use crate::document::{Path, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::lens::{Function, Supply};
use crate::schema::{Presence, Schema};

pub(super) const KIND: StepKind = StepKind { verb: "add", read };

/// `{ "add": "/auto_distill", "value": false }`: a field that is always there from now on. A value that is there already
/// stays, if it fits. `schema` says what later values may be; without it, any of the value's type.
#[derive(Debug)]
struct Add {
    at: Path,
    value: Value<'static>,
    schema: Option<Schema>,
}

fn read(fields: &mut Fields<'_>) -> Result<Box<dyn Step>> {
    let add = Add {
        at: fields.member_path("add")?,
        value: fields.value("value")?,
        schema: fields.optional_schema("schema")?,
    };
    if let Some(schema) = &add.schema {
        schema.validate(&add.value).map_err(|error| error.of_kind(ErrorKind::Chain))?;
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
                declared.validate(&self.value).map_err(|error| error.of_kind(ErrorKind::Chain))?;
                (declared, Function::Keep)
            }
            (Presence::Untyped, None) => {
                (self.schema.clone().unwrap_or_default(), Function::Withdraw(lowering.unknown_at(&self.at)))
            }
            (_, None) => (
                self.schema.clone().unwrap_or_else(|| Schema::of(&self.value)),
                Function::Withdraw(lowering.unknown_at(&self.at)),
            ),
        };
        let forward = Function::Default { value: Supply::Literal(self.value.clone()), fits: schema.clone() };
        lowering.edit(&self.at, forward, backward);
        lowering.schema.declare(&self.at, schema, true);
        Ok(())
    }

    fn words(&self) -> String {
        format!("{} is added where it is missing", self.at)
    }
}
