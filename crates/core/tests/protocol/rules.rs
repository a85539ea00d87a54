//! The protocol's rules, a scenario each. The simulator looks for what nobody thought of; these say what was thought of.

use super::*;

/// Runs that die at each of their operations in turn, each looked at as it was left.
fn at_each_death(old: &[(&str, &str)], chain: &Chain, look: impl Fn(&Rc<Machine>, usize)) {
    let whole = Machine::holding(old);
    open(&whole, chain).unwrap();
    for death in 0..whole.operations.get() {
        let machine = Machine::holding(old);
        machine.fuel.set(Some(death));
        let _ = open(&machine, chain);
        machine.fuel.set(None);
        look(&machine, death);
    }
}

/// The phase that the head names.
pub fn phase(machine: &Machine) -> Option<String> {
    let stored = machine.stored.borrow();
    let (_, rest) = stored.get("exuvia")?.split_once("\"phase\":\"")?;
    rest.split('"').next().map(str::to_owned)
}

#[test]
fn rule_01_either_the_snapshot_or_the_live_data_can_finish_the_run_alone() {
    let chain = chain(5);
    at_each_death(&OLD, &chain, |machine, death| {
        machine.sealed.borrow_mut().clear();
        machine.manifests.borrow_mut().clear();
        assert_eq!(open(machine, &chain).unwrap().state, State::Current, "after a death at {death}");
        assert_holds(machine, &NEW, &format!("without the vault, after a death at {death}"));
    });
}

#[test]
fn rule_02_a_vanished_stamp_is_not_taken_for_a_fresh_store_or_a_first_version() {
    let chain = chain(5);
    for (forgets_mirror, empties) in [(false, false), (false, true), (true, false)] {
        let machine = Machine::holding(&OLD);
        open(&machine, &chain).unwrap();
        machine.stored.borrow_mut().remove("exuvia");
        if forgets_mirror {
            machine.mirror.replace(None);
        }
        if empties {
            machine.stored.borrow_mut().clear();
        }
        let before = machine.stored.borrow().clone();
        assert_eq!(open(&machine, &chain).unwrap().state, State::Lost, "{forgets_mirror} {empties}");
        assert_eq!(*machine.stored.borrow(), before, "nothing is written");
    }
}

#[test]
fn rule_03_a_batch_that_did_not_land_is_not_covered_by_a_later_one_that_did() {
    let chain = chain(5);
    at_each_death(&OLD, &chain, |machine, death| {
        let marked = machine.own_keys().into_iter().find(|key| key.starts_with("exuvia:b:"));
        let Some(marked) = marked.filter(|_| phase(machine).as_deref() == Some("up")) else { return };
        // As if this batch had failed and the ones after it had not.
        machine.stored.borrow_mut().remove(&marked);
        machine.stored.borrow_mut().retain(|key, _| !key.starts_with("conversation:"));
        assert_eq!(open(machine, &chain).unwrap().state, State::Current, "after a death at {death}");
        assert_holds(machine, &NEW, &format!("without {marked}, after a death at {death}"));
    });
}

#[test]
fn rule_04_nothing_of_the_old_form_is_removed_before_the_commit() {
    let chain = chain(5);
    at_each_death(&OLD, &chain, |machine, death| {
        if phase(machine).is_some_and(|phase| phase == "capture" || phase == "up") {
            let data = machine.data();
            assert_eq!(data.get("conversations").map(String::as_str), Some(OLD[1].1), "after a death at {death}");
            assert_eq!(data.get("distillations").map(String::as_str), Some(OLD[2].1), "after a death at {death}");
        }
    });
}

#[test]
fn rule_05_no_record_takes_the_key_of_another() {
    let mut twice = OLD;
    twice[1].1 = r#"[{"id":"b","title":"","create_time":0,"update_time":0,"messages":[]},{"id":"b","title":"x","create_time":0,"update_time":0,"messages":[]}]"#;
    let mut taken = OLD.to_vec();
    taken.push(("conversation:c", "\"nobody's\""));
    for old in [twice.to_vec(), taken] {
        let machine = Machine::holding(&old);
        let status = open(&machine, &chain(5)).unwrap();
        assert_eq!(status.problem.unwrap().kind, "collision");
        assert_holds(&machine, &old, "after the refusal");
    }
}

#[test]
fn rule_06_a_large_value_never_crosses_whole() {
    let item =
        |index: usize| format!(r#"{{"id":"{index}","title":"t","create_time":1,"update_time":2,"messages":[]}}"#);
    let items = (0..2_000).map(item).collect::<Vec<_>>().join(",");
    let large = format!("[{items}]");
    let machine = Machine::holding(&[("conversations", &large)]);
    assert_eq!(open(&machine, &chain(2)).unwrap().state, State::Current);
    let crossed = machine.crossed.get();
    assert!(crossed < large.len() / 4, "{crossed} of {} bytes crossed at once", large.len());
}

#[test]
fn rule_07_a_residue_is_there_whenever_its_record_is() {
    let chain = chain(5);
    at_each_death(&OLD, &chain, |machine, death| {
        let stored = machine.stored.borrow();
        let moved = stored["user_preferences"].contains("\"store_history\"");
        let kept = stored.contains_key("exuvia:r:user_preferences:user_preferences");
        assert!(kept || !moved, "after a death at {death}");
    });
}

#[test]
fn rule_08_the_gate_is_shut_from_before_the_first_read_until_the_data_is_whole() {
    let chain = chain(5);
    at_each_death(&OLD, &chain, |machine, death| {
        let is_old = machine.data() == OLD.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect();
        let began = !machine.manifests.borrow().is_empty();
        if phase(machine).is_none() && (!is_old || began) {
            assert_holds(machine, &NEW, &format!("with the gate open, after a death at {death}"));
        }
    });
}

#[test]
fn rule_09_a_restore_fits_where_the_data_did() {
    let chain = chain(5);
    let machine = Machine::holding(&OLD);
    open(&machine, &chain).unwrap();
    let (seal, line) = {
        let records = records(&machine, &chain);
        let id = block_on(records.snapshots()).unwrap()[0].id.clone();
        block_on(records.find_snapshot(&id)).unwrap()
    };
    let used = machine.stored.borrow().iter().map(|(key, text)| (key.len() + text.len()) as u64).sum::<u64>();
    machine.quota.set(Some(used + 200));
    assert_eq!(ask(&machine, &chain, Request::Restore { seal, line }).unwrap().state, State::Behind);
    assert_holds(&machine, &OLD, "on a full store");
}

#[test]
fn rule_10_an_older_build_writes_nothing_over_data_whose_way_it_does_not_know() {
    let machine = Machine::holding(&OLD);
    open(&machine, &chain(5)).unwrap();
    machine.stored.borrow_mut().retain(|key, _| !key.starts_with("exuvia:c:"));
    let before = machine.stored.borrow().clone();
    assert_eq!(open(&machine, &chain(3)).unwrap().state, State::Newer);
    assert_eq!(*machine.stored.borrow(), before);
}

#[test]
fn rule_11_a_run_that_dies_again_and_again_goes_back() {
    let chain = chain(5);
    let machine = Machine::holding(&OLD);
    let mut starts = 0;
    let state = loop {
        // Long enough to be taken up, too short to write a batch.
        machine.fuel.set(Some(if starts == 0 { 24 } else { 8 }));
        if let Ok(status) = open(&machine, &chain) {
            break status.state;
        }
        starts += 1;
        if phase(&machine).as_deref() == Some("back") {
            machine.fuel.set(None);
            break open(&machine, &chain).unwrap().state;
        }
        assert!(starts < 40, "still at it in phase {:?}", phase(&machine));
    };
    assert!(matches!(state, State::Refused | State::Current), "{state:?}");
    if state == State::Refused {
        assert_holds(&machine, &OLD, "after it went back");
    }
}

#[test]
fn rule_13_an_import_brings_no_keys_of_exuvias_own_and_all_or_nothing() {
    let chain = chain(5);
    let machine = Machine::holding(&OLD);
    open(&machine, &chain).unwrap();
    let file = export(&machine, &chain).replace(",\"digest\":", ",\"x\":");
    let hostile = file.replace("\"collection\":\"conversations\"", "\"collection\":\"exuvia\"");
    assert!(import(&machine, &chain, &hostile, Merge::Take).is_err());
    assert_holds(&machine, &NEW, "after the refusal");
    let other = file.replace("\"title\":\"B\"", "\"title\":\"B2\"");
    let mut new = NEW;
    let changed = NEW[2].1.replace("\"title\":\"B\"", "\"title\":\"B2\"");
    new[2].1 = &changed;
    for death in 0..400 {
        let machine = Machine::holding(&OLD);
        open(&machine, &chain).unwrap();
        machine.fuel.set(Some(death));
        let ended = import(&machine, &chain, &other, Merge::Take).is_ok();
        machine.fuel.set(None);
        open(&machine, &chain).unwrap();
        let came = machine.data()["conversation:b"].contains("B2");
        assert_holds(&machine, if came { &new } else { &NEW }, &format!("after a death at {death}"));
        if ended {
            break;
        }
    }
}

#[test]
fn a_key_that_cannot_be_read_is_named_and_nothing_is_moved() {
    let (machine, chain) = (Machine::holding(&OLD), chain(5));
    machine.unreadable.borrow_mut().insert("somebody_elses".into());
    let status = open(&machine, &chain).unwrap();
    let problem = status.problem.unwrap();
    assert_eq!((status.state, problem.kind.as_str()), (State::Refused, "store"));
    assert!(problem.message.contains("somebody_elses"), "{}", problem.message);
    assert_holds(&machine, &OLD, "after the refusal");
    machine.unreadable.borrow_mut().clear();
    assert_eq!(open(&machine, &chain).unwrap().state, State::Current, "once it can be read");
}

#[test]
fn a_store_that_fails_is_tried_again_by_a_bounded_number_of_starts() {
    let (machine, chain) = (Machine::holding(&OLD), chain(5));
    machine.unreadable.borrow_mut().insert("conversations".into());
    let tried = || {
        let before = machine.operations.get();
        assert_eq!(open(&machine, &chain).unwrap().state, State::Refused);
        machine.operations.get() - before > 8
    };
    assert_eq!([tried(), tried(), tried(), tried(), tried()], [true, true, true, false, false]);
    machine.unreadable.borrow_mut().clear();
    assert_eq!(ask(&machine, &chain, Request::Migrate { retry: true }).unwrap().state, State::Current);
}
