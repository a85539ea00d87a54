use super::{Fields, Lowering, Step, StepKind};
use crate::document::{Path, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::lens::{Function, Supply};

pub(super) const KIND: StepKind = StepKind { verb: "remove", read };

/// `{ "remove": "/legacy", "back": 0 }`: a field goes; its value is kept as residue. `back` is what it is for a record
/// that never had it, and must be given where the schema requires the field.
#[derive(Debug)]
struct Remove {
    at: Path,
    back: Option<Value<'static>>,
}

fn read(fields: &mut Fields<'_>) -> Result<Box<dyn Step>> {
    let at = fields.member_path("remove")?;
    let back = fields.optional("back").map(Value::into_owned).transpose()?;
    Ok(Box::new(Remove { at, back }))
}

impl Step for Remove {
    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let schema = lowering.schema.require(&self.at)?;
        let backward = match &self.back {
            Some(value) => {
                schema.validate(value).map_err(|error| error.of_kind(ErrorKind::Chain))?;
                Function::Default { value: Supply::Literal(value.clone()), fits: schema }
            }
            None if lowering.schema.requires(&self.at) => {
                let message = "expected \"back\", a value for records born later, because the schema requires the member; found none";
                return Err(Error::new(ErrorKind::Chain, message).under_path(&self.at));
            }
            None => Function::Admit(schema),
        };
        lowering.schema.undeclare(&self.at);
        lowering.edit(&self.at, Function::Withdraw(lowering.unknown_at(&self.at)), backward);
        Ok(())
    }

    fn words(&self) -> String {
        format!("{} is removed, and kept as residue", self.at)
    }
}
