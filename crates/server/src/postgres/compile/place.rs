//! Places in a document. A name is only ever looked up in an object: `->` with a text finds nothing in arrays, where `#>`,
//! `jsonb_set` and `-` would take it for an index or an item; what changes a document is therefore guarded.

use exuvia_core::document::Path;

use super::Result;
use super::literal::{literal, path as path_literal};
use super::routine::Routine;

/// The variable that holds what paths start from.
#[derive(Clone, Debug)]
pub(super) struct Focus(String);

impl Focus {
    pub(super) fn new(variable: impl Into<String>) -> Self {
        Self(variable.into())
    }

    /// The variable itself.
    pub(super) fn name(&self) -> &str {
        &self.0
    }

    /// The value at a path; NULL where there is none.
    pub(super) fn get(&self, path: &Path) -> Result<String> {
        self.get_tokens(path.tokens())
    }

    fn get_tokens<'t>(&self, tokens: impl Iterator<Item = &'t str>) -> Result<String> {
        let mut found = self.0.clone();
        for token in tokens {
            found.push_str("->");
            found.push_str(&literal(token)?);
            found.push_str("::text");
        }
        match found == self.0 {
            true => Ok(found),
            false => Ok(format!("({found})")),
        }
    }

    /// Whether there is an object around a place. Never NULL.
    pub(super) fn encloses(&self, path: &Path) -> Result<String> {
        let parents = path.tokens().len().saturating_sub(1);
        Ok(is_object(&self.get_tokens(path.tokens().take(parents))?))
    }

    /// Sets the value at a place that an object is around.
    pub(super) fn set(&self, path: &Path, value: &str, routine: &mut Routine) -> Result<()> {
        let focus = &self.0;
        match path.tokens().len() {
            0 => routine.line(format_args!("{focus} := {value};")),
            _ => routine.line(format_args!("{focus} := jsonb_set({focus}, {}, {value});", path_literal(path)?)),
        }
        Ok(())
    }

    /// Takes a value out that is there.
    pub(super) fn remove(&self, path: &Path, routine: &mut Routine) -> Result<()> {
        let focus = &self.0;
        match path.split_last() {
            Some((parent, name)) if parent == Path::default() => {
                routine.line(format_args!("{focus} := {focus} - {}::text;", literal(name)?));
            }
            _ => routine.line(format_args!("{focus} := {focus} #- {};", path_literal(path)?)),
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
            let outer = self.get_tokens(around[..depth - 1].iter().copied())?;
            let place = self.get_tokens(around.iter().copied())?;
            routine.else_if(format_args!("{} AND {place} IS NULL", is_object(&outer)));
            let around = around.iter().fold(Path::default(), |path, token| path.join(token));
            self.set(&around, &whole, routine)?;
            routine.line(format_args!("{made} := {};", inside.len()));
        }
        routine.or_else();
        routine.line("RETURN;");
        routine.end_if();
        Ok(())
    }
}

/// Whether a value is an object. Never NULL.
pub(super) fn is_object(value: &str) -> String {
    format!("coalesce(jsonb_typeof({value}) = 'object', false)")
}
