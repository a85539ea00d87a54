//! Places in a document. A name is only ever looked up in an object: `->` with a text finds nothing in arrays, where `#>`,
//! `jsonb_set` and `-` would take it for an index or an item; what changes a document is therefore guarded.

use std::collections::{BTreeMap, BTreeSet};

use exuvia_core::document::Path;
use exuvia_core::lens::{Body, Op};

use super::Result;
use super::literal::{literal, path as path_literal, texts};
use super::routine::Routine;

/// The variable that holds what paths start from, and a variable for each of its members that steps write to: a change
/// of a `jsonb` writes all of it anew, so the large one is put together once, when all steps are done.
#[derive(Clone, Debug)]
pub(super) struct Focus {
    variable: String,
    /// By name. What the variable itself has under these names is how it was.
    members: BTreeMap<String, String>,
}

impl Focus {
    /// What bodies run on.
    pub(super) fn on<'b>(
        variable: impl Into<String>,
        bodies: impl IntoIterator<Item = &'b Body>,
        routine: &mut Routine,
    ) -> Result<Self> {
        let variable = variable.into();
        let mut written = BTreeSet::new();
        let members = match bodies.into_iter().all(|body| note_written(body, &mut written)) {
            true => {
                // A name that SQL cannot say is for the step to complain of.
                let named = written.into_iter().filter(|name| literal(name).is_ok());
                named.map(|name| (name.to_owned(), routine.json())).collect()
            }
            // What replaces the whole has no members to hold.
            false => BTreeMap::new(),
        };
        for (name, member) in &members {
            routine.line(format_args!("{member} := {variable}->{}::text;", literal(name)?));
        }
        Ok(Self { variable, members })
    }

    /// Puts the variable together.
    pub(super) fn close(&self, routine: &mut Routine) -> Result<()> {
        if !self.members.is_empty() {
            routine.line(format_args!("{} := {};", self.variable, self.whole()?));
        }
        Ok(())
    }

    /// All of it, as it is now.
    pub(super) fn whole(&self) -> Result<String> {
        let Self { variable, members } = self;
        let changed = match members.iter().next() {
            None => return Ok(variable.clone()),
            Some((name, member)) if members.len() == 1 => {
                let name = literal(name)?;
                format!(
                    "WHEN {member} IS NULL THEN {variable} - {name}::text ELSE jsonb_set({variable}, ARRAY[{name}]::text[], {member})"
                )
            }
            Some(_) => {
                let made = members.iter().map(|(name, member)| {
                    let name = literal(name)?;
                    Ok(format!(
                        "CASE WHEN {member} IS NULL THEN '{{}}' ELSE jsonb_build_object({name}::text, {member}) END"
                    ))
                });
                let made = made.collect::<Result<Vec<_>>>()?.join(" || ");
                format!("ELSE ({variable} - {}) || ({made})", texts(members.keys().map(String::as_str))?)
            }
        };
        Ok(format!("CASE WHEN jsonb_typeof({variable}) <> 'object' THEN {variable} {changed} END"))
    }

    /// The value at a path; NULL where there is none.
    pub(super) fn get(&self, path: &Path) -> Result<String> {
        self.get_tokens(path.tokens())
    }

    fn get_tokens<'t>(&self, mut tokens: impl Iterator<Item = &'t str>) -> Result<String> {
        let Some(first) = tokens.next() else { return self.whole() };
        let mut found = match self.members.get(first) {
            Some(member) => member.clone(),
            None => format!("{}->{}::text", self.variable, literal(first)?),
        };
        for token in tokens {
            found.push_str("->");
            found.push_str(&literal(token)?);
            found.push_str("::text");
        }
        Ok(format!("({found})"))
    }

    /// The variable that a place is in, and the rest of the way there.
    fn holder(&self, path: &Path) -> (&str, Path) {
        let mut tokens = path.tokens();
        match tokens.next().and_then(|first| self.members.get(first)) {
            Some(member) => (member, tokens.fold(Path::default(), |rest, token| rest.join(token))),
            None => (&self.variable, path.clone()),
        }
    }

    /// Whether there is an object around a place. Never NULL.
    pub(super) fn encloses(&self, path: &Path) -> Result<String> {
        Ok(is_object(&match path.tokens().len() {
            // Whatever its members are.
            0 | 1 => self.variable.clone(),
            count => self.get_tokens(path.tokens().take(count - 1))?,
        }))
    }

    /// Sets the value at a place that an object is around.
    pub(super) fn set(&self, path: &Path, value: &str, routine: &mut Routine) -> Result<()> {
        let (holder, path) = self.holder(path);
        match path.tokens().len() {
            0 => routine.line(format_args!("{holder} := {value};")),
            _ => routine.line(format_args!("{holder} := jsonb_set({holder}, {}, {value});", path_literal(&path)?)),
        }
        Ok(())
    }

    /// Takes a value out that is there.
    pub(super) fn remove(&self, path: &Path, routine: &mut Routine) -> Result<()> {
        let (holder, path) = self.holder(path);
        match path.split_last() {
            None => routine.line(format_args!("{holder} := NULL;")),
            Some((parent, name)) if parent == Path::default() => {
                routine.line(format_args!("{holder} := {holder} - {}::text;", literal(name)?));
            }
            Some(_) => routine.line(format_args!("{holder} := {holder} #- {};", path_literal(&path)?)),
        }
        Ok(())
    }

    /// Sets the value at a place, making the objects around it that are missing; leaves the record to the interpreter
    /// where something else stands there. `made` is the variable for how many objects were made.
    pub(super) fn put(&self, path: &Path, value: &str, made: &str, routine: &mut Routine) -> Result<()> {
        let tokens: Vec<_> = path.tokens().collect();
        routine.open_if(format_args!("{}", self.encloses(path)?));
        self.set(path, value, routine)?;
        for depth in 1..tokens.len() {
            let (around, inside) = tokens.split_at(depth);
            let mut whole = value.to_owned();
            for name in inside.iter().rev() {
                whole = format!("jsonb_build_object({}::text, {whole})", literal(name)?);
            }
            let around = around.iter().fold(Path::default(), |path, token| path.join(token));
            routine.else_if(format_args!("{} AND {} IS NULL", self.encloses(&around)?, self.get(&around)?));
            self.set(&around, &whole, routine)?;
            routine.line(format_args!("{made} := {};", inside.len()));
        }
        routine.or_else();
        routine.line("RETURN;");
        routine.end_if();
        Ok(())
    }
}

/// Notes the members that a body writes to; false where it writes to the whole.
fn note_written<'b>(body: &'b Body, written: &mut BTreeSet<&'b str>) -> bool {
    body.nodes().all(|(_, node)| {
        let places = match &node.op {
            Op::Move(op) => vec![&op.from, &op.to],
            Op::Edit(op) => vec![&op.at],
            Op::Each(op) => vec![&op.at],
            Op::Rekey(op) => vec![&op.at],
            Op::Item(op) => vec![&op.list],
            Op::Part(op) => std::iter::once(&op.from).chain(&op.to).collect(),
            Op::When(op) => return note_written(&op.body, written) && note_written(&op.otherwise, written),
        };
        places.into_iter().all(|place| place.tokens().next().map(|first| written.insert(first)).is_some())
    })
}

/// Whether a value is an object. Never NULL.
pub(super) fn is_object(value: &str) -> String {
    format!("coalesce(jsonb_typeof({value}) = 'object', false)")
}
