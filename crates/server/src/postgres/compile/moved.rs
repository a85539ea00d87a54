use exuvia_core::document::Path;
use exuvia_core::lens::Move;

use super::body::Kept;
use super::routine::Routine;
use super::site::Site;
use super::{Reason, Result, sides};

/// A value changes its place; see [`Move`]. The steps are those of the interpreter, in its order: what leaves an object
/// empty may take the object away, into which the value then goes.
pub(super) fn write(op: &Move, kept: &Kept, site: &Site, routine: &mut Routine) -> Result<()> {
    let (source, target) = sides(site.way, &op.from, &op.to);
    if source.tokens().len() == 0 || target.tokens().len() == 0 {
        return Err(Reason::new("a move of a whole record"));
    }
    let [value, displaced] = [routine.json(), routine.json()];
    let made = routine.count();
    let (here, there) = sides(site.way, "from", "to");
    let (made_here, made_there) = sides(site.way, "made_from", "made_to");
    let focus = &site.focus;
    let recalled = kept.entry.as_ref().map(|entry| recall(entry, here, made_here, routine));

    routine.line(format_args!("{made} := 0;"));
    routine.line(format_args!("{value} := {};", focus.get(source)?));
    routine.open_if(format_args!("{value} IS NOT NULL"));
    focus.remove(source, routine)?;
    if let Some(Recalled { pruned, .. }) = &recalled {
        prune(source, pruned, site, routine)?;
        routine.or_else();
        routine.line(format_args!("{pruned} := 0;"));
    }
    routine.end_if();

    if let Some(Recalled { hidden, pruned }) = &recalled {
        routine.open_if(format_args!("{hidden} IS NOT NULL"));
        routine.open_if(format_args!("{}", focus.encloses(source)?));
        focus.set(source, hidden, routine)?;
        routine.line(format_args!("{pruned} := 0;"));
        routine.or_else();
        routine.line(format_args!("{hidden} := NULL;"));
        routine.end_if();
        routine.end_if();
    }

    routine.line(format_args!("{displaced} := {};", focus.get(target)?));
    routine.open_if(format_args!("{value} IS NOT NULL"));
    focus.put(target, &value, &made, routine)?;
    if target.tokens().len() > source.tokens().len() {
        routine.deepened_by(&value);
    }
    routine.else_if(format_args!("{displaced} IS NOT NULL"));
    focus.remove(target, routine)?;
    routine.end_if();

    let (hidden, pruned) = match &recalled {
        Some(Recalled { hidden, pruned }) => (&**hidden, &**pruned),
        None => ("NULL", "0"),
    };
    let nothing = format!("{displaced} IS NULL AND {made} = 0 AND {pruned} = 0 AND {hidden} IS NULL");
    routine.open_if(format_args!("NOT ({nothing})"));
    let moved = format!(
        "exuvia.moved('{here}', {hidden}, '{made_here}', {pruned}) || exuvia.moved('{there}', {displaced}, '{made_there}', {made})"
    );
    kept.keep(&moved, site, routine);
    routine.end_if();
    Ok(())
}

/// The variables with what is remembered of the place that a value leaves.
struct Recalled {
    /// What stood there.
    hidden: String,
    /// How many objects around it were made.
    pruned: String,
}

fn recall(entry: &str, here: &str, made_here: &str, routine: &mut Routine) -> Recalled {
    let (hidden, pruned) = (routine.json(), routine.count());
    routine.line(format_args!("{hidden} := NULL;"));
    routine.line(format_args!("{pruned} := 0;"));
    routine.open_if(format_args!("{entry} IS NOT NULL"));
    routine.leave_when(format_args!("jsonb_typeof({entry}) <> 'object'"));
    routine.open_if(format_args!("NOT {entry} ?| ARRAY['items', 'memo', 'branch', 'order', 'sides']"));
    routine.line(format_args!("{hidden} := {entry}->'{here}';"));
    routine.line(format_args!("{pruned} := exuvia.count_in({entry}->'{made_here}');"));
    routine.leave_when(format_args!("{pruned} IS NULL"));
    routine.end_if();
    routine.end_if();
    Recalled { hidden, pruned }
}

/// Takes away up to `pruned` objects around a place that are left empty, and sets `pruned` to how many went.
fn prune(source: &Path, pruned: &str, site: &Site, routine: &mut Routine) -> Result<()> {
    let parents: Vec<_> = source.ancestors().collect();
    if parents.is_empty() {
        routine.line(format_args!("{pruned} := 0;"));
        return Ok(());
    }
    for (count, parent) in parents.iter().rev().enumerate() {
        routine.open_if(format_args!("{pruned} > {count} AND {} = '{{}}'", site.focus.get(parent)?));
        site.focus.remove(parent, routine)?;
    }
    routine.line(format_args!("{pruned} := {};", parents.len()));
    for count in (0..parents.len()).rev() {
        routine.or_else();
        routine.line(format_args!("{pruned} := {count};"));
        routine.end_if();
    }
    Ok(())
}
