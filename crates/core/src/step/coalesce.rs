use super::manual::{Chapter, Example, Form, Manual, Member, Mistake};
use super::{Fields, Lowering, Step, StepKind};
use crate::document::{Path, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::lens::{Body, Edit, Function, Move, Node, Op, Predicate, Side, Supply, When};
use crate::schema::{Schema, Type};

pub(super) const KIND: StepKind = StepKind { verb: "coalesce", read };

pub(super) static MANUAL: Manual = Manual {
    chapter: Chapter::Fields,
    summary: "Several members of one object become one: the first that is there and not `null`. The others are kept as residue.",
    members: &[
        Member::required("coalesce", Form::Fields, "The members, the best first. At least two."),
        Member::required("to", Form::Field, "The one that they become: one of them, or a new one, in the same object."),
    ],
    example: Example {
        schema: r#"{ "type": "object", "properties": { "title": { "type": ["string", "null"] }, "name": { "type": "string" } } }"#,
        step: r#"{ "coalesce": ["/title", "/name"], "to": "/title" }"#,
        before: r#"{ "title": null, "name": "On moths" }"#,
        after: r#"{ "title": "On moths" }"#,
    },
    notes: "On the way down an edited value goes back to the member that it came from; one that was written later, to the member that is named in `to`, or else to the first.",
    mistake: Mistake {
        what: "Members of different types: a later value could not go back. `convert` one of them first.",
        schema: r#"{ "type": "object", "properties": { "title": { "type": "string" }, "name": { "type": "number" } } }"#,
        step: r#"{ "coalesce": ["/title", "/name"], "to": "/title" }"#,
    },
};

#[derive(Debug)]
struct Coalesce {
    sources: Vec<Path>,
    to: Path,
}

fn read(fields: &mut Fields<'_>) -> Result<Box<dyn Step>> {
    let (sources, to) = (fields.member_paths("coalesce")?, fields.member_path("to")?);
    let parent = |path: &Path| path.split_last().map(|(parent, _)| parent);
    let fail = |message: &str, path: &Path| Err(Error::new(ErrorKind::Chain, message).under_path(path));
    for (index, source) in sources.iter().enumerate() {
        if parent(source) != parent(&to) {
            return fail("expected members of one object, found one in another; \"move\" it first", source);
        }
        if sources[..index].contains(source) {
            return fail("expected members that differ, found one twice", source);
        }
    }
    if sources.len() < 2 {
        return fail("expected at least two members to choose from, found one; use \"rename\"", &to);
    }
    Ok(Box::new(Coalesce { sources, to }))
}

impl Step for Coalesce {
    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let schemas = self.sources.iter().map(|source| lowering.schema.require(source)).collect::<Result<Vec<_>>>()?;
        lowering.expect_objects_around(&self.to)?;
        let home = self.home();
        if !self.sources.contains(&self.to) {
            lowering.schema.refuse(&self.to)?;
        }
        let after = &schemas[home];
        for (source, schema) in self.sources.iter().zip(&schemas) {
            if !after.includes(&without_null(schema)) {
                let message = "expected members of one type, found one whose values the others could not take; \"convert\" or \"map\" it first";
                return Err(Error::new(ErrorKind::Chain, message).under_path(source));
            }
        }
        let required = lowering.schema.requires(&self.sources[home]);
        let backward = self.ways_back(&schemas, lowering)?;
        self.sources.iter().for_each(|source| lowering.schema.undeclare(source));
        let unknown = lowering.unknown_at(&self.to)?;
        let choice = Choice { coalesce: self, home, schemas: &schemas, backward: &backward, unknown };
        let choice = choice.from(0, lowering);
        lowering.push(choice);
        lowering.schema.declare(&self.to, after.clone(), required);
        Ok(())
    }

    fn words(&self) -> String {
        let sources: Vec<_> = self.sources.iter().map(Path::to_string).collect();
        format!("{} is the first of {} that is there and not null", self.to, sources.join(", "))
    }
}

impl Coalesce {
    /// The member that a value goes back to which came from none.
    fn home(&self) -> usize {
        self.sources.iter().position(|source| *source == self.to).unwrap_or_default()
    }

    /// For each member, what it is on the way down where another one takes the value, and nothing is remembered of it.
    fn ways_back(&self, schemas: &[Schema], lowering: &Lowering<'_>) -> Result<Vec<Function>> {
        let mut backward = Vec::new();
        for (index, (source, schema)) in self.sources.iter().zip(schemas).enumerate() {
            let is_required = lowering.schema.requires(source);
            backward.push(if is_required && schema.accepts(&Value::Null) {
                Function::Default { value: Supply::Literal(Value::Null), fits: schema.clone() }
            } else if is_required && index != self.home() {
                let message = "expected members that may be absent or null, but for the one that stays, found one that is always there; put it first and name it in \"to\"";
                return Err(Error::new(ErrorKind::Chain, message).under_path(source));
            } else {
                // The home member, if it is always there, has the value itself: it is the target, or the first.
                Function::Admit(schema.clone())
            });
        }
        Ok(backward)
    }
}

/// Which member the value comes from, and goes back to.
struct Choice<'c> {
    coalesce: &'c Coalesce,
    home: usize,
    schemas: &'c [Schema],
    backward: &'c [Function],
    /// What the newer schema says of members that it does not declare.
    unknown: Schema,
}

impl Choice<'_> {
    /// From the member with this index on: where it has a value, that moves; else the next ones are asked. In the end
    /// the home member moves, even if it is `null`.
    fn from(&self, index: usize, lowering: &Lowering<'_>) -> Op {
        let has_value = |path: &Path| {
            let null = Predicate::Type(path.clone(), Type::Null.into());
            Predicate::And(vec![Predicate::Exists(path.clone()), Predicate::Not(Box::new(null))])
        };
        let holds = |path: &Path, schema: &Schema| {
            let mut focus = Schema::of_types(Type::Object.into());
            enclose(&mut focus, path);
            focus.declare(path, schema.clone(), true);
            focus
        };
        let Coalesce { sources, to } = self.coalesce;
        let source = &sources[index];
        let otherwise = match index + 1 == sources.len() {
            true => self.moved(self.home, lowering),
            false => vec![lowering.node(self.from(index + 1, lowering))],
        };
        Op::When(Box::new(When {
            before: Side { predicate: has_value(source), body: Schema::any(), otherwise: Schema::any() },
            after: Side {
                predicate: if index == self.home { has_value(to) } else { Predicate::Or(Vec::new()) },
                body: holds(to, &without_null(&self.schemas[index])),
                otherwise: Schema::any(),
            },
            body: Body::new(self.moved(index, lowering)),
            otherwise: Body::new(otherwise),
        }))
    }

    /// The value of one member moves, and the others go. What they were is remembered with the branch: on the way down it
    /// holds only as long as the value goes back to the same one.
    fn moved(&self, index: usize, lowering: &Lowering<'_>) -> Vec<Node> {
        let Coalesce { sources, to } = self.coalesce;
        let mut nodes = Vec::new();
        if sources[index] != *to {
            nodes.push(lowering.node(Op::Move(Move { from: sources[index].clone(), to: to.clone() })));
        }
        for (other, source) in sources.iter().enumerate().filter(|(other, source)| *other != index && *source != to) {
            let forward = Function::Withdraw(self.unknown.clone());
            let edit = Edit::new(source, forward, self.backward[other].clone());
            nodes.push(lowering.node(Op::Edit(Box::new(edit))));
        }
        nodes
    }
}

/// Declares the objects around a place.
fn enclose(focus: &mut Schema, path: &Path) {
    for enclosing in path.ancestors() {
        focus.declare(&enclosing, Schema::of_types(Type::Object.into()), false);
    }
}

fn without_null(schema: &Schema) -> Schema {
    let others = schema.types().iter().filter(|ty| *ty != Type::Null);
    schema.meet(&Schema::of_types(others.fold(crate::schema::Types::NONE, crate::schema::Types::or)))
}
