use super::{Fields, Lowering, Step, StepKind};
use crate::document::Path;
use crate::error::{Error, ErrorKind, Result};

pub(super) const KIND: StepKind = StepKind { verb: "nest", read };

/// `{ "nest": ["/model", "/mode"], "under": "/settings" }`: fields go, with their names, into one object, which is made
/// where it is missing.
#[derive(Debug)]
struct Nest {
    fields: Vec<Path>,
    under: Path,
}

fn read(fields: &mut Fields<'_>) -> Result<Box<dyn Step>> {
    let paths = fields.texts("nest")?.iter().map(|text| Path::parse(text)).collect::<Result<Vec<_>>>()?;
    if paths.is_empty() || paths.iter().any(|path| path.split_last().is_none()) {
        return Err(Error::new(
            ErrorKind::Chain,
            "expected in \"nest\" a list of pointers to members, found it empty or with an empty pointer",
        ));
    }
    Ok(Box::new(Nest { fields: paths, under: fields.member_path("under")? }))
}

impl Step for Nest {
    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        lowering.enclose_ancestors(&self.under)?;
        lowering.enclose(&self.under)?;
        for from in &self.fields {
            if let Some((_, name)) = from.split_last() {
                lowering.move_field(from, &self.under.join(name))?;
            }
        }
        Ok(())
    }

    fn words(&self) -> String {
        let fields: Vec<_> = self.fields.iter().map(Path::to_string).collect();
        format!("{} go into {}", fields.join(", "), self.under)
    }
}
