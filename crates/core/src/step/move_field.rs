use super::{Fields, Lowering, Step, StepKind};
use crate::document::Path;
use crate::error::Result;

pub(super) const KIND: StepKind = StepKind { verb: "move", read };

/// `{ "move": "/ai_settings/privacy_mode", "to": "/privacy" }`: a field goes to another object. Objects on the way
/// that the schema does not declare are made.
#[derive(Debug)]
struct MoveField {
    from: Path,
    to: Path,
}

fn read(fields: &mut Fields<'_>) -> Result<Box<dyn Step>> {
    Ok(Box::new(MoveField { from: fields.member_path("move")?, to: fields.member_path("to")? }))
}

impl Step for MoveField {
    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        lowering.move_field(&self.from, &self.to)
    }

    fn words(&self) -> String {
        format!("{} moves to {}", self.from, self.to)
    }
}
