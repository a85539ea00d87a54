//! The primitives of a body, one after the other.

use exuvia_core::lens::{Body, Op, Way};

use super::literal::texts;
use super::routine::Routine;
use super::site::Site;
use super::{Result, each, edit, item, moved, part, rekey, when};

/// Writes what a body does.
pub(super) fn write(body: &Body, site: &Site, routine: &mut Routine) -> Result<()> {
    let Site { memory, kept, .. } = site;
    if let Some(memory) = memory {
        routine.leave_when(format_args!("{memory} IS NOT NULL AND jsonb_typeof({memory}) <> 'object'"));
    }
    routine.line(format_args!("{kept} := NULL;"));
    let mut nodes: Vec<_> = body.nodes().collect();
    if site.way == Way::Down {
        nodes.reverse();
    }
    for (slot, node) in &nodes {
        let written = routine.scoped(|routine| write_op(&node.op, *slot, site, routine));
        written.map_err(|reason| reason.in_step(&node.place))?;
    }
    let Some(memory) = memory else { return Ok(()) };
    let slots: Vec<_> = nodes.iter().map(|(slot, _)| slot.to_string()).collect();
    let slots = texts(slots.iter().map(String::as_str))?;
    // What no primitive here has left is passed on.
    routine.when(
        format_args!("{memory} IS NOT NULL"),
        format_args!("{kept} := nullif(({memory} - {slots}) || coalesce({kept}, '{{}}'), '{{}}');"),
    );
    Ok(())
}

fn write_op(op: &Op, slot: usize, site: &Site, routine: &mut Routine) -> Result<()> {
    let entry = site.memory.as_ref().map(|memory| {
        let entry = routine.json();
        routine.line(format_args!("{entry} := {memory}->'{slot}'::text;"));
        entry
    });
    let kept = Kept { slot, entry };
    match op {
        Op::Move(op) => moved::write(op, &kept, site, routine),
        Op::Edit(op) => edit::write(op, &kept, site, routine),
        Op::Each(op) => each::write(op, &kept, site, routine),
        Op::When(op) => when::write(op, &kept, site, routine),
        Op::Rekey(op) => rekey::write(op, &kept, site, routine),
        Op::Item(op) => item::write(op, &kept, site, routine),
        Op::Part(op) => part::write(op, &kept, site, routine),
    }
}

/// What a primitive remembers.
pub(super) struct Kept {
    slot: usize,
    /// The variable that holds what it remembered on the way here; NULL where that is nothing. `None` where that is known.
    pub(super) entry: Option<String>,
}

impl Kept {
    /// Passes over an entry that another kind of primitive has left.
    pub(super) fn expect(&self, member: &str, routine: &mut Routine) {
        let Some(entry) = &self.entry else { return };
        routine.open_if(format_args!("{entry} IS NOT NULL"));
        routine.open_if(format_args!("jsonb_typeof({entry}) <> 'object'"));
        routine.line("RETURN;");
        routine.else_if(format_args!("NOT {entry} ? '{member}'"));
        routine.line(format_args!("{entry} := NULL;"));
        routine.end_if();
        routine.end_if();
    }

    /// Remembers what an expression says.
    pub(super) fn keep(&self, expression: &str, site: &Site, routine: &mut Routine) {
        let (kept, slot) = (&site.kept, self.slot);
        routine.line(format_args!("{kept} := coalesce({kept}, '{{}}') || jsonb_build_object('{slot}', {expression});"));
    }
}
