//! Sequences of events that lose data where a protocol is less careful, each named for what must hold.

use super::*;

pub fn custom(texts: &[&str]) -> Chain {
    let migrations = texts.iter().map(|text| Migration::parse(text).unwrap()).collect();
    Chain::arrange(migrations, &Lock::default()).unwrap()
}

fn snapshot(machine: &Rc<Machine>, chain: &Chain, index: usize) -> Request {
    let id = block_on(records(machine, chain).snapshots()).unwrap()[index].id.clone();
    let (seal, line) = block_on(records(machine, chain).find_snapshot(&id)).unwrap();
    Request::Restore { seal, line }
}

/// An import in place of everything dies after its staged file was removed and before the gate opens.
#[test]
fn an_import_dies_between_the_removal_of_its_file_and_the_last_write() {
    let chain = chain(5);
    let mut bad = Vec::new();
    let whole = Machine::holding(&OLD);
    open(&whole, &chain).unwrap();
    let file = export(&whole, &chain);
    whole.operations.set(0);
    import(&whole, &chain, &file, Merge::Replace).unwrap();
    for merge in [Merge::Replace, Merge::Keep, Merge::Take] {
        for death in 0..whole.operations.get() {
            let machine = Machine::holding(&OLD);
            open(&machine, &chain).unwrap();
            machine.fuel.set(Some(death));
            let _ = import(&machine, &chain, &file, merge);
            machine.fuel.set(None);
            for _ in 0..3 {
                let _ = open(&machine, &chain);
            }
            match open(&machine, &chain) {
                Ok(status) if status.state == State::Current => assert_holds(&machine, &NEW, "after"),
                other => bad.push((merge, death, format!("{other:?}"))),
            }
        }
    }
    assert!(bad.is_empty(), "{} of them, such as {:?}", bad.len(), &bad[..bad.len().min(4)]);
}

/// The same for a restore by hand of the oldest snapshot, which retention removes in the sweep of that very run.
#[test]
fn a_restore_of_the_oldest_snapshot_dies_after_retention_removed_it() {
    let chain = chain(5);
    let make = || {
        let machine = Machine::holding(&OLD);
        open(&machine, &chain).unwrap();
        let file = export(&machine, &chain);
        import(&machine, &chain, &file, Merge::Take).unwrap();
        import(&machine, &chain, &file, Merge::Take).unwrap();
        machine.operations.set(0);
        machine
    };
    let whole = make();
    assert_eq!(block_on(records(&whole, &chain).snapshots()).unwrap().len(), 3);
    let request = snapshot(&whole, &chain, 2);
    whole.operations.set(0);
    ask(&whole, &chain, request).unwrap();
    let mut bad = Vec::new();
    for death in 0..whole.operations.get() {
        let machine = make();
        let request = snapshot(&machine, &chain, 2);
        machine.fuel.set(Some(death));
        let _ = ask(&machine, &chain, request);
        machine.fuel.set(None);
        for _ in 0..3 {
            let _ = open(&machine, &chain);
        }
        if let Err(error) = open(&machine, &chain) {
            bad.push((death, error.to_string()));
        }
    }
    assert!(bad.is_empty(), "{} of them, such as {:?}", bad.len(), &bad[..bad.len().min(4)]);
}

/// An older build finishes an import that a newer one began.
#[test]
fn an_older_build_meets_an_import_of_a_newer_one_in_any_phase() {
    let (three, five) = (chain(3), chain(5));
    let mut bad = Vec::new();
    for merge in [Merge::Replace, Merge::Keep, Merge::Take] {
        let mut death = 0;
        loop {
            let machine = Machine::holding(&OLD);
            open(&machine, &five).unwrap();
            let file = export(&machine, &five)
                .replace("\"title\":\"B\"", "\"title\":\"B2\"")
                .replace(",\"digest\":", ",\"x\":");
            let staged = block_on(records(&machine, &five).stage(Text::new(&file))).unwrap();
            machine.operations.set(0);
            machine.fuel.set(Some(death));
            let ended = ask(&machine, &five, Request::Import { staged, merge }).is_ok();
            machine.fuel.set(None);
            if ended {
                break;
            }
            for _ in 0..3 {
                let _ = open(&machine, &three);
            }
            let status = open(&machine, &five);
            let data = machine.data();
            let title = data.get("conversation:b").map(|text| text.contains("B2"));
            let whole = data.len() == NEW.len() && title.is_some();
            if status.is_err() || !whole {
                bad.push((merge, death, data.len(), title, status.map(|s| s.state)));
            }
            death += 1;
        }
    }
    assert!(bad.is_empty(), "{} of them, such as {:?}", bad.len(), &bad[..bad.len().min(4)]);
}

const SWAPPED: [&str; 2] = [
    r#"{"exuvia":1,"id":"one","collections":{"notes":{"layout":{"key":"notes","as":"array","id":"/id"},
      "schema":{"type":"object","required":["id","at"],"properties":{"id":{"type":"string"},"at":{"type":"number"}}}}}}"#,
    r#"{"exuvia":1,"id":"two","parents":["one"],"change":{"notes":[{"convert":"/at","from":"epoch-s","to":"epoch-ms"}]}}"#,
];

/// A collection that stays an array is taken for the old form after it was written.
#[test]
fn an_array_in_place_is_not_moved_twice_when_the_snapshot_is_gone() {
    let chain = custom(&SWAPPED);
    let mut bad = Vec::new();
    for death in 0..60 {
        let machine = Machine::holding(&[("notes", r#"[{"id":"a","at":1},{"id":"b","at":2}]"#)]);
        machine.fuel.set(Some(death));
        let _ = open(&machine, &chain);
        machine.fuel.set(None);
        machine.rot();
        let status = open(&machine, &chain).map(|s| s.state);
        let notes = machine.data()["notes"].clone();
        if !(notes.contains("1000}") && notes.contains("2000}")) {
            bad.push((death, status, notes));
        }
    }
    assert!(bad.is_empty(), "{} of them, such as {:?}", bad.len(), &bad[..bad.len().min(4)]);
}

const RENAMED: [&str; 2] = [
    r#"{"exuvia":1,"id":"one","collections":{"prefs":{"layout":{"key":"settings","as":"record"},
      "schema":{"type":"object","required":["mode"],"properties":{"mode":{"enum":["a","b","c"]}}}}}}"#,
    r#"{"exuvia":1,"id":"two","parents":["one"],"change":{"prefs":[{"map":"/mode","table":{"a":"x","b":"x","c":"y"},"back":{"x":"a"}}]}}"#,
];

/// A record whose storage key is not its collection's name loses its residue.
#[test]
fn a_record_under_another_key_than_its_collections_name_keeps_its_residue() {
    let chain = custom(&RENAMED);
    let residue = |machine: &Machine| machine.stored.borrow().get("exuvia:r:prefs:prefs").cloned();
    let whole = Machine::holding(&[("settings", r#"{"mode":"b"}"#)]);
    open(&whole, &chain).unwrap();
    assert!(residue(&whole).is_some());
    let mut bad = Vec::new();
    for death in 0..whole.operations.get() {
        let machine = Machine::holding(&[("settings", r#"{"mode":"b"}"#)]);
        machine.fuel.set(Some(death));
        let _ = open(&machine, &chain);
        machine.fuel.set(None);
        machine.rot();
        let _ = open(&machine, &chain);
        if residue(&machine) != residue(&whole) {
            bad.push((death, residue(&machine)));
        }
    }
    assert!(bad.is_empty(), "{} of them, such as {:?}", bad.len(), &bad[..bad.len().min(4)]);
}

/// A key of nobody's that lies where a record is going.
#[test]
fn a_key_that_no_version_owned_yet_is_not_overwritten() {
    let chain = chain(5);
    let mut old = OLD.to_vec();
    old.push(("conversation:a", r#""a draft that is nobody's""#));
    old.push(("conversation:zz", "7"));
    let machine = Machine::holding(&old);
    let status = open(&machine, &chain).unwrap();
    assert_eq!(
        machine.data().get("conversation:a").map(String::as_str),
        Some(r#""a draft that is nobody's""#),
        "{status:?}"
    );
}

/// After a refused restore the lost head counts as version 1.
#[test]
fn a_lost_store_stays_lost_after_a_restore_that_failed() {
    let chain = chain(5);
    let machine = Machine::holding(&OLD);
    open(&machine, &chain).unwrap();
    machine.stored.borrow_mut().remove("exuvia");
    machine.stored.borrow_mut().remove("conversation:a");
    assert_eq!(open(&machine, &chain).unwrap().state, State::Lost);
    let request = snapshot(&machine, &chain, 0);
    machine.rot();
    ask(&machine, &chain, request).unwrap_err();
    let status = open(&machine, &chain).unwrap();
    assert_eq!(status.state, State::Lost, "{status:?} {:#?}", machine.data());
}

/// What that does to data: lost at version 2, moved up again as if it were version 1.
#[test]
fn lost_data_is_not_moved_twice_after_a_restore_that_failed() {
    let chain = custom(&SWAPPED);
    let machine = Machine::holding(&[("notes", r#"[{"id":"a","at":1},{"id":"b","at":2}]"#)]);
    open(&machine, &chain).unwrap();
    machine.stored.borrow_mut().remove("exuvia");
    let request = snapshot(&machine, &chain, 0);
    machine.rot();
    ask(&machine, &chain, request).unwrap_err();
    let status = open(&machine, &chain).unwrap();
    assert_eq!(machine.data()["notes"], r#"[{"id":"a","at":1000},{"id":"b","at":2000}]"#, "{status:?}");
}

/// The update that mends a chain arrives while the way back is under way.
#[test]
fn a_mended_chain_is_tried_although_it_finished_the_way_back_of_its_forerunner() {
    let (three, five) = (chain(3), chain(5));
    let damage: simulator::Damage = |key, text| (key == "conversation:b").then(|| text.replace("hi", "ho"));
    let mut bad = Vec::new();
    for death in 0..200 {
        let machine = Machine::holding(&OLD);
        machine.damage.set(Some(damage));
        machine.fuel.set(Some(death));
        let ended = open(&machine, &three).is_ok();
        machine.fuel.set(None);
        machine.damage.set(None);
        if ended {
            break;
        }
        let status = open(&machine, &five).unwrap();
        if status.state != State::Current {
            bad.push((death, status.state, status.problem.map(|p| p.message)));
        }
    }
    assert!(bad.is_empty(), "{} of them, such as {:?}", bad.len(), &bad[..bad.len().min(4)]);
}

/// A build that knows the data but not the run's way.
#[test]
fn an_older_build_that_turned_a_run_back_still_does_what_it_can() {
    let (three, five) = (chain(3), chain(5));
    let mut bad = Vec::new();
    for death in 0..200 {
        let machine = Machine::holding(&OLD);
        machine.fuel.set(Some(death));
        let ended = open(&machine, &five).is_ok();
        machine.fuel.set(None);
        if ended {
            break;
        }
        let status = open(&machine, &three).unwrap();
        if !matches!(status.state, State::Current | State::Newer) {
            bad.push((death, status.state, status.problem.map(|p| p.message)));
        }
    }
    assert!(bad.is_empty(), "{} of them, such as {:?}", bad.len(), &bad[..bad.len().min(4)]);
}

/// A merge whose snapshot is gone.
#[test]
fn a_merge_whose_snapshot_is_gone_has_a_way_out() {
    let chain = chain(5);
    let mut bad = Vec::new();
    for merge in [Merge::Replace, Merge::Keep, Merge::Take] {
        for death in 0..200 {
            let machine = Machine::holding(&OLD);
            open(&machine, &chain).unwrap();
            let file = export(&machine, &chain);
            let staged = block_on(records(&machine, &chain).stage(Text::new(&file))).unwrap();
            machine.fuel.set(Some(death));
            let ended = ask(&machine, &chain, Request::Import { staged, merge }).is_ok();
            machine.fuel.set(None);
            if ended {
                break;
            }
            machine.rot();
            let _ = open(&machine, &chain);
            // A person tries whatever there is: the file again, in place of everything.
            let again = import(&machine, &chain, &file, Merge::Replace).map(|status| status.state);
            if again != Ok(State::Current) {
                bad.push((merge, death, again.map_err(|error| error.to_string())));
            }
        }
    }
    assert!(bad.is_empty(), "{} of them, such as {:?}", bad.len(), &bad[..bad.len().min(4)]);
}

/// A store that is more than half full.
#[test]
fn a_snapshot_can_be_restored_on_a_store_that_is_rather_full() {
    let chain = chain(5);
    let long = "x".repeat(40_000);
    let mut old = OLD.to_vec();
    let conversations = format!(r#"[{{"id":"b","title":"{long}","create_time":1,"update_time":2,"messages":[]}}]"#);
    old[1].1 = &conversations;
    let machine = Machine::holding(&old);
    open(&machine, &chain).unwrap();
    let request = snapshot(&machine, &chain, 0);
    machine.quota.set(Some(80_000));
    let status = ask(&machine, &chain, request);
    assert_eq!(status.map(|s| s.state), Ok(State::Behind));
}

/// Why it went back is forgotten once the way back had to wait.
#[test]
fn the_report_says_why_the_run_went_back_although_the_way_back_had_to_wait() {
    let chain = chain(5);
    let machine = Machine::holding(&OLD);
    machine.damage.set(Some(|key, text| match key {
        "conversation:b" => Some(text.replace("hi", "ho")),
        "conversations" => Some("[]".into()),
        _ => None,
    }));
    assert_eq!(open(&machine, &chain).unwrap().state, State::Stuck);
    machine.damage.set(None);
    let status = open(&machine, &chain).unwrap();
    assert_eq!((status.state, status.problem.unwrap().kind.as_str()), (State::Refused, "validation"));
}

/// An older Exuvia removes the snapshots of a newer one.
#[test]
fn a_manifest_of_a_later_format_is_left_alone() {
    let chain = chain(5);
    let machine = Machine::holding(&OLD);
    machine.manifests.borrow_mut().insert("later".into(), r#"{"format":2}"#.into());
    open(&machine, &chain).unwrap();
    assert!(machine.manifests.borrow().contains_key("later"));
}

/// A layout that takes the records' keys from a field.
#[test]
fn two_records_do_not_get_one_key_by_a_layout() {
    let chain = custom(&[
        r#"{"exuvia":1,"id":"one","collections":{"notes":{"layout":{"prefix":"note:"},
          "schema":{"type":"object","required":["id"],"properties":{"id":{"type":"string"}}}}}}"#,
        r#"{"exuvia":1,"id":"two","parents":["one"],"layout":{"notes":{"from":{"prefix":"note:"},"to":{"key":"notes","as":"array","id":"/id"}}}}"#,
    ]);
    let machine = Machine::holding(&[("note:1", r#"{"id":"same","t":1}"#), ("note:2", r#"{"id":"same","t":2}"#)]);
    let status = open(&machine, &chain).unwrap();
    assert_eq!(status.state, State::Refused, "{:?}", machine.data());
}

/// An import that answers `Ok` although nothing came in.
#[test]
fn a_request_that_is_not_carried_out_is_an_error() {
    let chain = chain(5);
    let machine = Machine::holding(&OLD);
    open(&machine, &chain).unwrap();
    let request = snapshot(&machine, &chain, 0);
    machine.stored.borrow_mut().insert("exuvia".into(), r#"{"format":2}"#.into());
    let answer = ask(&machine, &chain, request);
    assert!(answer.is_err(), "{answer:?}");
}

/// An old build's sweep, and deaths while an extension goes from 3 to 5 mid-run.
#[test]
fn a_longer_chain_arrives_in_the_middle() {
    let (three, five) = (chain(3), chain(5));
    let mut bad = Vec::new();
    for death in 0..200 {
        for torn in [false, true] {
            let machine = Machine::holding(&OLD);
            machine.torn.set(torn);
            machine.fuel.set(Some(death));
            let ended = open(&machine, &three).is_ok();
            machine.fuel.set(None);
            machine.torn.set(false);
            if ended {
                break;
            }
            let status = open(&machine, &five).unwrap();
            if status.state != State::Current {
                bad.push((death, status.state));
                continue;
            }
            assert_holds(&machine, &NEW, "after");
        }
    }
    assert!(bad.is_empty(), "{} of them, such as {:?}", bad.len(), &bad[..bad.len().min(4)]);
}

/// An import that does not fit is found only by writing it.
#[test]
fn an_import_over_quota_is_refused_before_anything_is_written() {
    let chain = chain(5);
    let machine = Machine::holding(&OLD);
    open(&machine, &chain).unwrap();
    let file = export(&machine, &chain)
        .replace("\"title\":\"B\"", &format!("\"title\":\"{}\"", "y".repeat(50_000)))
        .replace(",\"digest\":", ",\"x\":");
    machine.quota.set(Some(40_000));
    machine.stages.borrow_mut().clear();
    let error = import(&machine, &chain, &file, Merge::Take).unwrap_err();
    assert!(
        !machine.stages.borrow().contains(&exuvia_core::protocol::Stage::Restore),
        "{error} {:?}",
        machine.stages.borrow()
    );
}

/// A vault in which nothing can be removed, as where a browser does not open it.
#[test]
fn a_vault_that_lets_go_of_nothing_keeps_no_gate_shut() {
    let chain = chain(5);
    let mut unfit = OLD;
    unfit[1].1 = r#"[{"id":"b","title":"","create_time":1e300,"update_time":2,"messages":[]}]"#;
    for (old, state) in [(OLD, State::Current), (unfit, State::Refused)] {
        let machine = Machine::holding(&old);
        machine.clinging.set(true);
        assert_eq!(open(&machine, &chain).unwrap().state, state);
        assert!(!machine.stored.borrow()["exuvia"].contains("\"run\":{"), "the gate is open");
        assert_eq!(open(&machine, &chain).unwrap().state, state, "at the next start");
    }
}

/// A restore over a run that cannot be finished is refused: nobody knows what the data is, whatever its old head says.
#[test]
fn data_that_nobody_knows_is_lost_though_its_head_names_the_tip() {
    let chain = chain(5);
    let machine = Machine::holding(&OLD);
    open(&machine, &chain).unwrap();
    let lost = machine.stored.borrow()["exuvia"].replacen('{', "{\"lost\":true,", 1);
    machine.stored.borrow_mut().insert("exuvia".into(), lost);
    assert_eq!(open(&machine, &chain).unwrap().state, State::Lost);
    assert!(block_on(records(&machine, &chain).export(&mut Export(String::new()))).is_err(), "and is not exported");
    let file = {
        let other = Machine::holding(&OLD);
        open(&other, &chain).unwrap();
        export(&other, &chain)
    };
    let preview = block_on(records(&machine, &chain).preview(Text::new(&file), Merge::Replace)).unwrap();
    assert_eq!(preview.collections.get("conversations").unwrap().add, 3);
    assert_eq!(import(&machine, &chain, &file, Merge::Replace).unwrap().state, State::Current);
    assert_holds(&machine, &NEW, "after a file in place of everything");
}

/// Writing what does not change costs time and risks what is whole.
#[test]
fn a_record_that_stays_as_it_is_is_not_written() {
    let baseline = r#"{"exuvia":1,"id":"baseline","collections":{"notes":{"layout":{"prefix":"note:"},"schema":{"type":"object","properties":{"draft":{"type":"string"}}}}}}"#;
    let rename =
        r#"{"exuvia":1,"id":"rename","parents":["baseline"],"change":{"notes":[{"rename":"/draft","to":"/text"}]}}"#;
    let stored = [("note:changes", r#"{"draft":"a"}"#), ("note:stays", r#"{"b": 1.0,"a":[]}"#)];
    let (machine, chain) = (Machine::holding(&stored), custom(&[baseline, rename]));
    machine.damage.set(Some(|key, _| (key == "note:stays").then(|| "{}".to_owned())));
    assert_eq!(open(&machine, &chain).unwrap().state, State::Current);
    assert_holds(&machine, &[("note:changes", r#"{"text":"a"}"#), stored[1]], "after the run");
    assert_eq!(machine.stored.borrow()["note:stays"], stored[1].1, "to the byte");
}

/// A way back that could not be finished, and then what was to take its place by hand.
#[test]
fn a_deed_by_hand_that_dies_in_the_place_of_a_way_back_leaves_that_to_be_finished() {
    let (three, five) = (chain(3), chain(5));
    let stuck = || {
        let machine = Machine::holding(&OLD);
        open(&machine, &three).unwrap();
        let three = machine.data();
        // Neither version that the run is between can be written; others can.
        machine.damage.set(Some(|key, text| {
            (key == "user_preferences" && text.contains("ai_settings")).then(|| text.replace("dark", "light"))
        }));
        assert_eq!(open(&machine, &five).unwrap().state, State::Stuck);
        machine.operations.set(0);
        (machine, three)
    };
    let other = Machine::holding(&OLD[1..2]);
    open(&other, &five).unwrap();
    let brought = export(&other, &five).into_bytes();
    let restore = |machine: &Rc<Machine>| snapshot(machine, &five, 1);
    let import = |machine: &Rc<Machine>| {
        let staged = block_on(records(machine, &five).stage(Text(vec![brought.clone()]))).unwrap();
        Request::Import { staged, merge: Merge::Replace }
    };
    for imports in [false, true] {
        let request = |machine: &Rc<Machine>| if imports { import(machine) } else { restore(machine) };
        let (whole, _) = stuck();
        let asked = request(&whole);
        let prepared = whole.operations.get();
        ask(&whole, &five, asked).unwrap();
        let operations = whole.operations.get() - prepared;
        whole.damage.set(None);
        open(&whole, &five).unwrap();
        let done = whole.data();
        for death in 0..operations {
            let (machine, three) = stuck();
            let asked = request(&machine);
            machine.fuel.set(Some(death));
            let _ = ask(&machine, &five, asked);
            machine.fuel.set(None);
            machine.damage.set(None);
            let when = format!("after a death at {death}, imports {imports}");
            let status = open(&machine, &five).unwrap();
            match status.state {
                State::Refused => assert_eq!(machine.data(), three, "{when}"),
                State::Current => assert_eq!(machine.data(), done, "{when}"),
                _ => panic!("{when}: {status:?}"),
            }
            assert!(!machine.own_keys().iter().any(|key| key.starts_with("exuvia:b:")), "markers {when}");
        }
    }
}

/// The key of a collection without records is there since the run, or was there before.
#[test]
fn a_key_that_was_not_there_is_not_there_again_although_the_snapshot_is_gone() {
    let (one, two) = (collection_in_place(1), collection_in_place(2));
    for old in [&[("settings", r#"{"mode":"a"}"#)][..], &[("settings", r#"{"mode":"a"}"#), ("notes", "[]")]] {
        let whole = Machine::holding(old);
        open(&whole, &one).unwrap();
        let started = whole.operations.get();
        open(&whole, &two).unwrap();
        for death in 0..whole.operations.get() - started {
            let machine = Machine::holding(old);
            open(&machine, &one).unwrap();
            machine.fuel.set(Some(death));
            let _ = open(&machine, &two);
            machine.fuel.set(None);
            machine.sealed.borrow_mut().clear();
            machine.manifests.borrow_mut().clear();
            open(&machine, &two).unwrap();
            ask(&machine, &two, Request::Revert { to: exuvia_core::chain::Version(1) }).unwrap();
            assert_holds(&machine, old, &format!("after a death at {death}"));
            let request = snapshot(&machine, &two, block_on(records(&machine, &two).snapshots()).unwrap().len() - 1);
            ask(&machine, &two, request).unwrap();
            assert_eq!(machine.data().contains_key("notes"), old.len() > 1, "after a death at {death} and a restore");
        }
    }
}

fn collection_in_place(length: usize) -> Chain {
    custom(
        &[
            r#"{"exuvia":1,"id":"one","collections":{
                "notes":{"layout":{"key":"notes","as":"array","id":"/id"},"schema":{"type":"object","properties":{"at":{"type":"number"}}}},
                "prefs":{"layout":{"key":"settings","as":"record"},"schema":{"type":"object","properties":{"mode":{"type":"string"}}}}}}"#,
            r#"{"exuvia":1,"id":"two","parents":["one"],"change":{
                "notes":[{"convert":"/at","from":"epoch-s","to":"epoch-ms"}],"prefs":[{"add":"/loud","value":true}]}}"#,
        ][..length],
    )
}

/// Who died before the mirror of the first head was kept, and then the control key went.
#[test]
fn data_with_a_chain_beside_it_is_not_taken_for_a_first_version() {
    let chain = chain(5);
    let machine = Machine::holding(&[("user_preferences", OLD[0].1)]);
    open(&machine, &chain).unwrap();
    machine.mirror.replace(None);
    machine.stored.borrow_mut().retain(|key, _| !key.starts_with("exuvia") || key.starts_with("exuvia:c:"));
    let before = machine.stored.borrow().clone();
    assert_eq!(open(&machine, &chain).unwrap().state, State::Lost);
    assert_eq!(*machine.stored.borrow(), before);
    let oldest = snapshot(&machine, &chain, 0);
    ask(&machine, &chain, oldest).unwrap();
    assert_eq!(open(&machine, &chain).unwrap().state, State::Current, "a snapshot is the way out");
}

/// The same where the first deed by hand cannot be finished either.
#[test]
fn a_deed_that_dies_in_the_place_of_two_ways_back_leaves_both_to_be_finished() {
    let (three, five) = (chain(3), chain(5));
    let oldest = |machine: &Rc<Machine>| {
        let last = block_on(records(machine, &five).snapshots()).unwrap().len() - 1;
        snapshot(machine, &five, last)
    };
    let stuck = || {
        let machine = Machine::holding(&OLD);
        open(&machine, &three).unwrap();
        let three = machine.data();
        // Another value each time that it is written.
        machine.damage.set(Some(|key, text| {
            (key == "user_preferences" && text.contains("ai_settings")).then(|| text.replace("\"m", "\"mm"))
        }));
        assert_eq!(open(&machine, &five).unwrap().state, State::Stuck);
        let newest = snapshot(&machine, &five, 0);
        assert_eq!(ask(&machine, &five, newest).unwrap_err().kind(), ErrorKind::Stuck);
        assert_eq!(open(&machine, &five).unwrap().state, State::Stuck);
        machine.operations.set(0);
        (machine, three)
    };
    let (whole, _) = stuck();
    let asked = oldest(&whole);
    let prepared = whole.operations.get();
    ask(&whole, &five, asked).unwrap();
    let operations = whole.operations.get() - prepared;
    let (mut back, mut done) = (0, 0);
    for death in 0..operations {
        let (machine, three) = stuck();
        let asked = oldest(&machine);
        machine.fuel.set(Some(death));
        let _ = ask(&machine, &five, asked);
        machine.fuel.set(None);
        machine.damage.set(None);
        let status = open(&machine, &five).unwrap();
        match status.state {
            State::Refused => {
                assert_eq!(machine.data(), three, "after a death at {death}");
                back += 1;
            }
            State::Current => {
                assert_holds(&machine, &NEW, &format!("after a death at {death}"));
                done += 1;
            }
            _ => panic!("after a death at {death}: {status:?}"),
        }
    }
    assert!(back > 10 && done > 3, "{back} went back, {done} were done");
}

/// A store between two versions, whose control key is gone.
#[test]
fn an_import_in_place_of_data_that_nobody_knows_leaves_nothing_of_any_version() {
    let chain = chain(5);
    let other = Machine::holding(&OLD[1..2]);
    open(&other, &chain).unwrap();
    let file = export(&other, &chain);
    let mut expected = other.data();
    expected.insert("somebody_elses".to_owned(), "[1,2]".to_owned());
    let whole = Machine::holding(&OLD);
    open(&whole, &chain).unwrap();
    let mut unknown = 0;
    for death in 0..whole.operations.get() {
        let machine = Machine::holding(&OLD);
        machine.fuel.set(Some(death));
        let _ = open(&machine, &chain);
        machine.fuel.set(None);
        machine.stored.borrow_mut().remove("exuvia");
        if open(&machine, &chain).unwrap().state == State::Lost {
            import(&machine, &chain, &file, Merge::Replace).unwrap();
            assert_eq!(machine.data(), expected, "after a death at {death}");
            unknown += 1;
        }
    }
    assert!(unknown > 10, "{unknown} were of data that nobody knew");
}
