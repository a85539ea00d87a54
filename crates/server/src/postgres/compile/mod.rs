//! The step language compiled for PostgreSQL: one PL/pgSQL function for all that happens to the records of a collection
//! on a route, so that a single `UPDATE` moves them inside the server.
//!
//! ```sql
//! exuvia.<name>(INOUT doc jsonb, INOUT residue jsonb, key text, now bigint, OUT done boolean)
//! ```
//!
//! `residue` is what [`exuvia_core::chain::Residues`] writes, or NULL where there is nothing to remember. Where `done` is
//! true, document and residue are what the interpreter makes of them, to the equality of documents. Where it is false
//! both are NULL and nothing is said about the record: a step cannot take it, or the residue is in a form that only the
//! interpreter reads. Such records are left as they are, and go through the interpreter, which also says what is wrong.
//! The functions raise no errors of their own, write nothing, and know no clock.
//!
//! Documents must be `jsonb` in a database whose encoding is UTF8, or lengths would count bytes.

mod body;
mod each;
mod edit;
mod function;
mod item;
mod library;
mod literal;
mod moved;
mod part;
mod place;
mod predicate;
mod rekey;
mod routine;
mod schema;
mod site;
mod when;

use std::fmt;

use exuvia_core::chain::Leg;
use exuvia_core::document::{Digest, Value};
use exuvia_core::lens::Way;
use exuvia_core::schema::Schema;

pub use library::LIBRARY;
use literal::literal;
use place::Focus;
use routine::Routine;
use site::Site;

/// Functions for the server to keep, and which of them moves records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The function to call, with its schema: `exuvia.move_…`. It follows from what the function does.
    pub name: String,
    /// What makes it, and those that it calls besides the [`LIBRARY`]: statements that may run again and again.
    pub statements: Vec<String>,
}

/// Why PostgreSQL cannot take the steps of a collection by itself, so that they go through the interpreter in batches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// The migration's id.
    pub migration: String,
    /// The step's place and verb, as errors name it.
    pub step: String,
    /// What there is no SQL for.
    pub reason: &'static str,
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { migration, step, reason } = self;
        write!(f, "migration {migration}, step {step}: {reason}")
    }
}

/// What there is no SQL for, and in which step, where that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Reason {
    step: String,
    what: &'static str,
}

impl Reason {
    const fn new(what: &'static str) -> Self {
        Self { step: String::new(), what }
    }

    /// Names the step, unless a place further in did.
    fn in_step(self, place: &str) -> Self {
        let step = if self.step.is_empty() { place.to_owned() } else { self.step };
        Self { step, ..self }
    }

    fn in_migration(self, id: &str) -> Unsupported {
        Unsupported { migration: id.to_owned(), step: self.step, reason: self.what }
    }
}

type Result<T, E = Reason> = std::result::Result<T, E>;

/// Compiles what happens to the records of one collection on a route, of one migration or of many. Where a schema is given,
/// records that do not fit it at the end are left to the interpreter, which says whether they may pass.
///
/// # Errors
/// [`Unsupported`] at the first step that PostgreSQL cannot take.
pub fn compile(legs: &[Leg<'_>], end: Option<&Schema>) -> Result<Program, Unsupported> {
    let mut routine = Routine::default();
    let unnamed = |reason: Reason| reason.in_migration(legs.last().map_or("", |leg| leg.migration));
    let focus = Focus::on("f0", legs.iter().map(|leg| leg.body), &mut routine).map_err(unnamed)?;
    // Most records have nothing to remember, and most of a function would look for it.
    routine.open_if("m0 IS NULL");
    routine.scoped(|routine| legs.iter().try_for_each(|leg| write_leg(leg, None, &focus, routine)))?;
    routine.or_else();
    routine.scoped(|routine| legs.iter().try_for_each(|leg| write_leg(leg, Some("s0"), &focus, routine)))?;
    routine.end_if();
    focus.close(&mut routine).map_err(unnamed)?;
    if let Some(schema) = end {
        let fits = routine.fits(schema, "f0").map_err(unnamed)?;
        routine.leave_when(format_args!("NOT coalesce({fits}, false)"));
    }
    let body = format!("{}BEGIN\n{OPENING}{}{}END\n", routine.declarations(), routine.text(), closing(&routine));
    // Nothing in it holds what no literal can.
    let body = literal(&body).map_err(|reason| reason.in_migration(""))?;
    let name = named("move", &body);
    let moves = format!(
        "CREATE OR REPLACE FUNCTION {name}(INOUT doc jsonb, INOUT residue jsonb, key text, now bigint, OUT done boolean)\n\
         LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS {body}"
    );
    let statements = routine.into_functions().into_values().chain([moves]).collect();
    Ok(Program { name, statements })
}

/// A name that follows from what the function does, so that what is there already is made again as it was.
fn named(verb: &str, text: &str) -> String {
    // A text is always Unicode, of which there is always a digest.
    let digest = Digest::of(&Value::from(text)).map_or_else(|_| String::new(), Digest::to_hex);
    format!("exuvia.{verb}_{digest}")
}

/// What a function starts with. A large document is read in once, and not by each statement. Until the last statement its answer is that nothing was done.
const OPENING: &str = "  f0 := doc #> '{}';
  m0 := residue;
  doc := NULL;
  residue := NULL;
  done := false;
  IF m0 IS NOT NULL THEN
    IF jsonb_typeof(m0) <> 'object' OR m0 ? 'packed' THEN
      RETURN;
    END IF;
    s0 := m0->'steps';
    IF s0 IS NOT NULL AND jsonb_typeof(s0) <> 'object' THEN
      RETURN;
    END IF;
  END IF;
  IF f0 IS NULL THEN
    RETURN;
  END IF;
";

/// Residues that nest deeper than a browser stores are packed, and documents that do are refused: both by the interpreter.
fn closing(routine: &Routine) -> String {
    let deepened =
        if routine.deepens() { "  IF deepened AND exuvia.is_deep(f0) THEN\n    RETURN;\n  END IF;\n" } else { "" };
    format!(
        "{deepened}  IF s0 IS NOT NULL THEN
    m0 := CASE WHEN s0 = '{{}}' THEN m0 - 'steps'::text ELSE coalesce(m0, '{{}}') || jsonb_build_object('steps', s0) END;
    IF exuvia.is_deep(m0) THEN
      RETURN;
    END IF;
  END IF;
  doc := f0;
  residue := nullif(m0, '{{}}');
  done := true;
"
    )
}

/// Writes what a migration does. `steps` holds the residues of all migrations, if there are any.
fn write_leg(leg: &Leg<'_>, steps: Option<&str>, focus: &Focus, routine: &mut Routine) -> Result<(), Unsupported> {
    let unsupported = |reason: Reason| reason.in_migration(leg.migration);
    let id = literal(leg.migration).map_err(unsupported)?;
    routine.scoped(|routine| {
        let kept = routine.json();
        let memory = steps.map(|steps| {
            let memory = routine.json();
            routine.line(format_args!("{memory} := {steps}->{id}::text;"));
            memory
        });
        let site = Site { focus: focus.clone(), way: leg.way, memory, kept, scope: "key".to_owned() };
        body::write(leg.body, &site, routine).map_err(unsupported)?;
        let Site { memory, kept, .. } = site;
        routine.open_if(format_args!("{kept} IS NOT NULL"));
        routine.line(format_args!("s0 := coalesce(s0, '{{}}') || jsonb_build_object({id}::text, {kept});"));
        if let Some(memory) = memory {
            routine.else_if(format_args!("{memory} IS NOT NULL"));
            routine.line(format_args!("s0 := s0 - {id}::text;"));
        }
        routine.end_if();
        Ok(())
    })
}

/// A pair as seen from the side that a way starts from: (where it starts, where it ends).
fn sides<T>(way: Way, older: T, newer: T) -> (T, T) {
    match way {
        Way::Up => (older, newer),
        Way::Down => (newer, older),
    }
}
