use exuvia_core::lens::{Align, Each};

use super::body::{self, Kept};
use super::literal::{literal, path};
use super::place::Focus;
use super::routine::Routine;
use super::site::Site;
use super::{Result, sides};

/// A body runs on each item of an array, or on each value of an object; see [`Each`].
///
/// What items are known by is a digest that SQL cannot compute. It writes the key itself, which the interpreter reads as
/// well, and leaves it to the interpreter where there is no key, or where that has written a digest.
pub(super) fn write(op: &Each, kept: &Kept, site: &Site, routine: &mut Routine) -> Result<()> {
    kept.expect("items", routine);
    let value = routine.json();
    routine.line(format_args!("{value} := {};", site.focus.get(&op.at)?));
    routine.open_if(format_args!("jsonb_typeof({value}) = 'array'"));
    routine.scoped(|routine| write_array(op, &value, kept, site, routine))?;
    routine.else_if(format_args!("jsonb_typeof({value}) = 'object'"));
    routine.scoped(|routine| write_object(op, &value, kept, site, routine))?;
    routine.else_if(format_args!("{value} <> 'null'"));
    routine.line("RETURN;");
    routine.end_if();
    Ok(())
}

fn write_array(op: &Each, value: &str, kept: &Kept, site: &Site, routine: &mut Routine) -> Result<()> {
    let [item, inner] = [routine.json(), routine.json()];
    let [items, inners] = [routine.list(), routine.list()];
    let (index, is_worth_keeping) = (routine.count(), routine.truth());
    let key = match &op.align {
        Align::Key(at) => Some(path(at)?),
        Align::Image => None,
    };
    let known = kept.entry.as_ref().map(|entry| recall_items(entry, value, key.as_deref(), site, routine));
    routine.line(format_args!("{items} := '{{}}';"));
    routine.line(format_args!("{inners} := '{{}}';"));
    routine.line(format_args!("{is_worth_keeping} := false;"));
    routine.open_loop(format_args!("FOR {index} IN 0 .. jsonb_array_length({value}) - 1"));
    routine.line(format_args!("{item} := {value}->{index};"));
    let memory = known.map(|known| {
        let memory = routine.json();
        routine.line(format_args!("{memory} := {known}[{index} + 1];"));
        memory
    });
    write_inside(op, [&item, &inner], memory, &index, site, routine)?;
    routine.line(format_args!("{items}[{index} + 1] := {item};"));
    routine.line(format_args!("{inners}[{index} + 1] := {inner};"));
    routine.line(format_args!("{is_worth_keeping} := {is_worth_keeping} OR {inner} IS NOT NULL;"));
    routine.end_loop();
    routine.line(format_args!("{item} := to_jsonb({items});"));
    routine.open_if(format_args!("{is_worth_keeping}"));
    match &key {
        Some(key) => {
            let (older, newer) = sides(site.way, value, &item);
            let items = format!("exuvia.kept_items({older}, {newer}, {key}, {inners})");
            kept.keep(&format!("jsonb_build_object('items', {items})"), site, routine);
        }
        None => routine.line("RETURN;"),
    }
    routine.end_if();
    site.focus.set(&op.at, &item, routine)
}

/// The variable with what is remembered of each item.
fn recall_items(entry: &str, value: &str, key: Option<&str>, site: &Site, routine: &mut Routine) -> String {
    let known = routine.list();
    let side = sides(site.way, 0, 2).0;
    routine.line(format_args!("{known} := NULL;"));
    routine.open_if(format_args!("{entry}->'items' <> '[]'"));
    match key {
        Some(key) => {
            routine.line(format_args!("{known} := exuvia.recall_items({value}, {key}, {entry}->'items', {side});"));
            routine.leave_when(format_args!("{known} IS NULL"));
        }
        None => routine.line("RETURN;"),
    }
    routine.end_if();
    known
}

fn write_object(op: &Each, value: &str, kept: &Kept, site: &Site, routine: &mut Routine) -> Result<()> {
    let [item, inner, items] = std::array::from_fn(|_| routine.json());
    let (name, names, values) = (routine.name(), routine.names(), routine.list());
    let known = kept.entry.as_ref().map(|entry| recall_members(entry, site, routine));
    routine.line(format_args!("{items} := '[]';"));
    routine.line(format_args!("{names} := '{{}}';"));
    routine.line(format_args!("{values} := '{{}}';"));
    routine.open_loop(format_args!(
        "FOR {name}, {item} IN SELECT member.name, member.part FROM jsonb_each({value}) AS member(name, part)"
    ));
    let memory = known.map(|known| {
        let memory = routine.json();
        routine.line(format_args!("{memory} := {known}->{name};"));
        memory
    });
    write_inside(op, [&item, &inner], memory, &name, site, routine)?;
    routine.line(format_args!("{names} := array_append({names}, {name});"));
    routine.line(format_args!("{values} := array_append({values}, {item});"));
    routine.when(
        format_args!("{inner} IS NOT NULL"),
        format_args!("{items} := {items} || exuvia.kept_member({name}, {inner});"),
    );
    routine.end_loop();
    routine.open_if(format_args!("{items} <> '[]'"));
    kept.keep(&format!("jsonb_build_object('items', {items})"), site, routine);
    routine.end_if();
    site.focus.set(&op.at, &format!("exuvia.object({names}, {values})"), routine)
}

/// The variable with what is remembered of each member.
fn recall_members(entry: &str, site: &Site, routine: &mut Routine) -> String {
    let known = routine.json();
    let side = sides(site.way, 0, 2).0;
    routine.line(format_args!("{known} := NULL;"));
    routine.open_if(format_args!("{entry} IS NOT NULL"));
    routine.line(format_args!("{known} := exuvia.recall_members({entry}->'items', {side});"));
    routine.leave_when(format_args!("{known} IS NULL"));
    routine.end_if();
    known
}

/// Writes what the body does to an item; `step` is the variable with the last step of the way into the list or object.
fn write_inside(
    op: &Each,
    [item, inner]: [&str; 2],
    memory: Option<String>,
    step: &str,
    site: &Site,
    routine: &mut Routine,
) -> Result<()> {
    let at = literal(&format!("{}/", op.at))?;
    routine.scoped(|routine| {
        let inside = Site {
            focus: Focus::on(item, [&op.body], routine)?,
            way: site.way,
            memory,
            kept: inner.to_owned(),
            scope: format!("({} || {at}::text || {step})", site.scope),
        };
        body::write(&op.body, &inside, routine)?;
        inside.focus.close(routine)
    })
}
