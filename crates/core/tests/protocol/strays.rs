//! Somebody writes past the gate, with the store's own calls, while a run moves the data. What they wrote is never lost, and
//! never data.

use std::future::Future;
use std::task::{Context, Poll, Waker};

use super::simulator::{Damage, Fate, Schedule};
use super::*;

const STRAY: &str = r#"{"id":"stray"}"#;

/// What came of a run into whose store somebody wrote before one of its operations.
struct Strayed {
    machine: Rc<Machine>,
    status: Status,
    /// What the head named as the phase then.
    phase: String,
    /// The operations that followed before the gate opened, with their keys.
    next: Vec<(&'static str, Vec<String>)>,
}

/// Runs with one write past the gate, before the operation of this number; `None` where the gate is open then, or the run
/// has fewer.
fn stray(chain: &Chain, damage: Option<Damage>, before: usize, key: &str) -> Option<Strayed> {
    let machine = Machine::holding(&OLD);
    machine.damage.set(damage);
    machine.schedule.replace(Some(Schedule::default()));
    let process = machine.numbered(1);
    let records = Records::new(chain, process.clone(), process.clone(), process, 3).in_chunks(120);
    let mut running = Box::pin(run(&records, chain, Request::Migrate { retry: false }));
    let (mut strayed, mut next) = (None, Vec::new());
    for number in 0.. {
        if let Poll::Ready(status) = running.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            let (phase, status) = (strayed?, status.unwrap());
            machine.schedule.replace(None);
            return Some(Strayed { machine: Rc::clone(&machine), status, phase, next });
        }
        let (task, operation) = machine.schedule.borrow().as_ref().unwrap().ready().first().cloned().unwrap();
        if number == before {
            let phase = rules::phase(&machine)?;
            machine.stored.borrow_mut().insert(key.to_owned(), STRAY.to_owned());
            strayed = Some(phase);
        }
        if strayed.is_some() && rules::phase(&machine).is_some() {
            next.push((operation.name, operation.keys));
        }
        machine.schedule.borrow_mut().as_mut().unwrap().decide(task, Fate::Happens);
    }
    unreachable!("every run ends")
}

/// What is kept of strays, under the key where each was found.
fn aside(machine: &Machine) -> Vec<(String, String)> {
    let stored = machine.stored.borrow();
    let kept = stored.iter().filter_map(|(key, text)| {
        let mut parts = key.strip_prefix("exuvia:s:")?.splitn(3, ':');
        Some((parts.nth(2)?.to_owned(), text.clone()))
    });
    kept.collect()
}

/// In place; of the old form only; of the new form only; of either, and nobody's; of no version.
const PLACES: [&str; 6] =
    ["user_preferences", "conversations", "conversation:b", "conversation:stray", "distillation:d", "somebody_elses"];

/// Operations between the last look at the store and the gate.
const LATE: usize = 6;

/// Operations between the last look at a key and the write to it, of two batches under way, each of which may find
/// something to set aside.
const BLIND: usize = 10;

/// Of all points of a run, those at which a stray is lost: between the look at a key and the write to it nobody can see.
fn lost(damage: Option<Damage>, check: impl Fn(&str, &Strayed)) -> (usize, usize) {
    let chain = chain(5);
    let (mut all, mut lost) = (0, 0);
    for key in PLACES {
        for before in 0..400 {
            let Some(strayed) = stray(&chain, damage, before, key) else { continue };
            all += 1;
            if strayed.machine.stored.borrow().values().any(|text| text.contains(STRAY)) {
                check(key, &strayed);
            } else {
                let soon = &strayed.next[..BLIND.min(strayed.next.len())];
                let writes = |(name, keys): &(_, Vec<String>)| {
                    matches!(*name, "set" | "remove") && keys.iter().any(|written| written == key)
                };
                assert!(soon.iter().any(writes), "{key}, {before}, in {}: before {soon:?}", strayed.phase);
                lost += 1;
            }
        }
    }
    (all, lost)
}

#[test]
fn rule_08_what_is_written_past_the_gate_is_set_aside_and_is_no_data() {
    let (all, lost) = lost(None, |key, Strayed { machine, status, phase, next }| {
        if phase == "capture" || next.len() <= LATE {
            return;
        }
        let when = format!("{key}, in {phase}, before {:?}", next[0]);
        assert_eq!(status.state, State::Current, "{when}");
        let mut new = NEW.to_vec();
        if key == "somebody_elses" {
            new.retain(|(key, _)| *key != "somebody_elses");
            new.push(("somebody_elses", STRAY));
        } else {
            assert_eq!(aside(machine), [(key.to_owned(), STRAY.to_owned())], "{when}");
            let notes = &status.last_run.as_ref().unwrap().notes;
            assert!(notes.iter().any(|note| note.contains(&format!("{key:?}"))), "{when}: {notes:?}");
        }
        assert_holds(machine, &new, &when);
    });
    assert!(lost * 20 < all, "{lost} of {all}");
}

#[test]
fn rule_08_what_is_written_past_the_gate_is_set_aside_on_the_way_back_too() {
    let damage: Damage = |key, text| (key == "conversation:b").then(|| text.replace("hi", "ho"));
    let (all, lost) = lost(Some(damage), |key, Strayed { machine, status, phase, next }| {
        if phase == "capture" || next.len() <= LATE {
            return;
        }
        let when = format!("{key}, in {phase}, before {:?}: {:?}", next[0], status.problem);
        // A write that comes after all was written back keeps the gate shut until the next start.
        if status.state == State::Stuck {
            open(machine, &chain(5)).unwrap();
        }
        let mut old = OLD.to_vec();
        if key == "somebody_elses" {
            old.retain(|(key, _)| *key != "somebody_elses");
            old.push(("somebody_elses", STRAY));
        } else {
            assert!(aside(machine).contains(&(key.to_owned(), STRAY.to_owned())), "{when}");
        }
        assert_holds(machine, &old, &when);
    });
    assert!(lost * 20 < all, "{lost} of {all}");
}
