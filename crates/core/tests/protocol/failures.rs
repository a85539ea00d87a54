//! What has gone wrong elsewhere, a case each, named for what happened. What the same events do to others is in
//! docs/failures.md.

use super::sequences::custom;
use super::*;

const NOTES: &str = r#"{"exuvia":1,"id":"baseline","collections":{"notes":{"layout":{"prefix":"note:"},
    "schema":{"type":"object","properties":{"at":{"type":"number"},"draft":{"type":["string","null"]}}}},
    "flags":{"layout":{"prefix":"flag:"},"schema":{"type":["boolean","null"]}}}}"#;

const TIMES: &str = r#"{"exuvia":1,"id":"times","parents":["baseline"],
    "change":{"notes":[{"convert":"/at","from":"epoch-s","to":"iso"}]}}"#;

const TEXTS: &str = r#"{"exuvia":1,"id":"texts","parents":["baseline"],
    "change":{"notes":[{"rename":"/draft","to":"/text"}]}}"#;

/// The second time is in no year that ISO 8601 can write.
const TIMED: [(&str, &str); 2] = [("note:a", r#"{"at":1,"draft":"a"}"#), ("note:b", r#"{"at":1e300,"draft":"b"}"#)];

/// A machine for each operation of a run at which its process may die, after it did.
fn deaths(machine: impl Fn() -> Rc<Machine>, chain: &Chain) -> impl Iterator<Item = (usize, Rc<Machine>)> {
    let whole = machine();
    whole.operations.set(0);
    open(&whole, chain).unwrap();
    (0..whole.operations.get()).map(move |death| {
        let machine = machine();
        machine.fuel.set(Some(death));
        assert!(open(&machine, chain).is_err(), "the process dies at operation {death}");
        machine.fuel.set(None);
        (death, machine)
    })
}

/// Elsewhere it is logged, and the version moves on; or the data counts as gone.
#[test]
fn a_migration_throws() {
    let (machine, chain) = (Machine::holding(&TIMED), custom(&[NOTES, TIMES]));
    open(&machine, &custom(&[NOTES])).unwrap();
    let status = open(&machine, &chain).unwrap();
    assert_eq!((status.state, status.version.0), (State::Refused, 1));
    assert_eq!(status.problem.unwrap().record.as_deref(), Some("b"));
    assert_holds(&machine, &TIMED, "after the refusal");
}

/// Elsewhere the application starts with its defaults, and the next thing that is saved overwrites everything.
#[test]
fn defaults_overwrite_the_data_after_a_migration_failed() {
    let (machine, chain) = (Machine::holding(&TIMED), custom(&[NOTES, TIMES]));
    assert_eq!(open(&machine, &chain).unwrap().state, State::Refused);
    assert_eq!(open(&machine, &chain).unwrap().state, State::Refused, "no start takes the data for new");
    let mended = custom(&[NOTES, TEXTS]);
    assert_eq!(open(&machine, &mended).unwrap().state, State::Current);
    let moved = [("note:a", r#"{"at":1,"text":"a"}"#), ("note:b", r#"{"at":1e300,"text":"b"}"#)];
    assert_holds(&machine, &moved, "after the mended chain");
}

/// Elsewhere old-shaped data is stored under the new version.
#[test]
fn an_older_build_comes_back() {
    let machine = Machine::holding(&OLD);
    open(&machine, &chain(5)).unwrap();
    assert_eq!(open(&machine, &chain(1)).unwrap().state, State::Current, "the older build goes down along the chain");
    assert_holds(&machine, &OLD, "with the older build");
    let saved = |(key, text): (&str, &str)| (key.to_owned(), text.replace("dark", "light"));
    machine.stored.borrow_mut().extend([saved(OLD[0])]);
    assert_eq!(open(&machine, &chain(5)).unwrap().state, State::Current);
    let (key, text) = saved(NEW[0]);
    let expected: Vec<_> = [(&*key, &*text)].into_iter().chain(NEW[1..].iter().copied()).collect();
    assert_holds(&machine, &expected, "with the newer build again");
}

/// Elsewhere each context moves the data, one over the other's, and what a user wrote in between is lost. Here the second
/// takes over what the first has left half done. That pages wait for the worker is tested in tests/e2e/update.spec.ts.
#[test]
fn two_contexts_start_at_once() {
    let chain = chain(5);
    for (death, machine) in deaths(|| Machine::holding(&OLD), &chain) {
        assert_eq!(open(&machine, &chain).unwrap().state, State::Current);
        let written = r#"{"theme":"light"}"#;
        machine.stored.borrow_mut().insert("somebody_elses".into(), written.into());
        let again = open(&machine, &chain).unwrap();
        assert_eq!(again.state, State::Current, "the second context finds nothing to do, after {death}");
        assert_eq!(machine.stored.borrow()["somebody_elses"], written, "what was written since stays");
    }
}

/// Elsewhere null is nothing: the value, or the record, is deleted.
#[test]
fn a_value_is_null() {
    let stored = [("note:field", r#"{"draft":null}"#), ("flag:whole", "null")];
    let (machine, chain) = (Machine::holding(&stored), custom(&[NOTES, TEXTS]));
    assert_eq!(open(&machine, &chain).unwrap().state, State::Current);
    assert_holds(&machine, &[("note:field", r#"{"text":null}"#), ("flag:whole", "null")], "after the run");
}

/// Elsewhere a restore writes what the copy holds, and leaves what it does not hold.
#[test]
fn a_restore_meets_newer_keys() {
    let (machine, chain) = (Machine::holding(&OLD), chain(5));
    open(&machine, &chain).unwrap();
    machine.stored.borrow_mut().insert("conversation:later".into(), r#"{"id":"later"}"#.into());
    let id = block_on(records(&machine, &chain).snapshots()).unwrap()[0].id.clone();
    let (seal, line) = block_on(records(&machine, &chain).find_snapshot(&id)).unwrap();
    ask(&machine, &chain, Request::Restore { seal, line }).unwrap();
    assert_holds(&machine, &OLD, "after the restore");
}

/// Elsewhere old migrations run over data that was new from the start.
#[test]
fn a_fresh_installation_has_a_long_chain() {
    let (machine, chain) = (Machine::holding(&[]), chain(5));
    let status = open(&machine, &chain).unwrap();
    assert_eq!((status.state, status.version.0), (State::Current, 5));
    let fresh = ("conversation:a", r#"{"id":"a","messages":"in a form of its own"}"#);
    machine.stored.borrow_mut().insert(fresh.0.into(), fresh.1.into());
    assert_eq!(open(&machine, &chain).unwrap().state, State::Current);
    assert_holds(&machine, &[fresh], "at the next start");
}

/// Elsewhere everything is cleared, and then there is no room for what was to come.
#[test]
fn an_import_is_larger_than_the_quota() {
    let chain = chain(5);
    let full = Machine::holding(&OLD);
    open(&full, &chain).unwrap();
    let file = export(&full, &chain);
    let machine = Machine::holding(&[("somebody_elses", "[1,2]")]);
    open(&machine, &chain).unwrap();
    let used = machine.stored.borrow().iter().map(|(key, text)| (key.len() + text.len()) as u64).sum::<u64>();
    machine.quota.set(Some(used + 300));
    let error = import(&machine, &chain, &file, Merge::Replace).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Quota);
    assert_holds(&machine, &[("somebody_elses", "[1,2]")], "after the import");
}

/// Elsewhere the value is moved twice, or never.
#[test]
fn a_kill_comes_between_the_value_and_its_version() {
    let chain = custom(&[NOTES, TIMES]);
    for (death, machine) in deaths(|| Machine::holding(&TIMED[..1]), &chain) {
        assert_eq!(open(&machine, &chain).unwrap().state, State::Current);
        let moved = [("note:a", r#"{"at":"1970-01-01T00:00:01Z","draft":"a"}"#)];
        assert_holds(&machine, &moved, &format!("after a death at {death}"));
    }
}

/// Elsewhere nobody notices, and two users with one version have two forms of data.
#[test]
fn a_migration_that_ran_is_edited() {
    let machine = Machine::holding(&TIMED[..1]);
    open(&machine, &custom(&[NOTES, TIMES])).unwrap();
    let before = machine.stored.borrow().clone();
    let edited = TIMES.replace("\"iso\"}", "\"iso\"},{\"remove\":\"/draft\"}");
    assert_eq!(open(&machine, &custom(&[NOTES, &edited])).unwrap().state, State::Edited);
    assert_eq!(*machine.stored.borrow(), before, "nothing is written");
}

/// Elsewhere the event that drives the migration never comes.
#[test]
fn updates_come_while_the_extension_is_disabled() {
    let machine = Machine::holding(&OLD);
    assert_eq!(open(&machine, &chain(1)).unwrap().state, State::Current);
    assert_eq!(open(&machine, &chain(5)).unwrap().version.0, 5, "no build between has ever run");
    assert_holds(&machine, &NEW, "after the jump");
}

/// Elsewhere it starts over, from half-moved data. Here the browser closes in each attempt, a little later each time.
#[test]
fn the_browser_closes_in_the_middle_of_a_run() {
    let (machine, chain) = (Machine::holding(&OLD), chain(5));
    for fuel in 1.. {
        machine.fuel.set(Some(7 * fuel));
        if open(&machine, &chain).is_ok() {
            break;
        }
    }
    machine.fuel.set(None);
    assert_eq!(open(&machine, &chain).unwrap().state, State::Current);
    assert_holds(&machine, &NEW, "in the end");
}
