use super::{Fields, Lowering, Step, StepKind};
use crate::document::Path;
use crate::error::{Error, ErrorKind, Result};
use crate::lens::Function;
use crate::schema::{Schema, Type};

pub(super) const KIND: StepKind = StepKind { verb: "split", read };

/// `{ "split": "/tags", "by": ", " }`: a text becomes a list of texts; the empty text becomes the empty list.
#[derive(Debug)]
struct Split {
    at: Path,
    by: String,
}

fn read(fields: &mut Fields<'_>) -> Result<Box<dyn Step>> {
    let (at, by) = (fields.path("split")?, fields.text("by")?);
    if by.is_empty() {
        return Err(Error::new(ErrorKind::Chain, "expected in \"by\" a separator, found an empty text"));
    }
    Ok(Box::new(Split { at, by }))
}

impl Step for Split {
    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let before = lowering.schema.require(&self.at)?;
        before.types().expect_within(Type::String.into(), &self.at)?;
        if !before.is_plain() {
            let message = "expected a text without further bounds, found some; joined again, a list could break them";
            return Err(Error::new(ErrorKind::Chain, message).under_path(&self.at));
        }
        lowering.edit(&self.at, Function::Split(self.by.clone()), Function::Join(self.by.clone()));
        lowering.schema.replace(&self.at, Schema::array_of(Schema::of_types(Type::String.into())));
        Ok(())
    }

    fn words(&self) -> String {
        format!("{} is split by {:?} into a list", self.at, self.by)
    }
}
