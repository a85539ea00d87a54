use exuvia_core::lens::{Rekey, Spare};

use super::Result;
use super::body::Kept;
use super::literal::literal;
use super::routine::Routine;
use super::site::Site;

/// A list of objects becomes an object of objects, or the other way; see [`Rekey`].
pub(super) fn write(op: &Rekey, kept: &Kept, site: &Site, routine: &mut Routine) -> Result<()> {
    kept.expect("order", routine);
    let [value, changed] = [routine.json(), routine.json()];
    let entry = kept.entry.as_deref().unwrap_or("NULL::jsonb");
    let by = literal(&op.by)?;
    let spare = match op.spare {
        Spare::Refuse => "refuse",
        Spare::First => "first",
        Spare::Last => "last",
    };
    let (kind, call) = match site.way == op.list {
        true => ("object", format!("exuvia.list_members({value}, {by}, '{spare}', {entry})")),
        false => ("array", format!("exuvia.name_items({value}, {by}, '{spare}', {entry})")),
    };
    routine.line(format_args!("{value} := {};", site.focus.get(&op.at)?));
    routine.open_if(format_args!("{value} <> 'null'"));
    routine.leave_when(format_args!("jsonb_typeof({value}) <> '{kind}'"));
    routine.line(format_args!("{changed} := {call};"));
    routine.leave_when(format_args!("{changed} IS NULL"));
    site.focus.set(&op.at, &format!("({changed}->0)"), routine)?;
    routine.open_if(format_args!("{changed}->1 IS NOT NULL"));
    kept.keep(&format!("{changed}->1"), site, routine);
    routine.end_if();
    routine.end_if();
    Ok(())
}
