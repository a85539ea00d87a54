//! Ways that are not simply up: builds that are older than the data, or of another branch.

use exuvia_core::protocol::Outcome;

use super::*;

/// A store that a build has brought to its chain's tip.
pub fn at(chain: &Chain) -> Rc<Machine> {
    let machine = Machine::holding(&OLD);
    open(&machine, chain).unwrap();
    machine.operations.set(0);
    machine
}

fn state(machine: &Rc<Machine>, chain: &Chain) -> State {
    block_on(status(&records(machine, chain), chain)).unwrap().state
}

pub fn set(machine: &Machine, key: &str, from: &str, to: &str) {
    let mut stored = machine.stored.borrow_mut();
    let text = stored[key].replace(from, to);
    assert_ne!(stored[key], text, "{from} is in {key}");
    stored.insert(key.to_owned(), text);
}

/// Goes from one build to another, dying at each operation on the way, and going on with one of `finishers` after
/// another; half of the time also with a torn batch, or without the snapshot.
pub fn die_at_every_operation(
    start: impl Fn() -> Rc<Machine>,
    to: &Chain,
    finishers: &[&Chain],
    expected: &[(&str, &str)],
) {
    let whole = start();
    open(&whole, to).unwrap();
    assert_holds(&whole, expected, "undisturbed");
    for death in 0..whole.operations.get() {
        let disturbed = if death % 2 == 0 { (true, false) } else { (false, true) };
        for (turn, (torn, rotten)) in [(false, false), disturbed].into_iter().enumerate() {
            let machine = start();
            machine.torn.set(torn);
            machine.fuel.set(Some(death));
            assert!(open(&machine, to).is_err(), "the process dies at operation {death}");
            machine.fuel.set(None);
            machine.torn.set(false);
            if rotten {
                machine.rot();
            }
            let when = format!("after a death at {death}, torn {torn}, rotten {rotten}");
            open(&machine, finishers[(death + turn) % finishers.len()]).unwrap();
            let status = open(&machine, to).unwrap();
            assert_eq!(status.state, State::Current, "{when}: {status:?}");
            assert_holds(&machine, expected, &when);
        }
    }
}

#[test]
fn an_older_build_brings_newer_data_down_by_the_chain_that_is_kept_beside_it() {
    for length in [1, 2, 3, 4] {
        let (older, five) = (chain(length), chain(5));
        let machine = at(&five);
        assert_eq!(state(&machine, &older), State::Ahead);
        let status = open(&machine, &older).unwrap();
        assert_eq!((status.state, status.version.0), (State::Current, length as u32));
        let report = status.last_run.unwrap();
        assert_eq!((report.outcome, report.from.0, report.to.0), (Outcome::Committed, 5, length as u32));
        let expected = at(&older).data();
        let expected: Vec<_> = expected.iter().map(|(key, text)| (&**key, &**text)).collect();
        assert_holds(&machine, &expected, "as if the newer build had never been there");
        assert_eq!(open(&machine, &five).unwrap().state, State::Current);
        assert_holds(&machine, &NEW, "up again");
    }
}

#[test]
fn a_fresh_store_of_a_newer_build_goes_down_too() {
    let machine = Machine::holding(&[]);
    let (three, five) = (chain(3), chain(5));
    open(&machine, &five).unwrap();
    machine.stored.borrow_mut().insert(NEW[1].0.into(), NEW[1].1.into());
    assert_eq!(open(&machine, &three).unwrap().state, State::Current);
    assert!(machine.data().contains_key("conversation:a"));
    for death in 0..4 {
        let machine = Machine::holding(&[]);
        machine.fuel.set(Some(death));
        open(&machine, &five).unwrap_err();
        machine.fuel.set(None);
        assert_eq!(open(&machine, &five).unwrap().version.0, 5, "after a death at {death}");
        assert_eq!(open(&machine, &three).unwrap().version.0, 3, "after a death at {death}");
    }
}

#[test]
fn a_death_at_any_operation_of_a_downgrade_ends_in_the_old_data_whoever_goes_on() {
    let (one, three, five) = (chain(1), chain(3), chain(5));
    die_at_every_operation(|| at(&five), &one, &[&one, &three, &five], &OLD);
}

#[test]
fn what_is_written_in_either_version_comes_along_up_and_down() {
    let (one, five) = (chain(1), chain(5));
    let machine = at(&five);
    set(&machine, "conversation:b", "\"hi\"", "\"five\"");
    set(
        &machine,
        "conversation:c",
        "\"messages\":[]",
        "\"messages\":[{\"role\":\"tool\",\"text\":\"new\",\"time\":null}]",
    );
    set(&machine, "user_preferences", "\"retain_days\":90", "\"retain_days\":7");
    machine.stored.borrow_mut().remove("conversation:a");
    open(&machine, &one).unwrap();
    set(&machine, "conversations", "\"B\"", "\"B one\"");
    set(&machine, "distillations", "\"x,y, z\"", "\"x,w\"");
    open(&machine, &five).unwrap();
    let data = machine.data();
    assert!(data["conversation:b"].contains("B one") && data["conversation:b"].contains("\"five\""), "{data:#?}");
    assert!(data["conversation:c"].contains("\"tool\""), "what version 1 cannot say is kept: {data:#?}");
    assert!(data["user_preferences"].contains("\"retain_days\":7"), "{data:#?}");
    assert!(!data.contains_key("conversation:a"), "deleted stays deleted");
    assert!(data["distillation:d"].contains(r#"["x,w"]"#), "{data:#?}");
}

#[test]
fn a_chain_that_is_not_the_one_that_the_data_ran_is_never_used() {
    let (one, five) = (chain(1), chain(5));
    let tamper: [fn(&str) -> String; 5] = [
        |text| text.replace("365", "366"),
        |text| text.replace("/role", "/part"),
        |text| text[..text.len() / 2].to_owned() + "\"",
        |_| "\"\"".to_owned(),
        |_| "7".to_owned(),
    ];
    for (index, tamper) in tamper.into_iter().enumerate() {
        let machine = at(&five);
        let key = machine.own_keys().into_iter().find(|key| key.starts_with("exuvia:c:")).unwrap();
        let text = tamper(&machine.stored.borrow()[&key]);
        assert_ne!(machine.stored.borrow_mut().insert(key, text.clone()).unwrap(), text, "tampering {index}");
        let before = machine.stored.borrow().clone();
        let status = open(&machine, &one).unwrap();
        assert_eq!((status.state, &*status.problem.unwrap().kind), (State::Newer, "newer"), "tampering {index}");
        assert_eq!(*machine.stored.borrow(), before, "tampering {index}");
    }
}

#[test]
fn a_chain_that_belongs_to_other_data_is_never_used() {
    let (one, three, five) = (chain(1), chain(3), chain(5));
    let (machine, other) = (at(&five), at(&three));
    forget_chains(&machine);
    let others = other.stored.borrow().clone();
    machine.stored.borrow_mut().extend(others.into_iter().filter(|(key, _)| key.starts_with("exuvia:c:")));
    let before = machine.stored.borrow().clone();
    assert_eq!(open(&machine, &one).unwrap().state, State::Newer);
    assert_eq!(*machine.stored.borrow(), before);
}

#[test]
fn one_chain_is_kept_and_it_is_the_one_that_ran_last() {
    let kept = |machine: &Machine| {
        let stored = machine.stored.borrow();
        let texts = stored.iter().filter(|(key, _)| key.starts_with("exuvia:c:"));
        let text = |value: &String| Value::parse(value).unwrap().text().unwrap().unwrap().into_owned();
        texts.map(|(_, value)| Chain::read(&text(value)).unwrap().lock()).collect::<Vec<_>>()
    };
    let (three, five) = (chain(3), chain(5));
    let machine = at(&three);
    assert_eq!(kept(&machine), [three.lock()]);
    open(&machine, &five).unwrap();
    assert_eq!(kept(&machine), [five.lock()]);
    open(&machine, &three).unwrap();
    assert_eq!(kept(&machine), [three.lock()]);
}

#[test]
fn a_record_that_has_no_way_down_refuses_the_downgrade_and_stays() {
    let (one, five) = (chain(1), chain(5));
    let machine = at(&five);
    set(&machine, "conversation:b", "\"create_time\":\"", "\"create_time\":\"no time ");
    let before = machine.data();
    let status = open(&machine, &one).unwrap();
    assert_eq!((status.state, status.version.0), (State::Refused, 5));
    assert_eq!(status.problem.unwrap().record.as_deref(), Some("b"));
    assert_eq!(machine.data(), before);
    assert_eq!(state(&machine, &five), State::Current, "at home where it came from");
}

#[test]
fn a_snapshot_of_newer_data_is_restored_by_an_older_build_and_goes_down() {
    let (one, five) = (chain(1), chain(5));
    let machine = at(&five);
    open(&machine, &one).unwrap();
    let snapshots = block_on(records(&machine, &one).snapshots()).unwrap();
    let newest = snapshots.iter().find(|snapshot| snapshot.line.len() == 5).unwrap().id.clone();
    let (seal, line) = block_on(records(&machine, &one).find_snapshot(&newest)).unwrap();
    assert_eq!(ask(&machine, &one, Request::Restore { seal, line }).unwrap().state, State::Ahead);
    assert_holds(&machine, &NEW, "after the restore");
    assert_eq!(open(&machine, &one).unwrap().state, State::Current);
    assert_holds(&machine, &OLD, "down again");
}

/// A chain of notes that forked into two branches, each of which makes an object that the other makes too.
const BRANCHES: [&str; 3] = [
    r#"{"exuvia":1,"id":"base","collections":{"notes":{"layout":{"key":"notes","as":"array","id":"/id"},
      "schema":{"type":"object","required":["id","mode","at","x","y"],"properties":{"id":{"type":"string"},
      "mode":{"enum":["a","b","c"]},"at":{"type":"number"},"x":{"type":"number"},"y":{"type":"number"}}}}}}"#,
    r#"{"exuvia":1,"id":"left","parents":["base"],
      "layout":{"notes":{"from":{"key":"notes","as":"array","id":"/id"},"to":{"prefix":"note:"}}},
      "change":{"notes":[{"convert":"/at","from":"epoch-s","to":"iso"},{"move":"/x","to":"/box/x"}]}}"#,
    r#"{"exuvia":1,"id":"right","parents":["base"],"change":{"notes":[{"move":"/y","to":"/box/y"},
      {"add":"/pinned","value":false},{"map":"/mode","table":{"a":"z","b":"z","c":"c"},"back":{"z":"a"}}]}}"#,
];

const NOTES: [(&str, &str); 2] = [
    (
        "notes",
        r#"[{"id":"n","mode":"b","at":1,"x":1,"y":2,"u":null},{"id":"m","mode":"a","at":2.5,"x":3,"y":4,"box":7},{"id":"o","mode":"c","at":0,"x":5,"y":6}]"#,
    ),
    ("other", "1"),
];

/// The chain of these migrations, frozen one after the other.
fn branch(indices: &[usize]) -> Chain {
    let arrange = |count: usize, lock: &Lock| {
        let migrations = indices[..count].iter().map(|&index| Migration::parse(BRANCHES[index]).unwrap()).collect();
        Chain::arrange(migrations, lock).unwrap()
    };
    let lock = (1..indices.len()).fold(Lock::default(), |lock, count| arrange(count, &lock).lock());
    arrange(indices.len(), &lock)
}

fn noting(chain: &Chain) -> Rc<Machine> {
    let machine = Machine::holding(&NOTES);
    assert_eq!(open(&machine, chain).unwrap().state, State::Current);
    machine.operations.set(0);
    machine
}

fn holdings(machine: &Machine) -> Vec<(String, String)> {
    machine.data().into_iter().collect()
}

fn borrowed(data: &[(String, String)]) -> Vec<(&str, &str)> {
    data.iter().map(|(key, text)| (&**key, &**text)).collect()
}

#[test]
fn data_that_ran_either_branch_finds_its_way_to_the_merged_line() {
    for merged in [branch(&[0, 1, 2]), branch(&[0, 2, 1])] {
        let straight = holdings(&noting(&merged));
        for from in [branch(&[0, 1]), branch(&[0, 2]), branch(&[0, 1, 2]), branch(&[0, 2, 1])] {
            let machine = noting(&from);
            let status = open(&machine, &merged).unwrap();
            assert_eq!(status.state, State::Current, "{status:?}");
            assert_holds(&machine, &borrowed(&straight), "on the merged line");
            assert_eq!(open(&machine, &from).unwrap().state, State::Current);
            assert_holds(&machine, &borrowed(&holdings(&noting(&from))), "and back on the branch");
        }
    }
}

#[test]
fn what_was_written_on_a_branch_comes_along_to_the_merged_line_by_whichever_way() {
    let (left, right, merged) = (branch(&[0, 1]), branch(&[0, 2]), branch(&[0, 1, 2]));
    for by_the_other in [false, true] {
        let machine = noting(&right);
        set(&machine, "notes", r#""pinned":false"#, r#""pinned":true"#);
        set(&machine, "notes", r#""y":2"#, r#""y":22"#);
        if by_the_other {
            assert_eq!(open(&machine, &left).unwrap().state, State::Current);
            assert!(!machine.data()["note:n"].contains("pinned"));
            set(&machine, "note:n", "\"x\":1", "\"x\":11");
        }
        assert_eq!(open(&machine, &merged).unwrap().state, State::Current);
        let note = machine.data()["note:n"].clone();
        assert!(note.contains(r#""pinned":true"#) && note.contains(r#""y":22"#), "{note}");
        assert_eq!(note.contains(r#""x":11"#), by_the_other, "{note}");
        open(&machine, &branch(&[0])).unwrap();
        assert!(
            machine.data()["notes"].contains(r#""mode":"b""#),
            "the residue of the branch: {}",
            machine.data()["notes"]
        );
    }
}

#[test]
fn a_death_at_any_operation_between_branches_ends_at_the_end_of_the_way_whoever_goes_on() {
    let (left, right, merged) = (branch(&[0, 1]), branch(&[0, 2]), branch(&[0, 1, 2]));
    for to in [&merged, &left] {
        let expected = holdings(&noting(to));
        die_at_every_operation(|| noting(&right), to, &[to, &right, &merged], &borrowed(&expected));
    }
}

#[test]
fn a_migration_that_was_edited_on_one_branch_is_not_taken_for_the_other() {
    let (right, left) = (branch(&[0, 2]), Migration::parse(BRANCHES[1]).unwrap());
    let edited = Migration::parse(&BRANCHES[2].replace("\"value\":false", "\"value\":true")).unwrap();
    let base = Migration::parse(BRANCHES[0]).unwrap();
    let other = Chain::arrange(vec![base, left, edited], &Lock::default()).unwrap();
    let machine = noting(&right);
    let before = machine.data();
    let status = open(&machine, &other).unwrap();
    let problem = status.problem.unwrap();
    assert_eq!((status.state, &*problem.kind, problem.migration.as_deref()), (State::Refused, "edited", Some("right")));
    assert_eq!(machine.data(), before);
}

const GROWN: [&str; 2] = [
    r#"{"exuvia":1,"id":"begun","parents":["base"],"collections":{
      "tags":{"layout":{"prefix":"tag:"},"schema":{"type":"object","required":["n"],"properties":{"n":{"type":"number"},"note":{"type":"string"}}}},
      "sizes":{"layout":{"key":"sizes","as":"map"}}}}"#,
    r#"{"exuvia":1,"id":"told","parents":["begun"],"change":{"tags":[{"rename":"/n","to":"/count"},{"remove":"/note"}]}}"#,
];

/// The chain of notes, with collections that begin later.
fn grown(length: usize) -> Chain {
    let texts = std::iter::once(BRANCHES[0]).chain(GROWN);
    Chain::arrange(texts.take(length).map(|text| Migration::parse(text).unwrap()).collect(), &Lock::default()).unwrap()
}

fn tagged() -> Rc<Machine> {
    let machine = noting(&grown(2));
    let tags = [
        ("tag:a", r#"{"n":1,"u":[]}"#),
        ("tag:b", r#"{"n":2,"more":{"x":1.0},"note":"kept"}"#),
        ("sizes", r#"{"s":5,"t":{}}"#),
    ];
    machine.stored.borrow_mut().extend(tags.map(|(key, text)| (key.to_owned(), text.to_owned())));
    open(&machine, &grown(3)).unwrap();
    machine.operations.set(0);
    machine
}

#[test]
fn a_collection_that_an_older_version_does_not_know_waits_for_the_way_up() {
    let (one, three) = (grown(1), grown(3));
    let machine = tagged();
    let before = holdings(&machine);
    assert_eq!(open(&machine, &one).unwrap().state, State::Current);
    assert_holds(&machine, &NOTES, "nothing of it lies in the way");
    assert_eq!(open(&machine, &three).unwrap().state, State::Current);
    assert_holds(&machine, &borrowed(&before), "up again");
    assert!(!machine.own_keys().iter().any(|key| key.starts_with("exuvia:a:")), "{:?}", machine.own_keys());
}

#[test]
fn a_death_while_a_collection_waits_or_comes_back_loses_nothing_of_it() {
    let (one, two, three) = (grown(1), grown(2), grown(3));
    let expected = holdings(&tagged());
    die_at_every_operation(tagged, &one, &[&one, &three, &two], &NOTES);
    let waiting = || {
        let machine = tagged();
        open(&machine, &one).unwrap();
        machine.operations.set(0);
        machine
    };
    die_at_every_operation(waiting, &three, &[&three, &one, &two], &borrowed(&expected));
}
