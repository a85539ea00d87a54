//! What a run needs beside what is there is known before it writes.

use exuvia_core::protocol::Stage;

use super::collections::{APART, FURTHER, TALKS, WHOLE, arranged};
use super::*;

/// A store that asks for a chain, and the chain.
struct Case {
    name: &'static str,
    machine: Rc<Machine>,
    chain: Chain,
    /// Batches are about so large.
    chunk: usize,
}

fn go(case: &Case, quota: Option<u64>) -> (Rc<Machine>, Result<Status>) {
    let machine = case.machine.copy();
    machine.quota.set(quota);
    let process = machine.process();
    let records = Records::new(&case.chain, process.clone(), process.clone(), process, 3).in_chunks(case.chunk);
    let status = block_on(run(&records, &case.chain, Request::Migrate { retry: true }));
    (machine, status)
}

/// Whether the run went through; where it did not, it was for the quota, and nothing was written.
fn goes_through(case: &Case, quota: u64) -> bool {
    let (machine, status) = go(case, Some(quota));
    let when = format!("{}, with a quota of {quota}", case.name);
    let refused = match status {
        Ok(status) if status.state == State::Current => return true,
        Ok(status) => status.problem.map(|problem| problem.kind),
        Err(error) => Some(error.kind().name().to_owned()),
    };
    assert_eq!(refused.as_deref(), Some("quota"), "{when}");
    assert!(!machine.stages.borrow().contains(&Stage::Apply), "{when}: writing had begun");
    let but_the_head = |machine: &Machine| {
        let mut stored = machine.stored.borrow().clone();
        stored.remove("exuvia");
        stored
    };
    assert_eq!(but_the_head(&machine), but_the_head(&case.machine), "{when}");
    false
}

/// So many migrations that the head, with its line, needs more than it is padded to at first.
fn long_chain() -> Chain {
    let start =
        r#"{"exuvia":1,"id":"m0","collections":{"things":{"layout":{"prefix":"thing:"},"schema":{"type":"object"}}}}"#
            .to_owned();
    let next = |index: usize| {
        format!(
            r#"{{"exuvia":1,"id":"m{index}","parents":["m{}"],"change":{{"things":[{{"add":"/f{index}","value":1}}]}}}}"#,
            index - 1
        )
    };
    let texts: Vec<_> = std::iter::once(start).chain((1..120).map(next)).collect();
    arranged(&texts.iter().map(String::as_str).collect::<Vec<_>>())
}

fn cases() -> Vec<Case> {
    let stepped = |name, old: &[(&str, &str)], steps: &[&Chain], chain, chunk| {
        let machine = Machine::holding(old);
        steps.iter().for_each(|step| drop(open(&machine, step).unwrap()));
        Case { name, machine, chain, chunk }
    };
    let long = "k".repeat(300);
    let many: Vec<_> = (0..40).map(|index| (format!("thing:{long}{index}"), format!(r#"{{"a":{index}}}"#))).collect();
    let many: Vec<_> = many.iter().map(|(key, text)| (&**key, &**text)).collect();
    let things = [
        r#"{"exuvia":1,"id":"one","collections":{"things":{"layout":{"prefix":"thing:"},
            "schema":{"type":"object","properties":{"a":{"type":"integer"}}}}}}"#,
        r#"{"exuvia":1,"id":"two","parents":["one"],"change":{"things":[{"remove":"/a"},{"add":"/b","value":"<<\" <"},{"add":"/c","value":1700000000000}]}}"#,
        r#"{"exuvia":1,"id":"three","parents":["two"],"layout":{"things":{"from":{"prefix":"thing:"},"to":{"key":"things","as":"map"}}}}"#,
    ];
    let one = || arranged(&things[..1]);
    let apart = || arranged(&[TALKS, APART, FURTHER]);
    vec![
        stepped("companion", &OLD, &[], chain(5), 1 << 20),
        stepped("companion in many batches", &OLD, &[], chain(5), 120),
        stepped("from the middle", &OLD, &[&chain(3)], chain(5), 120),
        stepped("an older build", &OLD, &[&chain(5)], chain(1), 120),
        stepped("long keys, changed in place", &many, &[&one()], arranged(&things[..2]), 500),
        stepped("long keys, gathered in a map", &many, &[&one()], arranged(&things), 500),
        stepped("nothing stored", &[("somebody_elses", "1")], &[], chain(5), 120),
        stepped("a line that outgrows the room of the head", &many[..3], &[], long_chain(), 500),
        stepped("children taken out", &WHOLE, &[], apart(), 120),
        stepped("children brought back", &WHOLE, &[&apart()], arranged(&[TALKS]), 120),
    ]
}

#[test]
fn a_quota_that_a_run_does_not_fit_into_is_refused_before_the_first_write() {
    for case in cases() {
        let (whole, status) = go(&case, None);
        assert_eq!(status.unwrap().state, State::Current, "{}", case.name);
        let peak = whole.peak.get();
        let (mut below, mut enough) = (0, peak + (64 << 10));
        assert!(goes_through(&case, enough), "{}: {enough}", case.name);
        while below + 1 < enough {
            let quota = u64::midpoint(below, enough);
            if goes_through(&case, quota) { enough = quota } else { below = quota }
        }
        assert!(enough >= peak, "{}: {enough} was enough, {peak} were used", case.name);
        for quota in (enough.saturating_sub(60)..enough).chain((0..enough).step_by(3001)) {
            assert!(!goes_through(&case, quota), "{}: {quota} is enough, {below} is not", case.name);
        }
        for quota in (enough..enough + 300).step_by(29) {
            assert!(goes_through(&case, quota), "{}: {quota} is not enough, {enough} is", case.name);
        }
        // What a batch frees may come after all others have been written.
        assert!(enough <= peak + 100, "{}: {enough} asked for, {peak} used", case.name);
    }
}

#[test]
fn an_import_that_does_not_fit_is_refused_before_the_first_write() {
    let chain = arranged(&[r#"{"exuvia":1,"id":"one","collections":{
        "things":{"layout":{"prefix":"a rather long prefix of storage keys:"}},"marks":{"layout":{"key":"marks","as":"array","id":"/id"}}}}"#]);
    let things: Vec<_> = (0..20)
        .map(|index| (format!("a rather long prefix of storage keys:{}{index}", "k".repeat(200)), "{}".to_owned()))
        .collect();
    let mut stored: Vec<_> = things.iter().map(|(key, text)| (&**key, &**text)).collect();
    stored.push(("marks", r#"[{"id":"q"},{"id":"b","more":[1,2,3]}]"#));
    let exporting = Machine::holding(&stored);
    open(&exporting, &chain).unwrap();
    let file = export(&exporting, &chain);
    for merge in [Merge::Replace, Merge::Keep, Merge::Take] {
        let (mut refused, mut done) = (0, 0);
        for quota in (17_000..34_000).step_by(211) {
            let machine = Machine::holding(&[("marks", r#"[{"id":"b"},{"id":"c"}]"#)]);
            open(&machine, &chain).unwrap();
            let before = machine.data();
            machine.stages.borrow_mut().clear();
            machine.quota.set(Some(quota));
            let when = format!("{merge:?} with a quota of {quota}");
            match import(&machine, &chain, &file, merge) {
                Ok(_) => done += 1,
                Err(error) => {
                    assert_eq!((error.kind(), done), (ErrorKind::Quota, 0), "{when}: {error}");
                    assert!(!machine.stages.borrow().contains(&Stage::Apply), "{when}: writing had begun");
                    assert_eq!(machine.data(), before, "{when}");
                    refused += 1;
                }
            }
        }
        assert!(refused > 0 && done > 0, "{merge:?}: {refused} refused, {done} done");
    }
}

/// The vault's manifest and what it orders families by among it.
#[test]
fn a_vault_that_is_too_small_for_a_run_is_refused_before_the_first_write() {
    for case in cases() {
        let kept = case.machine.vault_bytes();
        let (whole, _) = go(&case, None);
        let mut done = 0;
        for quota in (kept..whole.vault_peak.get() + 100).step_by(41) {
            case.machine.vault_quota.set(Some(quota));
            let (machine, status) = go(&case, None);
            let status = status.unwrap();
            let when = format!("{}, with {quota} bytes for snapshots", case.name);
            if status.state == State::Current {
                done += 1;
                continue;
            }
            assert_eq!(status.problem.map(|problem| problem.kind).as_deref(), Some("quota"), "{when}");
            assert_eq!(done, 0, "{when}: fewer were enough");
            assert_eq!(machine.data(), case.machine.data(), "{when}");
            assert!(!machine.stages.borrow().contains(&Stage::Apply), "{when}: writing had begun");
            assert_eq!(machine.vault_bytes(), kept, "{when}: something is left");
        }
        assert!(done > 0, "{}", case.name);
    }
}
