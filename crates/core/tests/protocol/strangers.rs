//! Builds, files and writers that come where they were not expected.

use std::future::Future;
use std::task::{Context, Poll, Waker};

use super::simulator::{Fate, Schedule};
use super::*;

fn arranged(texts: &[&str]) -> Chain {
    let migrations = texts.iter().map(|text| Migration::parse(text).unwrap()).collect();
    Chain::arrange(migrations, &Lock::default()).unwrap()
}

const NOTES: &str =
    r#"{"exuvia":1,"id":"baseline","collections":{"notes":{"layout":{"prefix":"note:"},"schema":{"type":"object"}}}}"#;

#[test]
fn what_was_renamed_and_then_dropped_comes_and_goes_as_often_as_builds_do() {
    const RENAME: &str =
        r#"{"exuvia":1,"id":"rename","parents":["baseline"],"rehome":[{"rename":"notes","to":"pages"}]}"#;
    const DROP: &str = r#"{"exuvia":1,"id":"drop","parents":["rename"],"rehome":[{"drop":"pages"}]}"#;
    let (one, three) = (arranged(&[NOTES]), arranged(&[NOTES, RENAME, DROP]));
    let machine = Machine::holding(&[("note:a", r#"{"x":1}"#), ("note:b", r#"{"x":2}"#)]);
    let before = machine.data();
    for turn in 0..3 {
        let up = open(&machine, &three).unwrap();
        assert_eq!((up.state, up.version.0), (State::Current, 3), "turn {turn}: {:?}", up.problem);
        assert!(machine.data().is_empty(), "turn {turn}");
        let down = open(&machine, &one).unwrap();
        assert_eq!((down.state, down.version.0), (State::Current, 1), "turn {turn}: {:?}", down.problem);
        assert_eq!(machine.data(), before, "turn {turn}");
        assert!(!machine.own_keys().iter().any(|key| key.starts_with("exuvia:a:")), "turn {turn}: nothing stays aside");
    }
}

#[test]
fn an_older_file_whose_records_have_become_parts_of_others_is_refused_by_name() {
    const TALKS: &str = r#"{"exuvia":1,"id":"talks","collections":{
      "talks":{"layout":{"prefix":"talk:"},"schema":{"type":"object"}},
      "messages":{"layout":{"prefix":"message:"},"schema":{"type":"object","required":["id","talk"],
        "properties":{"id":{"type":"string"},"talk":{"type":"string"},"text":{"type":"string"}}}}}}"#;
    const INLINE: &str = r#"{"exuvia":1,"id":"inline","parents":["talks"],
      "rehome":[{"inline":"messages","into":"talks","at":"/said","by":"/id","parent":"/talk"}]}"#;
    let (one, two) = (arranged(&[TALKS]), arranged(&[TALKS, INLINE]));
    let machine = Machine::holding(&[("talk:1", r#"{"t":1}"#), ("message:m", r#"{"id":"m","talk":"1","text":"hi"}"#)]);
    open(&machine, &one).unwrap();
    let file = export(&machine, &one);
    open(&machine, &two).unwrap();
    let before = machine.data();
    let error = import(&machine, &two, &file, Merge::Replace).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Import, "{error}");
    assert_eq!(machine.data(), before);
}

#[test]
fn a_build_of_another_baseline_loses_nothing_of_a_run_that_it_finds() {
    const MORE: &str = r#"{"exuvia":1,"id":"baseline","collections":{
      "notes":{"layout":{"prefix":"note:"},"schema":{"type":"object"}},
      "drafts":{"layout":{"key":"drafts","as":"map"},"schema":{"type":"object"}}}}"#;
    const SECOND: &str = r#"{"exuvia":1,"id":"second","parents":["baseline"],
      "layout":{"drafts":{"from":{"key":"drafts","as":"map"},"to":{"prefix":"draft:"}}},
      "change":{"notes":[{"add":"/n","value":1}]}}"#;
    let (more, less) = (arranged(&[MORE, SECOND]), arranged(&[NOTES]));
    let data = [("note:a", "{}"), ("drafts", r#"{"d":{"text":"precious"}}"#)];
    let whole = Machine::holding(&data);
    open(&whole, &more).unwrap();
    for death in 0..whole.operations.get() {
        let machine = Machine::holding(&data);
        machine.fuel.set(Some(death));
        let _ = open(&machine, &more);
        machine.fuel.set(None);
        let _ = open(&machine, &less);
        let is_there = machine.data().values().any(|text| text.contains("precious"));
        assert!(is_there, "after a death at {death}: {:?}", machine.data());
    }
}

#[test]
fn a_writer_that_slept_while_a_newer_build_moved_the_data_writes_nothing() {
    const TEXTS: &str = r#"{"exuvia":1,"id":"baseline","collections":{"notes":{"layout":{"prefix":"note:"},
      "schema":{"type":"object","required":["text"],"properties":{"text":{"type":"string"}}}}}}"#;
    const RENAME: &str =
        r#"{"exuvia":1,"id":"up","parents":["baseline"],"change":{"notes":[{"rename":"/text","to":"/body"}]}}"#;
    let (one, two) = (arranged(&[TEXTS]), arranged(&[TEXTS, RENAME]));
    let machine = Machine::holding(&[("note:a", r#"{"text":"old"}"#)]);
    open(&machine, &one).unwrap();
    machine.schedule.replace(Some(Schedule::default()));
    let process = machine.numbered(1);
    let records = Records::new(&one, process.clone(), process.clone(), process, 3);
    let mut writing = Box::pin(records.write_record("notes", "a", Some(r#"{"text":"new"}"#)));
    let mut context = Context::from_waker(Waker::noop());
    let written = loop {
        if let Poll::Ready(written) = writing.as_mut().poll(&mut context) {
            break written;
        }
        let ready = machine.schedule.borrow().as_ref().unwrap().ready();
        let (task, operation) = ready.first().cloned().expect("an operation is under way");
        if operation.name == "hear" {
            // The browser took the lock from the page that sleeps.
            machine.schedule.borrow_mut().as_mut().unwrap().break_lock();
            let schedule = machine.schedule.take();
            assert_eq!(open(&machine, &two).unwrap().state, State::Current);
            machine.schedule.replace(schedule);
        }
        let sleeps = operation.name == "get" && operation.keys == ["exuvia:r:notes:a"];
        let fate = if sleeps { Fate::Sleeps } else { Fate::Happens };
        machine.schedule.borrow_mut().as_mut().unwrap().decide(task, fate);
    };
    machine.schedule.replace(None);
    assert!(written.is_err(), "the writer is told");
    assert_eq!(machine.data()["note:a"], r#"{"body":"old"}"#);
}
