use exuvia_core::lens::{Names, Part, Way};

use super::Result;
use super::body::Kept;
use super::literal::{literal, texts};
use super::place::is_object;
use super::routine::Routine;
use super::site::Site;

/// Some members of an object go into another one, or nowhere but into the residue; see [`Part`].
pub(super) fn write(op: &Part, kept: &Kept, site: &Site, routine: &mut Routine) -> Result<()> {
    kept.expect("sides", routine);
    let [source, older, newer, entering] = std::array::from_fn(|_| routine.json());
    let focus = &site.focus;

    routine.line(format_args!("{older} := '{{}}';"));
    routine.line(format_args!("{newer} := '{{}}';"));
    if let Some(entry) = &kept.entry {
        routine.open_if(format_args!("{entry} IS NOT NULL"));
        routine.leave_when(format_args!("NOT exuvia.are_sides({entry}->'sides')"));
        routine.line(format_args!("{older} := {};", taken(&op.names, &format!("({entry}->'sides'->0)"))?));
        routine.line(format_args!("{newer} := {};", taken(&op.names, &format!("({entry}->'sides'->1)"))?));
        routine.end_if();
    }

    routine.line(format_args!("{source} := {};", focus.get(&op.from)?));
    routine.open_if(format_args!("jsonb_typeof({source}) = 'object'"));
    // `entering` are first the members that leave, and then those that come in their place.
    routine.line(format_args!("{entering} := {};", taken(&op.names, &source)?));
    focus.set(&op.from, &format!("exuvia.without({source}, {entering})"), routine)?;
    match site.way {
        Way::Up => {
            routine.line(format_args!("{older} := {entering};"));
            exchange(op, &older, site, routine)?;
            routine.line(format_args!("{entering} := {newer};"));
        }
        Way::Down => {
            routine.line(format_args!("{newer} := {entering};"));
            routine.line(format_args!("{entering} := {older};"));
            exchange(op, &entering, site, routine)?;
        }
    }
    routine.line(format_args!("{source} := {};", focus.get(&op.from)?));
    routine.open_if(format_args!("{entering} <> '{{}}' AND {}", is_object(&source)));
    focus.set(&op.from, &format!("{source} || {entering}"), routine)?;
    routine.end_if();
    routine.open_if(format_args!("{older} <> '{{}}' OR {newer} <> '{{}}'"));
    kept.keep(&format!("jsonb_build_object('sides', jsonb_build_array({older}, {newer}))"), site, routine);
    routine.end_if();
    routine.end_if();
    Ok(())
}

/// Puts the members that a variable holds into the other object, and sets it to those that stood there. Without another
/// object the residue is the place that they go to.
fn exchange(op: &Part, members: &str, site: &Site, routine: &mut Routine) -> Result<()> {
    let Some(to) = &op.to else { return Ok(()) };
    if to.tokens().len() != op.from.tokens().len() {
        routine.deepened();
    }
    routine.scoped(|routine| {
        let [target, there] = [routine.json(), routine.json()];
        routine.line(format_args!("{target} := {};", site.focus.get(to)?));
        routine.leave_when(format_args!("NOT {}", is_object(&target)));
        routine.line(format_args!("{there} := {};", taken(&op.names, &target)?));
        site.focus.set(to, &format!("exuvia.without({target}, {there}) || {members}"), routine)?;
        routine.line(format_args!("{members} := {there};"));
        Ok(())
    })
}

/// The members of an object that go.
fn taken(names: &Names, object: &str) -> Result<String> {
    Ok(match names {
        Names::Prefix(prefix) => format!("exuvia.starting({object}, {})", literal(prefix)?),
        Names::AllBut(names) => format!("({object} - {})", texts(names.iter().map(String::as_str))?),
    })
}
