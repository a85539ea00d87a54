use super::manual::{Chapter, Example, Form, Manual, Member, Mistake};
use super::{Fields, Lowering, Step, StepKind};
use crate::document::Path;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::Presence;

pub(super) const KIND: StepKind = StepKind { verb: "rename_fields", read };

pub(super) static MANUAL: Manual = Manual {
    chapter: Chapter::Fields,
    summary: "Several members of one object get other names, all at once.",
    members: &[
        Member::required("rename_fields", Form::Place, "The object; `\"\"` is the record itself."),
        Member::required("table", Form::Names, "The new name for each old one: bare names, not paths."),
    ],
    example: Example {
        schema: r#"{ "type": "object", "properties": { "createdAt": { "type": "string" }, "updatedAt": { "type": "string" } } }"#,
        step: r#"{ "rename_fields": "", "table": { "createdAt": "created_at", "updatedAt": "updated_at" } }"#,
        before: r#"{ "createdAt": "yesterday", "updatedAt": "today" }"#,
        after: r#"{ "created_at": "yesterday", "updated_at": "today" }"#,
    },
    notes: "A name may be handed on (`a` becomes `b`, and what was `b` becomes `c`), whatever the order of the table.",
    mistake: Mistake {
        what: "Two members that change their names with each other: one of them has to step aside first, by a `rename` of its own.",
        schema: r#"{ "type": "object", "properties": { "a": { "type": "string" }, "b": { "type": "string" } } }"#,
        step: r#"{ "rename_fields": "", "table": { "a": "b", "b": "a" } }"#,
    },
};

#[derive(Debug)]
struct RenameFields {
    at: Path,
    table: Vec<(String, String)>,
}

fn read(fields: &mut Fields<'_>) -> Result<Box<dyn Step>> {
    let at = fields.path("rename_fields")?;
    let table = fields.names("table")?;
    if table.is_empty() {
        return Err(Error::new(ErrorKind::Chain, "expected a \"table\" with at least one name, found none"));
    }
    Ok(Box::new(RenameFields { at, table }))
}

impl Step for RenameFields {
    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let mut left: Vec<_> = self.table.iter().map(|(from, to)| (self.at.join(from), self.at.join(to))).collect();
        while !left.is_empty() {
            let free = |(_, to): &(Path, Path)| {
                matches!(lowering.schema.presence(to), Presence::Undeclared | Presence::Untyped)
            };
            // Where none is free, the first says why.
            let next = left.iter().position(free).unwrap_or_default();
            let (from, to) = left.remove(next);
            lowering.move_field(&from, &to)?;
        }
        Ok(())
    }

    fn words(&self) -> String {
        let renamed: Vec<_> = self.table.iter().map(|(from, to)| format!("{from} to {to}")).collect();
        let at = if self.at == Path::default() { String::new() } else { format!("in {}, ", self.at) };
        format!("{at}members are renamed: {}", renamed.join(", "))
    }
}
