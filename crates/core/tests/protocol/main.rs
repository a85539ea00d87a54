//! The protocol over a store in memory: whole runs, failing runs, and a death at every operation.

#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod access;
mod collections;
mod failures;
mod files;
mod kept;
mod retention;
mod reverts;
mod room;
mod routes;
mod rules;
mod sequences;
#[path = "../simulator/machine.rs"]
mod simulator;
mod strangers;
mod strays;

use std::collections::BTreeMap;
use std::rc::Rc;

use exuvia_core::chain::Chain;
use exuvia_core::chain::{Lock, Migration};
use exuvia_core::document::Value;
use exuvia_core::protocol::{Merge, Request, State, Status, run, status};
use exuvia_core::records::{Bytes, Records, Sink};
use exuvia_core::{ErrorKind, Result};
use pollster::block_on;
use simulator::Machine;

const MIGRATIONS: [&str; 5] = [
    include_str!("../../../../extension/chain/0001-baseline.json"),
    include_str!("../../../../extension/chain/0002-ai-settings.json"),
    include_str!("../../../../extension/chain/0003-conversation-keys.json"),
    include_str!("../../../../extension/chain/0004-distillation-notes.json"),
    include_str!("../../../../extension/chain/0005-privacy.json"),
];

const OLD: [(&str, &str); 4] = [
    (
        "user_preferences",
        r#"{"model_preference":"m","privacy_mode":"balanced","theme":"dark","shortcuts":{},"api_keys":{},"x":{"__proto__":1}}"#,
    ),
    (
        "conversations",
        r#"[{"id":"b","title":"B","create_time":1.5,"update_time":2,"messages":[{"sender":"human","text":"hi","time":null}]},{"id":"a","title":"","create_time":0,"update_time":0,"messages":[]},{"id":"c","title":"","create_time":0,"update_time":0,"messages":[]}]"#,
    ),
    (
        "distillations",
        r#"{"d":{"conversation":"a","text":"T","tags":"x,y, z","created":3},"e":{"conversation":"b","text":"","tags":"","created":4}}"#,
    ),
    ("somebody_elses", "[1,2]"),
];

const NEW: [(&str, &str); 7] = [
    (
        "user_preferences",
        r#"{"theme":"dark","shortcuts":{},"api_keys":{},"x":{"__proto__":1},"ai_settings":{"model_preference":"m","auto_distill":false},"privacy":{"store_history":true,"share_usage":false,"retain_days":90}}"#,
    ),
    (
        "conversation:a",
        r#"{"id":"a","title":"","create_time":"1970-01-01T00:00:00Z","update_time":"1970-01-01T00:00:00Z","messages":[]}"#,
    ),
    (
        "conversation:b",
        r#"{"id":"b","title":"B","create_time":"1970-01-01T00:00:01.5Z","update_time":"1970-01-01T00:00:02Z","messages":[{"role":"user","text":"hi","time":null}]}"#,
    ),
    (
        "conversation:c",
        r#"{"id":"c","title":"","create_time":"1970-01-01T00:00:00Z","update_time":"1970-01-01T00:00:00Z","messages":[]}"#,
    ),
    (
        "distillation:d",
        r#"{"conversation_id":"a","tags":["x,y","z"],"created":3,"body":{"format":"markdown","text":"T"}}"#,
    ),
    ("distillation:e", r#"{"conversation_id":"b","tags":[],"created":4,"body":{"format":"markdown","text":""}}"#),
    ("somebody_elses", "[1,2]"),
];

fn chain(length: usize) -> Chain {
    let migrations = MIGRATIONS[..length].iter().map(|text| Migration::parse(text).unwrap()).collect();
    Chain::arrange(migrations, &Lock::default()).unwrap()
}

fn open(machine: &Rc<Machine>, chain: &Chain) -> Result<Status> {
    ask(machine, chain, Request::Migrate { retry: false })
}

fn ask(machine: &Rc<Machine>, chain: &Chain, request: Request) -> Result<Status> {
    block_on(run(&records(machine, chain), chain, request))
}

fn records<'c>(
    machine: &Rc<Machine>,
    chain: &'c Chain,
) -> Records<'c, simulator::Process, simulator::Process, simulator::Process> {
    let process = machine.process();
    Records::new(chain, process.clone(), process.clone(), process, 3)
}

/// Takes away the chains that are kept beside the data.
fn forget_chains(machine: &Machine) {
    machine.stored.borrow_mut().retain(|key, _| !key.starts_with("exuvia:c:"));
}

#[track_caller]
fn assert_holds(machine: &Machine, expected: &[(&str, &str)], when: &str) {
    let found = machine.data();
    let expected: BTreeMap<_, _> = expected.iter().copied().collect();
    assert_eq!(
        found.keys().map(String::as_str).collect::<Vec<_>>(),
        expected.keys().copied().collect::<Vec<_>>(),
        "keys {when}"
    );
    for (key, text) in &found {
        assert_eq!(Value::parse(text).unwrap(), Value::parse(expected[&**key]).unwrap(), "{key} {when}: {text}");
    }
}

#[test]
fn data_moves_to_the_tip_and_nothing_is_left_behind() {
    let (machine, chain) = (Machine::holding(&OLD), chain(5));
    let status = open(&machine, &chain).unwrap();
    assert_eq!((status.state, status.version.0), (State::Current, 5));
    assert_holds(&machine, &NEW, "after the run");
    let report = status.last_run.unwrap();
    assert_eq!(report.records.values().sum::<u64>(), 6);
    assert!(!machine.own_keys().iter().any(|key| key.starts_with("exuvia:b:")), "markers are swept");
    let before = machine.stored.borrow().clone();
    assert_eq!(open(&machine, &chain).unwrap().state, State::Current);
    assert_eq!(*machine.stored.borrow(), before, "a second run writes nothing");
}

#[test]
fn a_death_at_any_operation_ends_in_the_new_data() {
    let chain = chain(5);
    let whole = Machine::holding(&OLD);
    open(&whole, &chain).unwrap();
    let operations = whole.operations.get();
    assert!(operations > 30, "the run has {operations} operations");
    for death in 0..operations {
        for torn in [false, true] {
            let machine = Machine::holding(&OLD);
            machine.torn.set(torn);
            machine.fuel.set(Some(death));
            assert!(open(&machine, &chain).is_err(), "the process dies at operation {death}");
            machine.fuel.set(None);
            machine.torn.set(false);
            let status = open(&machine, &chain).unwrap();
            assert_eq!(status.state, State::Current, "after a death at {death}, torn {torn}: {status:?}");
            assert_holds(&machine, &NEW, &format!("after a death at {death}, torn {torn}"));
        }
    }
}

#[test]
fn a_death_that_takes_the_snapshot_along_ends_in_the_new_data_too() {
    let chain = chain(5);
    let whole = Machine::holding(&OLD);
    open(&whole, &chain).unwrap();
    for death in 0..whole.operations.get() {
        let machine = Machine::holding(&OLD);
        machine.fuel.set(Some(death));
        let _ = open(&machine, &chain);
        machine.fuel.set(None);
        machine.rot();
        let status = open(&machine, &chain).unwrap();
        assert_eq!(status.state, State::Current, "after a death at {death} and a rotten snapshot: {status:?}");
        assert_holds(&machine, &NEW, &format!("after a death at {death} and a rotten snapshot"));
    }
}

#[test]
fn data_that_was_moved_before_keeps_its_residue_when_a_death_takes_the_snapshot_along() {
    let (three, five) = (chain(3), chain(5));
    let moved = || {
        let machine = Machine::holding(&OLD);
        open(&machine, &three).unwrap();
        machine.operations.set(0);
        machine
    };
    let whole = moved();
    open(&whole, &five).unwrap();
    let residues = |machine: &Machine| {
        let stored = machine.stored.borrow();
        let own = stored.iter().filter(|(key, _)| key.starts_with("exuvia:r:"));
        own.map(|(key, text)| (key.clone(), text.clone())).collect::<Vec<_>>()
    };
    assert!(residues(&whole).iter().any(|(key, _)| key.contains("user_preferences")), "{:?}", residues(&whole));
    for death in 0..whole.operations.get() {
        let machine = moved();
        machine.fuel.set(Some(death));
        let _ = open(&machine, &five);
        machine.fuel.set(None);
        machine.rot();
        open(&machine, &five).unwrap();
        assert_holds(&machine, &NEW, &format!("after a death at {death}"));
        assert_eq!(residues(&machine), residues(&whole), "after a death at {death}");
    }
}

#[test]
fn a_batch_that_lands_damaged_brings_the_old_data_back_wherever_the_process_dies() {
    let chain = chain(5);
    let damage: simulator::Damage = |key, text| (key == "conversation:b").then(|| text.replace("hi", "ho"));
    let whole = Machine::holding(&OLD);
    whole.damage.set(Some(damage));
    let status = open(&whole, &chain).unwrap();
    assert_eq!(status.state, State::Refused, "{status:?}");
    assert_holds(&whole, &OLD, "after the damage");
    let kept = |machine: &Machine| machine.own_keys().into_iter().filter(|key| key.starts_with("exuvia:s:")).count();
    assert_eq!(kept(&whole), 0, "what the store itself damaged is kept for somebody else's: {:?}", whole.own_keys());
    assert!(whole.stages.borrow().contains(&exuvia_core::protocol::Stage::Restore));
    let operations = whole.operations.get();
    for death in 0..operations {
        let machine = Machine::holding(&OLD);
        machine.damage.set(Some(damage));
        machine.fuel.set(Some(death));
        let _ = open(&machine, &chain);
        machine.fuel.set(None);
        let status = open(&machine, &chain).unwrap();
        assert_eq!(status.state, State::Refused, "after a death at {death}: {status:?}");
        assert_holds(&machine, &OLD, &format!("after damage and a death at {death}"));
        assert_eq!(kept(&machine), 0, "after damage and a death at {death}: {:?}", machine.own_keys());
    }
}

#[test]
fn a_record_that_a_step_cannot_take_is_found_before_anything_is_written() {
    let mut old = OLD;
    old[2].1 = r#"{"d":{"conversation":"a","text":5,"tags":"x","created":3}}"#;
    old[1].1 = r#"[{"id":"b","title":"B","create_time":1e300,"update_time":2,"messages":[]}]"#;
    let (machine, chain) = (Machine::holding(&old), chain(5));
    let status = open(&machine, &chain).unwrap();
    assert_eq!(status.state, State::Refused);
    let problem = status.problem.unwrap();
    assert_eq!(
        (problem.collection.as_deref(), problem.record.as_deref(), problem.path.as_deref()),
        (Some("conversations"), Some("b"), Some("/create_time"))
    );
    assert_holds(&machine, &old, "after the refusal");
    assert_eq!(machine.own_keys(), ["exuvia"]);
    assert_eq!(open(&machine, &chain).unwrap().state, State::Refused, "the same facts are refused without a try");
}

#[test]
fn two_records_with_one_key_are_refused() {
    let mut old = OLD;
    old[1].1 = r#"[{"id":"b","title":"","create_time":0,"update_time":0,"messages":[]},{"id":"b","title":"","create_time":0,"update_time":0,"messages":[]}]"#;
    let (machine, chain) = (Machine::holding(&old), chain(5));
    let status = open(&machine, &chain).unwrap();
    assert_eq!(status.problem.unwrap().kind, "collision");
    assert_holds(&machine, &old, "after the refusal");
}

#[test]
fn a_full_store_is_refused_before_anything_is_written() {
    let (machine, chain) = (Machine::holding(&OLD), chain(5));
    machine.quota.set(Some(17_500));
    let status = open(&machine, &chain).unwrap();
    assert_eq!(status.problem.unwrap().kind, "quota");
    assert_holds(&machine, &OLD, "after the refusal");
}

#[test]
fn a_store_that_fills_up_while_writing_gets_its_old_data_back() {
    let chain = chain(5);
    for quota in (17_100..19_000).step_by(50) {
        let machine = Machine::holding(&OLD);
        machine
            .damage
            .set(Some(|key, text| key.starts_with("conversation:").then(|| format!("{text}{}", " ".repeat(900)))));
        machine.quota.set(Some(quota));
        let status = open(&machine, &chain).unwrap();
        match status.state {
            State::Current => assert_holds(&machine, &NEW, &format!("with a quota of {quota}")),
            _ => assert_holds(&machine, &OLD, &format!("with a quota of {quota}: {status:?}")),
        }
    }
}

#[test]
fn data_newer_than_the_chain_is_left_alone_where_no_chain_is_kept_beside_it() {
    let machine = Machine::holding(&OLD);
    open(&machine, &chain(5)).unwrap();
    forget_chains(&machine);
    let before = machine.stored.borrow().clone();
    let status = open(&machine, &chain(1)).unwrap();
    assert_eq!((status.state, status.problem.unwrap().kind.as_str()), (State::Newer, "newer"));
    assert_eq!(*machine.stored.borrow(), before);
}

#[test]
fn data_of_an_edited_chain_or_of_a_branch_that_nobody_knows_is_left_alone() {
    let last = |from: &str, to: &str| {
        let mut texts: Vec<_> = MIGRATIONS.iter().map(|text| (*text).to_owned()).collect();
        texts[4] = texts[4].replace(from, to);
        let migrations = texts.iter().map(|text| Migration::parse(text).unwrap()).collect();
        Chain::arrange(migrations, &Lock::default()).unwrap()
    };
    let cases = [
        (last("365", "366"), State::Edited, "edited"),
        (last("\"id\": \"privacy\"", "\"id\": \"private\""), State::Fork, "fork"),
    ];
    for (other, state, kind) in cases {
        let machine = Machine::holding(&OLD);
        open(&machine, &chain(5)).unwrap();
        forget_chains(&machine);
        let before = machine.stored.borrow().clone();
        let status = open(&machine, &other).unwrap();
        let problem = status.problem.unwrap();
        assert_eq!((status.state, &*problem.kind, problem.migration.as_deref()), (state, kind, Some("privacy")));
        assert_eq!(*machine.stored.borrow(), before, "{kind}");
    }
}

#[test]
fn a_head_that_only_a_newer_exuvia_can_read_is_left_alone() {
    let (machine, chain) = (Machine::holding(&OLD), chain(5));
    open(&machine, &chain).unwrap();
    machine.stored.borrow_mut().insert("exuvia".into(), r#"{"format":2,"anything":"else"}"#.into());
    let before = machine.stored.borrow().clone();
    assert_eq!(open(&machine, &chain).unwrap().state, State::Newer);
    assert_eq!(*machine.stored.borrow(), before);
}

#[test]
fn a_chain_that_grows_in_the_middle_of_a_run_finishes_the_run_and_goes_on() {
    let (three, five) = (chain(3), chain(5));
    let whole = Machine::holding(&OLD);
    open(&whole, &three).unwrap();
    for death in 0..whole.operations.get() {
        let machine = Machine::holding(&OLD);
        machine.fuel.set(Some(death));
        let _ = open(&machine, &three);
        machine.fuel.set(None);
        assert_eq!(open(&machine, &five).unwrap().state, State::Current, "after a death at {death}");
        assert_holds(&machine, &NEW, &format!("after a death at {death} and an update"));
    }
}

#[test]
fn an_older_build_that_meets_a_run_brings_the_data_to_its_own_version() {
    let (one, five) = (chain(1), chain(5));
    let whole = Machine::holding(&OLD);
    open(&whole, &one).unwrap();
    open(&whole, &five).unwrap();
    for death in 0..whole.operations.get() {
        let machine = Machine::holding(&OLD);
        open(&machine, &one).unwrap();
        machine.fuel.set(Some(death));
        let _ = open(&machine, &five);
        machine.fuel.set(None);
        let status = open(&machine, &one).unwrap();
        assert_eq!(status.state, State::Current, "after a death at {death}: {status:?}");
        assert_holds(&machine, &OLD, &format!("taken back, or down, after a death at {death}"));
        assert_eq!(open(&machine, &five).unwrap().state, State::Current, "updated again after a death at {death}");
        assert_holds(&machine, &NEW, &format!("updated again after a death at {death}"));
    }
}

#[test]
fn a_fresh_store_is_marked_and_runs_no_old_migrations() {
    let (machine, chain) = (Machine::holding(&[]), chain(5));
    assert_eq!(block_on(status(&records(&machine, &chain), &chain)).unwrap().state, State::Fresh);
    assert_eq!(open(&machine, &chain).unwrap().version.0, 5);
    assert_holds(&machine, &[], "after the start");
}

#[test]
fn a_store_that_holds_nothing_but_the_name_of_the_device_is_fresh() {
    let (machine, chain) = (Machine::holding(&[("exuvia:d", "\"1a2b3c4d\"")]), chain(5));
    assert_eq!(block_on(status(&records(&machine, &chain), &chain)).unwrap().state, State::Fresh);
}

#[test]
fn a_lost_head_is_told_from_a_fresh_store() {
    let (machine, chain) = (Machine::holding(&OLD), chain(5));
    open(&machine, &chain).unwrap();
    machine.stored.borrow_mut().remove("exuvia");
    let before = machine.stored.borrow().clone();
    assert_eq!(open(&machine, &chain).unwrap().state, State::Lost);
    assert_eq!(*machine.stored.borrow(), before);
}

#[test]
fn a_store_whose_head_is_lost_takes_a_snapshot_or_a_file_in_place_of_everything() {
    let chain = chain(5);
    let lost = || {
        let machine = Machine::holding(&OLD);
        open(&machine, &chain).unwrap();
        let file = export(&machine, &chain);
        machine.stored.borrow_mut().remove("exuvia");
        machine.stored.borrow_mut().remove("conversation:a");
        (machine, file)
    };
    let (machine, file) = lost();
    assert_eq!(import(&machine, &chain, &file, Merge::Keep).unwrap_err().kind(), ErrorKind::Lost);
    assert_eq!(import(&machine, &chain, &file, Merge::Replace).unwrap().state, State::Current);
    assert_holds(&machine, &NEW, "after the import");
    let (machine, _) = lost();
    let snapshot = block_on(records(&machine, &chain).snapshots()).unwrap()[0].id.clone();
    let (seal, line) = block_on(records(&machine, &chain).find_snapshot(&snapshot)).unwrap();
    assert_eq!(ask(&machine, &chain, Request::Restore { seal, line }).unwrap().state, State::Behind);
    assert_holds(&machine, &OLD, "after the restore");
}

#[test]
fn a_snapshot_is_restored_exactly_wherever_the_process_dies() {
    let chain = chain(5);
    let restore = |fuel: Option<usize>| {
        let machine = Machine::holding(&OLD);
        open(&machine, &chain).unwrap();
        machine.stored.borrow_mut().insert("conversation:later".into(), "{}".into());
        let snapshot = block_on(records(&machine, &chain).snapshots()).unwrap()[0].id.clone();
        let (seal, line) = block_on(records(&machine, &chain).find_snapshot(&snapshot)).unwrap();
        machine.operations.set(0);
        machine.fuel.set(fuel);
        let status = ask(&machine, &chain, Request::Restore { seal, line });
        (machine, status)
    };
    let (whole, status) = restore(None);
    let status = status.unwrap();
    assert_eq!((status.state, status.version.0), (State::Behind, 1));
    assert_holds(&whole, &OLD, "after the restore");
    assert_eq!(whole.data()["conversations"], OLD[1].1, "byte for byte");
    for death in 0..whole.operations.get() {
        let (machine, _) = restore(Some(death));
        machine.fuel.set(None);
        let status = open(&machine, &chain).unwrap();
        assert_eq!(status.state, State::Current, "after a death at {death}");
        let found = machine.data();
        let old_again = !found.contains_key("conversation:later");
        if old_again {
            assert_holds(&machine, &NEW, &format!("restored and moved up after a death at {death}"));
        } else {
            assert_eq!(found.len(), NEW.len() + 1, "untouched after a death at {death}");
        }
    }
}

#[test]
fn a_rotten_snapshot_stops_the_way_back_and_touches_nothing_more() {
    let chain = chain(5);
    let machine = Machine::holding(&OLD);
    open(&machine, &chain).unwrap();
    let snapshot = block_on(records(&machine, &chain).snapshots()).unwrap()[0].id.clone();
    let (seal, line) = block_on(records(&machine, &chain).find_snapshot(&snapshot)).unwrap();
    machine.rot();
    let error = ask(&machine, &chain, Request::Restore { seal, line }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Snapshot);
    assert_holds(&machine, &NEW, "after the refusal");
}

struct Text(Vec<Vec<u8>>);

impl Text {
    fn new(text: &str) -> Self {
        Self(text.as_bytes().chunks(37).rev().map(<[u8]>::to_vec).collect())
    }
}

impl Bytes for Text {
    async fn next(&mut self) -> Result<Vec<u8>> {
        Ok(self.0.pop().unwrap_or_default())
    }
}

struct Export(String);

impl Sink for Export {
    fn take(&mut self, text: &str) -> Result<()> {
        self.0.push_str(text);
        Ok(())
    }
}

fn export(machine: &Rc<Machine>, chain: &Chain) -> String {
    let mut file = Export(String::new());
    block_on(records(machine, chain).export(&mut file)).unwrap();
    file.0
}

fn import(machine: &Rc<Machine>, chain: &Chain, file: &str, merge: Merge) -> Result<Status> {
    let staged = block_on(records(machine, chain).stage(Text::new(file)))?;
    ask(machine, chain, Request::Import { staged, merge })
}
