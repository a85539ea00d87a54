use super::{Fields, Lowering, Step, StepKind};
use crate::document::Path;
use crate::error::{Error, ErrorKind, Result};

pub(super) const KIND: StepKind = StepKind { verb: "rename", read };

/// `{ "rename": "/sender", "to": "/role" }`: a field gets another name and stays where it is.
#[derive(Debug)]
struct Rename {
    from: Path,
    to: Path,
}

fn read(fields: &mut Fields<'_>) -> Result<Box<dyn Step>> {
    let (from, to) = (fields.member_path("rename")?, fields.member_path("to")?);
    let parent = |path: &Path| path.split_last().map(|(parent, _)| parent);
    if parent(&from) != parent(&to) {
        let message = "expected a new name in the same object, found a place in another; use \"move\"";
        return Err(Error::new(ErrorKind::Chain, message).under_path(&to));
    }
    Ok(Box::new(Rename { from, to }))
}

impl Step for Rename {
    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        lowering.move_field(&self.from, &self.to)
    }

    fn words(&self) -> String {
        format!("{} is renamed {}", self.from, self.to)
    }
}
