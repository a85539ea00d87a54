use super::manual::{Chapter, Example, Form, Manual, Member, Mistake};
use super::{Fields, Lowering, Step, StepKind};
use crate::document::{Path, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::lens::{Edit, Function, Op, Supply};

pub(super) const KIND: StepKind = StepKind { verb: "remove", read };

pub(super) static MANUAL: Manual = Manual {
    chapter: Chapter::Fields,
    summary: "A member goes; its value is kept as residue.",
    members: &[
        Member::required("remove", Form::Field, "The member."),
        Member::optional(
            "back",
            Form::Value,
            "What the member is, on the way down, for a record that was born without it. Must be given where the older schema requires the member.",
        ),
        Member::optional(
            "forget",
            Form::True,
            "The value is *not* kept: for secrets. This cannot be undone, and `exuvia explain` says so.",
        ),
    ],
    example: Example {
        schema: r#"{ "type": "object", "required": ["legacy_mode"], "properties": { "legacy_mode": { "type": "string" } } }"#,
        step: r#"{ "remove": "/legacy_mode", "back": "standard" }"#,
        before: r#"{ "legacy_mode": "expert" }"#,
        after: r"{}",
    },
    notes: "With `forget` the snapshot that is taken before the run still has the value, until its retention ends. Inside an `each` of a list that does more than this, `by` must be named: items that are known by how they look are known by a digest of all that they held. An `each` of an earlier migration that had none has kept such digests.",
    mistake: Mistake {
        what: "Leaving `back` out for a required member.",
        schema: r#"{ "type": "object", "required": ["legacy_mode"], "properties": { "legacy_mode": { "type": "string" } } }"#,
        step: r#"{ "remove": "/legacy_mode" }"#,
    },
};

#[derive(Debug)]
struct Remove {
    at: Path,
    back: Option<Value<'static>>,
    forget: bool,
}

fn read(fields: &mut Fields<'_>) -> Result<Box<dyn Step>> {
    let at = fields.member_path("remove")?;
    Ok(Box::new(Remove { at, back: fields.optional_value("back")?, forget: fields.flag("forget")? }))
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
        let forward = Function::Withdraw(lowering.unknown_at(&self.at)?);
        let edit = Edit { forgets: self.forget, ..Edit::new(&self.at, forward, backward) };
        lowering.push(Op::Edit(Box::new(edit)));
        Ok(())
    }

    fn words(&self) -> String {
        match self.forget {
            true => format!("{} is removed and forgotten for good", self.at),
            false => format!("{} is removed, and kept as residue", self.at),
        }
    }
}
