use super::manual::{Chapter, Example, Form, Manual, Member, Mistake};
use super::{Fields, Lowering, Step, StepKind};
use crate::document::{Object, Path, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::lens::{Function, Names, Op, Part, Supply};
use crate::schema::{Presence, Schema};

pub(super) const KIND: StepKind = StepKind { verb: "partition", read };

pub(super) static MANUAL: Manual = Manual {
    chapter: Chapter::Keyed,
    summary: "The members whose names start with a prefix, known or unknown, go into another object, which is made where it is missing.",
    members: &[
        Member::required("partition", Form::Place, "The object they leave; `\"\"` is the record itself."),
        Member::required("prefix", Form::Text, "What their names start with; not empty. The names stay as they are."),
        Member::required("to", Form::Field, "The object they go into, whose own name does not start with the prefix."),
    ],
    example: Example {
        schema: r#"{ "type": "object", "properties": { "theme": { "type": "string" } } }"#,
        step: r#"{ "partition": "", "prefix": "draft:", "to": "/drafts" }"#,
        before: r#"{ "theme": "dark", "draft:a": "Dear", "draft:b": "Hello" }"#,
        after: r#"{ "theme": "dark", "drafts": { "draft:a": "Dear", "draft:b": "Hello" } }"#,
    },
    notes: "Members whose names are all known go with `nest`.",
    mistake: Mistake {
        what: "A target that would have to go into itself.",
        schema: r#"{ "type": "object" }"#,
        step: r#"{ "partition": "", "prefix": "draft", "to": "/drafts" }"#,
    },
};

#[derive(Debug)]
struct Partition {
    from: Path,
    prefix: String,
    to: Path,
}

fn read(fields: &mut Fields<'_>) -> Result<Box<dyn Step>> {
    let (from, prefix, to) = (fields.path("partition")?, fields.separator("prefix")?, fields.member_path("to")?);
    let inside = to.tokens().zip(from.tokens()).all(|(a, b)| a == b).then(|| to.tokens().nth(from.tokens().len()));
    match inside {
        Some(None) => {
            let message = "expected a target apart from the object, or in it, found the object itself or one around it";
            Err(Error::new(ErrorKind::Chain, message).under_path(&to))
        }
        Some(Some(name)) if name.starts_with(&prefix) => {
            let message = "expected a target whose name does not start with the prefix, found one that would go into itself";
            Err(Error::new(ErrorKind::Chain, message).under_path(&to))
        }
        _ => Ok(Box::new(Partition { from, prefix, to })),
    }
}

impl Step for Partition {
    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let from = lowering.schema.require(&self.from)?;
        lowering.expect_objects_around(&self.from.join(""))?;
        expect_one_form(&from, &self.from)?;
        let unknown = from.strangers().unwrap_or_else(Schema::never);
        let is_new = matches!(lowering.schema.presence(&self.to), Presence::Undeclared | Presence::Untyped);
        lowering.enclose_ancestors(&self.to)?;
        if is_new {
            make_target(&self.to, Schema::map_of(unknown), lowering)?;
        } else {
            self.expect_like_target(&unknown, lowering)?;
        }
        if lowering.schema.presence(&self.to) != Presence::Required {
            let message = "expected a target that is always there, found one that may be absent; \"add\" it first";
            return Err(Error::new(ErrorKind::Chain, message).under_path(&self.to));
        }
        self.carry(&from, lowering)?;
        let names = Names::Prefix(self.prefix.clone());
        lowering.push(Op::Part(Part { from: self.from.clone(), to: Some(self.to.clone()), names }));
        Ok(())
    }

    fn words(&self) -> String {
        format!("members that start with {:?} go from {} into {}", self.prefix, place(&self.from), self.to)
    }
}

impl Partition {
    /// Checks that what goes may be in the target, and what is there may come back.
    fn expect_like_target(&self, unknown: &Schema, lowering: &mut Lowering<'_>) -> Result<()> {
        lowering.enclose(&self.to)?;
        let target = lowering.schema.require(&self.to)?;
        expect_one_form(&target, &self.to)?;
        if target.strangers().as_ref() != Some(unknown) {
            let message =
                "expected two objects that say the same of members they do not declare, found two that differ";
            return Err(Error::new(ErrorKind::Chain, message).under_path(&self.to));
        }
        Ok(())
    }

    /// Carries the declarations of members that go.
    fn carry(&self, from: &Schema, lowering: &mut Lowering<'_>) -> Result<()> {
        let target = lowering.schema.require(&self.to)?;
        if let Some(name) = target.member_names().into_iter().find(|name| name.starts_with(&self.prefix)) {
            let message = "expected a target that declares no member with the prefix, found one";
            return Err(Error::new(ErrorKind::Chain, message).under_path(self.to.join(&name)));
        }
        for name in from.member_names().into_iter().filter(|name| name.starts_with(&self.prefix)) {
            let member = self.from.join(&name);
            let (schema, required) = (lowering.schema.require(&member)?, lowering.schema.requires(&member));
            if required && lowering.schema.presence(&self.from) != Presence::Required {
                let message = "expected an object that is always there around a member that is required, found one that may be absent";
                return Err(Error::new(ErrorKind::Chain, message).under_path(&self.from));
            }
            lowering.schema.undeclare(&member);
            lowering.schema.declare(&self.to.join(&name), schema, required);
        }
        Ok(())
    }
}

/// Makes a target that no schema declared. An object that is there already stays where its members are such as may come
/// back, and otherwise waits in the residue.
fn make_target(to: &Path, fits: Schema, lowering: &mut Lowering<'_>) -> Result<()> {
    let backward = Function::Prune(lowering.unknown_at(to)?);
    let empty = Supply::Literal(Value::Object(Object::new()));
    lowering.edit(to, Function::Default { value: empty, fits: fits.clone() }, backward);
    lowering.schema.declare(to, fits, true);
    Ok(())
}

/// Forms that are told apart, or listed objects, may say of a member that goes what no other place could.
fn expect_one_form(schema: &Schema, at: &Path) -> Result<()> {
    if schema.has_one_form() {
        return Ok(());
    }
    let message = "expected an object of one form, found an \"anyOf\" or an \"enum\" of objects";
    Err(Error::new(ErrorKind::Chain, message).under_path(at))
}

fn place(path: &Path) -> String {
    if *path == Path::default() { "the record".to_owned() } else { path.to_string() }
}
