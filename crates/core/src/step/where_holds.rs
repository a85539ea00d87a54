use super::manual::{Chapter, Example, Form, Manual, Member, Mistake};
use super::{CustomExample, Fields, Lowering, Step, StepKind, Steps, predicate};
use crate::document::Path;
use crate::error::{Error, ErrorKind, Result};
use crate::lens::{Body, Edit, Function, Op, Predicate, Side, When};
use crate::schema::Schema;

pub(super) const KIND: StepKind = StepKind { verb: "where", read };

pub(super) static MANUAL: Manual = Manual {
    chapter: Chapter::Inside,
    summary: "Steps that run only where a predicate holds.",
    members: &[
        Member::required("where", Form::Predicate, "The predicate on the record, or on the item inside an `each`, before the steps."),
        Member::required("do", Form::Steps, "The steps."),
        Member::optional(
            "after",
            Form::Predicate,
            "Which records of the later version the steps lead back from. Must be given where the steps change what the predicate looks at, unless it says the same afterwards: a text that is another text now is still a text.",
        ),
    ],
    example: Example {
        schema: r#"{ "type": "object", "required": ["role", "content"], "properties": { "role": { "enum": ["user", "tool"] }, "content": { "type": "string" } } }"#,
        step: r#"{ "where": { "equals": "/role", "value": "tool" }, "do": [ { "rename": "/content", "to": "/result" } ] }"#,
        before: r#"{ "role": "tool", "content": "42" }"#,
        after: r#"{ "role": "tool", "result": "42" }"#,
    },
    notes: "Predicates: `{ \"equals\": PATH, \"value\": V }`, `{ \"in\": PATH, \"values\": [V, …] }`, `{ \"exists\": PATH }` (`null` is there), `{ \"type\": PATH, \"is\": T }` (`T` is a type of JSON Schema, or a list of them), `{ \"and\": [P, …] }`, `{ \"or\": [P, …] }`, `{ \"not\": P }`. An absent value equals nothing. `{ \"and\": [] }` always holds, and `{ \"or\": [] }` never.\n\nInside, the schema is what is left of it where the predicate holds: after `{ \"type\": \"/content\", \"is\": \"string\" }` the content is a text. The schema afterwards is that of both kinds of records together, and from it one must be able to tell which steps to undo: where a member is required in one kind and missing in the other, the predicate has to be on a required member with an enum, as in the example.\n\nThe content that was a text or a list, and is always a list from now on; records that are written later are left as lists: `{ \"where\": { \"type\": \"/content\", \"is\": \"string\" }, \"after\": { \"or\": [] }, \"do\": [ { \"wrap\": \"/content\", \"in\": \"list\", \"back\": \"\" } ] }`.",
    mistake: Mistake {
        what: "Steps that change what the predicate looks at, without `after`.",
        schema: r#"{ "type": "object", "required": ["role"], "properties": { "role": { "enum": ["user", "tool"] } } }"#,
        step: r#"{ "where": { "equals": "/role", "value": "tool" }, "do": [ { "rename": "/role", "to": "/kind" } ] }"#,
    },
};

#[derive(Debug)]
struct Where {
    before: Predicate,
    after: Option<Predicate>,
    steps: Steps,
}

fn read(fields: &mut Fields<'_>) -> Result<Box<dyn Step>> {
    let before = predicate::read(&fields.required("where")?)?;
    let after = fields.optional("after").map(|value| predicate::read(&value)).transpose()?;
    let steps = Steps::read(&fields.required("do")?)?;
    Ok(Box::new(Where { before, after, steps }))
}

impl Step for Where {
    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        predicate::check_places(&self.before, lowering.schema)?;
        let older = Side {
            predicate: self.before.clone(),
            body: lowering.schema.narrow(&self.before, true),
            otherwise: lowering.schema.narrow(&self.before, false),
        };
        let mut newer = older.clone();
        let body = lowering.inside(&self.steps, &mut newer.body)?;
        if let Some(after) = &self.after {
            newer.predicate = after.clone();
        }
        let (body, otherwise) = match tells_apart(&newer) {
            true => (body, Body::default()),
            false => {
                self.expect_after(&body)?;
                level(body, &older, &mut newer, lowering)?
            }
        };
        let after = newer.body.join(&newer.otherwise);
        predicate::check_places(&newer.predicate, &after)?;
        if !tells_apart(&newer) {
            let message = "expected to be able to tell, from a record of the later version, whether the steps ran on it, found that the schemas with and without them do not say so; test a required member that has an enum (\"add\" makes a member required), or make both alike by further steps";
            return Err(Error::new(ErrorKind::Chain, message));
        }
        lowering.push(Op::When(Box::new(When { before: older, after: newer, body, otherwise })));
        *lowering.schema = after;
        Ok(())
    }

    fn examples(&self) -> Vec<CustomExample<'_>> {
        self.steps.examples().collect()
    }

    fn words(&self) -> String {
        let inner: Vec<_> = self.steps.words().collect();
        format!("where {}: {}", predicate::words(&self.before), inner.join("; "))
    }
}

impl Where {
    /// The predicate that decides on the way up does on the way down as well, where it says the same of what the steps have
    /// made of a record, or they leave alone what it looks at.
    fn expect_after(&self, body: &Body) -> Result<()> {
        let changed = self.before.places().into_iter().find(|path| body.touches(path));
        match changed.filter(|_| self.after.is_none()) {
            None => Ok(()),
            Some(path) => {
                let message = "expected \"after\", a predicate on the later version, because the steps change what this one looks at; found none";
                Err(Error::new(ErrorKind::Chain, message).under_path(path))
            }
        }
    }
}

/// Whether every record of the later version can go back through the branch that the predicate names.
fn tells_apart(newer: &Side) -> bool {
    let after = newer.body.join(&newer.otherwise);
    newer.body.includes(&after.narrow(&newer.predicate, true))
        && newer.otherwise.includes(&after.narrow(&newer.predicate, false))
}

/// Makes both branches declare the same members: what only one of them declares is cleared by the other, so that it is
/// absent there, or unknown and kept as residue.
fn level(body: Body, older: &Side, newer: &mut Side, lowering: &Lowering<'_>) -> Result<(Body, Body)> {
    let clear = |at: &Path, schema: Schema, branch: &mut Schema| {
        let mut cleared = branch.clone();
        cleared.declare(at, schema.clone(), false);
        let enclosing = std::mem::replace(branch, cleared);
        let unknown = super::lower::unknown_in(&enclosing, at)?;
        let edit = Edit::new(at, Function::Withdraw(schema), Function::Withdraw(unknown));
        Ok(lowering.node(Op::Edit(Box::new(edit))))
    };
    let (with, without) = (newer.body.clone(), older.otherwise.clone());
    let only_with = with.declared_beyond(&without).into_iter();
    let otherwise = only_with.map(|(at, schema)| clear(&at, schema, &mut newer.otherwise)).collect::<Result<_>>()?;
    let only_without = without.declared_beyond(&with).into_iter();
    let cleared = only_without.map(|(at, schema)| clear(&at, schema, &mut newer.body)).collect::<Result<_>>()?;
    Ok((body.and_then(cleared), Body::new(otherwise)))
}
