//! What the data may be: what each build, undisturbed, makes of it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use exuvia_core::document::{Json, Value};
use exuvia_core::protocol::Target;
use pollster::block_on;

use super::asks::{Ask, carry_out};
use super::{Build, Plain, Storm, Verdict};
use crate::machine::Machine;

/// The data at rest: the head of the line it has run, and everything but the control key and markers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) head: String,
    pub(super) data: BTreeMap<String, String>,
    /// Whether a deed has been done to it.
    pub(super) done: bool,
}

impl Form {
    /// Without residues.
    pub(super) fn records(&self) -> BTreeMap<String, String> {
        let kept = self.data.iter().filter(|(key, _)| !key.starts_with("exuvia"));
        kept.map(|(key, text)| (key.clone(), text.clone())).collect()
    }
}

/// What comes of a migration by a build where nothing goes wrong: by world, head, data and build, the head and the data.
pub type Memory =
    RefCell<HashMap<(&'static str, String, BTreeMap<String, String>, usize), (String, BTreeMap<String, String>)>>;

pub(super) fn form_of(machine: &Machine) -> Form {
    let stored = machine.stored.borrow();
    let head = stored.get("exuvia").and_then(|text| text.split_once("\"head\":\"")).map_or("", |(_, rest)| rest);
    let head = head.split('"').next().unwrap_or_default().to_owned();
    // An empty residue is none.
    let kept = stored.iter().filter(|(key, text)| {
        *key != "exuvia"
            && !key.starts_with("exuvia:b:")
            && !key.starts_with("exuvia:c:")
            && !key.starts_with("exuvia:s:")
            && key.strip_prefix("exuvia:r:").is_none_or(|record| *text != "{}" && is_there(&stored, record))
    });
    Form { head, data: kept.map(|(key, text)| (key.clone(), text.clone())).collect(), done: false }
}

/// Whether there is a record for this residue. One whose record was deleted says nothing any more, and may be swept.
pub(super) fn is_there(stored: &BTreeMap<String, String>, residue: &str) -> bool {
    let Some((collection, key)) = residue.split_once(':') else { return true };
    // By itself, in a list by its id, or in an object by its name. Children that name it do not make it be there.
    let (own, item, member) = (format!(":{key}"), format!("\"id\":\"{key}\""), format!("\"{key}\":"));
    let is_it = |name: &str, text: &str| name.ends_with(&own) || text.contains(&item) || text.contains(&member);
    collection == key || stored.iter().any(|(name, text)| !name.starts_with("exuvia") && is_it(name, text))
}

pub(super) fn same(one: &Form, other: &Form) -> bool {
    one.head == other.head && same_data(&one.data, &other.data)
}

pub(super) fn same_data(one: &BTreeMap<String, String>, other: &BTreeMap<String, String>) -> bool {
    let equals =
        |(one, other): ((&String, &String), (&String, &String))| one.0 == other.0 && equal(Some(one.1), Some(other.1));
    one.len() == other.len() && one.iter().zip(other).all(equals)
}

/// Whether data is a form with residues more: what is told from half-written data comes with some, which by the laws lead to
/// the same place.
pub(super) fn has_residues_more(data: &BTreeMap<String, String>, form: &Form) -> bool {
    let mut more = data.keys().filter(|key| !form.data.contains_key(*key));
    more.all(|key| key.starts_with("exuvia:r:")) && form.data.iter().all(|(key, text)| equal(data.get(key), Some(text)))
}

pub(super) fn equal(one: Option<&String>, other: Option<&String>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one == other || Value::parse(one).unwrap() == Value::parse(other).unwrap(),
        (None, None) => true,
        _ => false,
    }
}

impl<B: Build> Storm<'_, B> {
    /// What stands in the store while the gate is open.
    pub(super) fn form(&self) -> Option<Form> {
        let stored = self.machine.stored.borrow();
        let control = stored.get("exuvia");
        if control.is_some_and(|control| control.contains("\"run\":{") || control.contains("\"lost\":true")) {
            return None;
        }
        Some(form_of(&self.machine))
    }

    /// The gate is open only over data that is whole.
    pub(super) fn check(&self) -> Verdict {
        if self.forgotten && !self.machine.stored.borrow().contains_key("exuvia") {
            return Ok(());
        }
        let Some(form) = self.form() else { return Ok(()) };
        let fits = |allowed: &Form| match !self.spoilt.is_empty() {
            // What is told from half-written data comes with residues more, which by the laws lead to the same place.
            true => same(allowed, &form) || allowed.head == form.head && same_data(&allowed.records(), &form.records()),
            false => same(allowed, &form),
        };
        match self.allowed.iter().any(|allowed| fits(allowed) && (allowed.done || !self.done)) {
            true => Ok(()),
            false => Err(format!("the gate is open over data that nobody meant: {}", self.difference(&form))),
        }
    }

    pub(super) fn difference(&self, form: &Form) -> String {
        let mut text = format!("\nhead {}", form.head);
        for (key, value) in &form.data {
            text.push_str(&format!("\n  {key} = {value}"));
        }
        for allowed in &self.allowed {
            text.push_str(&format!("\nallowed, head {}{}", allowed.head, if allowed.done { ", done" } else { "" }));
            let keys = allowed.data.keys().chain(form.data.keys());
            for key in keys.collect::<BTreeSet<_>>() {
                let (meant, found) = (allowed.data.get(key), form.data.get(key));
                if !equal(meant, found) {
                    text.push_str(&format!("\n  {key}: meant {meant:?}, found {found:?}"));
                }
            }
        }
        text
    }

    pub(super) fn allow(&mut self, forms: Vec<Form>) {
        self.history.extend(forms.iter().cloned());
        self.allowed = forms;
    }

    /// All that the data at rest may become by what was asked, each deed done once at most.
    pub(super) fn reachable(&self) -> Vec<Form> {
        self.reachable_from(vec![Form { done: self.done, ..form_of(&self.machine) }])
    }

    pub(super) fn reachable_from(&self, mut forms: Vec<Form>) -> Vec<Form> {
        let mut index = 0;
        while index < forms.len() {
            for ask in &self.asks {
                if ask.is_deed() && forms[index].done {
                    continue;
                }
                if let Some(next) = self.outcome(&forms[index], ask)
                    && !forms.contains(&next)
                {
                    forms.push(next);
                }
            }
            index += 1;
        }
        forms
    }

    /// What comes of an ask where nothing goes wrong.
    pub(super) fn outcome(&self, form: &Form, ask: &Ask) -> Option<Form> {
        let build = &self.world.builds[ask.build()];
        let known = (self.world.name, form.head.clone(), form.data.clone(), ask.build());
        if !ask.is_deed()
            && let Some((head, data)) = self.memory.borrow().get(&known)
        {
            return Some(Form { head: head.clone(), data: data.clone(), done: form.done });
        }
        let machine = self.machine.copy();
        machine.stored.replace(form.data.clone());
        if !form.head.is_empty() {
            machine.stored.borrow_mut().insert("exuvia".into(), self.head_text(&form.head));
            let whole = &self.world.builds[self.world.tip()];
            block_on(Plain::target(machine.process(), whole).keep(whole)).unwrap();
        } else if let Ask::Migrate(..) = ask {
            machine.mirror.replace(None);
        }
        block_on(carry_out::<Plain>(machine.process(), build, ask)).ok()?;
        let next = Form { done: form.done || ask.is_deed(), ..form_of(&machine) };
        if !ask.is_deed() {
            self.memory.borrow_mut().insert(known, (next.head.clone(), next.data.clone()));
        }
        Some(next)
    }

    pub(super) fn head_text(&self, head: &str) -> String {
        let line = self.world.builds[self.world.tip()].lock().line;
        let length = line.iter().position(|link| link.head == head).map_or(0, |index| index + 1);
        let line = line[..length].to_vec().to_json();
        format!(r#"{{"format":1,"version":{length},"head":"{head}","line":{line},"epoch":1}}"#)
    }
}
