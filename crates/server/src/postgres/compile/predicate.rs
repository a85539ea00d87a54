use exuvia_core::lens::Predicate;

use super::Result;
use super::literal::constants;
use super::place::Focus;
use super::routine::Routine;

/// Whether a predicate holds, as a condition that is never NULL.
pub(super) fn holds(predicate: &Predicate, focus: &Focus, routine: &mut Routine) -> Result<String> {
    Ok(match predicate {
        Predicate::In(_, values) if values.is_empty() => "false".to_owned(),
        Predicate::In(path, values) => format!("coalesce({} IN ({}), false)", focus.get(path)?, constants(values)?),
        Predicate::Exists(path) => format!("{} IS NOT NULL", focus.get(path)?),
        Predicate::Type(path, types) => {
            let found = focus.get(path)?;
            let schema = exuvia_core::schema::Schema::of_types(*types);
            format!("({found} IS NOT NULL AND {})", routine.fits(&schema, &found)?)
        }
        Predicate::And(all) => joined(all, " AND ", "true", focus, routine)?,
        Predicate::Or(any) => joined(any, " OR ", "false", focus, routine)?,
        Predicate::Not(other) => format!("NOT ({})", holds(other, focus, routine)?),
    })
}

fn joined(all: &[Predicate], by: &str, none: &str, focus: &Focus, routine: &mut Routine) -> Result<String> {
    if all.is_empty() {
        return Ok(none.to_owned());
    }
    let conditions: Vec<_> = all.iter().map(|one| holds(one, focus, routine)).collect::<Result<_>>()?;
    Ok(format!("({})", conditions.join(by)))
}
