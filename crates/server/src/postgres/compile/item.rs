use exuvia_core::lens::{EditItem, Place};

use super::body::Kept;
use super::edit::Change;
use super::literal::{constant, path};
use super::routine::Routine;
use super::site::Site;
use super::{Result, sides};

/// One item of a list changes, is added or taken out; see [`EditItem`].
pub(super) fn write(op: &EditItem, kept: &Kept, site: &Site, routine: &mut Routine) -> Result<()> {
    kept.expect("memo", routine);
    let [list, found] = [routine.json(), routine.json()];
    let [at, known_at, rule, place] = std::array::from_fn(|_| routine.count());
    let (by, key) = (path(&op.by)?, constant(&op.key)?);
    let (_, there_at) = sides(site.way, "older_at", "newer_at");

    routine.line(format_args!("{list} := {};", site.focus.get(&op.list)?));
    routine.open_if(format_args!("jsonb_typeof({list}) = 'array'"));
    routine.line(format_args!("{found} := exuvia.places({list}, {by}, {key});"));
    routine.open_if(format_args!("jsonb_array_length({found}) < 2"));
    routine.line(format_args!("{at} := ({found}->0)::integer;"));
    routine.line(format_args!("{known_at} := NULL;"));
    if let Some(entry) = &kept.entry {
        routine.open_if(format_args!("{entry}->'{there_at}' IS NOT NULL"));
        routine.line(format_args!("{known_at} := exuvia.count_in({entry}->'{there_at}');"));
        routine.leave_when(format_args!("{known_at} IS NULL"));
        routine.end_if();
    }

    let change = Change::new(&op.forward, &op.backward, None, routine);
    routine.line(format_args!("{} := {list}->{at};", change.current));
    let is_worth_keeping = change.write(kept.entry.as_deref(), site, routine)?;
    let Change { next, .. } = &change;
    let set_rule = format!("{rule} := {};", rule_of(&op.place, &list, &by)?);
    routine.line(format_args!("{place} := NULL;"));
    routine.open_if(format_args!("{at} IS NOT NULL AND {next} IS NOT NULL"));
    routine.line(format_args!("{list} := jsonb_set({list}, ARRAY[{at}::text], {next});"));
    routine.else_if(format_args!("{at} IS NOT NULL"));
    routine.line(format_args!("{list} := {list} - {at};"));
    routine.line(&set_rule);
    routine.line(format_args!("{place} := nullif({at}, {rule});"));
    routine.else_if(format_args!("{next} IS NOT NULL"));
    routine.line(&set_rule);
    routine.line(format_args!("{place} := least(coalesce({known_at}, {rule}), jsonb_array_length({list}));"));
    routine.line(format_args!("{list} := jsonb_insert({list}, ARRAY[{place}::text], {next});"));
    routine.line(format_args!("{place} := nullif({place}, {rule});"));
    routine.end_if();
    site.focus.set(&op.list, &list, routine)?;

    routine.open_if(format_args!("({is_worth_keeping}) OR {place} IS NOT NULL"));
    let here_at = format!("CASE WHEN {at} IS NOT NULL THEN {place} END");
    let there_at = format!("CASE WHEN {at} IS NULL THEN {place} END");
    kept.keep(&change.memo(&here_at, &there_at, site), site, routine);
    routine.end_if();
    routine.end_if();
    routine.end_if();
    Ok(())
}

/// Where an item goes by the rule, in a list without it.
fn rule_of(place: &Place, list: &str, by: &str) -> Result<String> {
    Ok(match place {
        Place::First => "0".to_owned(),
        Place::Last => format!("jsonb_array_length({list})"),
        Place::After(key) => {
            let key = constant(key)?;
            format!("coalesce((exuvia.places({list}, {by}, {key})->0)::integer + 1, jsonb_array_length({list}))")
        }
    })
}
