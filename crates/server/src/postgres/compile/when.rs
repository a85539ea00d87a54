use exuvia_core::lens::{Side, When};

use super::body::{self, Kept};
use super::predicate::holds;
use super::routine::Routine;
use super::site::Site;
use super::{Result, sides};

/// A body runs where a predicate holds, another where it does not; see [`When`].
pub(super) fn write(op: &When, kept: &Kept, site: &Site, routine: &mut Routine) -> Result<()> {
    kept.expect("branch", routine);
    let inner = routine.json();
    let [here_holds, taken, known] = [routine.truth(), routine.truth(), routine.truth()];
    let (here, there) = sides(site.way, &op.before, &op.after);

    let predicate = holds(&here.predicate, &site.focus, routine)?;
    routine.line(format_args!("{here_holds} := {predicate};"));
    routine.line(format_args!("{taken} := {here_holds};"));
    let memory = match &kept.entry {
        Some(entry) => Some(recall(entry, here, [&taken, &known], site, routine)?),
        None => None,
    };
    let site_inside = Site { memory, kept: inner.clone(), ..site.clone() };
    routine.open_if(format_args!("{taken}"));
    routine.scoped(|routine| body::write(&op.body, &site_inside, routine))?;
    routine.or_else();
    routine.scoped(|routine| body::write(&op.otherwise, &site_inside, routine))?;
    routine.end_if();

    let predicate = holds(&there.predicate, &site.focus, routine)?;
    // The variables are free by now.
    routine.line(format_args!("{here_holds} := {here_holds} = {taken};"));
    routine.line(format_args!("{known} := ({predicate}) = {taken};"));
    let (older, newer) = sides(site.way, &here_holds, &known);
    routine.open_if(format_args!("{inner} IS NOT NULL OR NOT {older} OR NOT {newer}"));
    kept.keep(&format!("exuvia.branch({taken}, {older}, {newer}, {inner})"), site, routine);
    routine.end_if();
    Ok(())
}

/// Takes the branch that is remembered, where it could have been taken: sets `taken`, and answers with the variable that
/// holds what is remembered of the body.
fn recall(entry: &str, here: &Side, [taken, known]: [&str; 2], site: &Site, routine: &mut Routine) -> Result<String> {
    let memory = routine.json();
    routine.line(format_args!("{memory} := NULL;"));
    routine.open_if(format_args!("{entry} IS NOT NULL"));
    routine.leave_when(format_args!("NOT exuvia.is_branch({entry}->'branch')"));
    routine.line(format_args!("{known} := ({entry}->'branch'->0)::boolean;"));
    let agrees = sides(site.way, 1, 2).0;
    let takes = takes(here, known, site, routine)?;
    routine.when(
        format_args!("{known} <> {taken} AND NOT ({entry}->'branch'->{agrees})::boolean AND {takes}"),
        format_args!("{taken} := {known};"),
    );
    routine.when(format_args!("{taken} = {known}"), format_args!("{memory} := {entry}->'inner';"));
    routine.end_if();
    Ok(memory)
}

/// Whether the branch that a variable names could take the record.
fn takes(side: &Side, taken: &str, site: &Site, routine: &mut Routine) -> Result<String> {
    let whole = site.focus.whole()?;
    let (body, otherwise) = (routine.fits(&side.body, &whole)?, routine.fits(&side.otherwise, &whole)?);
    Ok(format!("CASE WHEN {taken} THEN {body} ELSE {otherwise} END"))
}
