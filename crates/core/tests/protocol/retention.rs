//! Which snapshots stay, by their number and their age.

use exuvia_core::chain::Version;

use super::*;

const DAY: i64 = 86_400_000;

/// The names of the snapshots after each of several runs, a day apart, where ten may be kept for two days and a half.
fn kept_for_days(
    machine: &Rc<Machine>,
    chain: &Chain,
    requests: impl IntoIterator<Item = Request>,
) -> Vec<Vec<String>> {
    let process = machine.process();
    let records = Records::new(chain, process.clone(), process.clone(), process, 10).keeping_for(5 * DAY / 2);
    let mut kept = Vec::new();
    for request in requests {
        block_on(run(&records, chain, request)).unwrap();
        let snapshots = block_on(records.snapshots()).unwrap();
        kept.push(snapshots.into_iter().map(|snapshot| snapshot.id).collect());
        machine.clock.set(machine.clock.get() + DAY);
    }
    kept
}

fn restore(machine: &Rc<Machine>, chain: &Chain, id: &str) -> Request {
    let (seal, line) = block_on(records(machine, chain).find_snapshot(id)).unwrap();
    Request::Restore { seal, line }
}

#[test]
fn snapshots_that_are_too_old_go_although_few_are_kept() {
    let (machine, chain) = (Machine::holding(&OLD), chain(5));
    let versions = [5, 1, 5, 1, 5, 1].map(|version| match version {
        5 => Request::Migrate { retry: true },
        _ => Request::Revert { to: Version(1) },
    });
    let kept = kept_for_days(&machine, &chain, versions);
    assert_eq!(kept.iter().map(Vec::len).collect::<Vec<_>>(), [1, 2, 3, 3, 3, 3]);
    assert!(!kept[5].contains(&kept[0][0]), "the oldest is still there");
    machine.clock.set(machine.clock.get() + 1_000 * DAY);
    let [last] = &kept_for_days(&machine, &chain, [Request::Migrate { retry: true }])[..] else { unreachable!() };
    assert_eq!(last.len(), 1, "only the run's own: {last:?}");
    open(&machine, &chain).unwrap();
    assert_holds(&machine, &NEW, "in the end");
}

#[test]
fn no_age_takes_the_last_snapshot_of_data_that_was_known() {
    let (machine, chain) = (Machine::holding(&OLD), chain(5));
    let good = kept_for_days(&machine, &chain, [Request::Migrate { retry: false }])[0][0].clone();
    for round in 0..3 {
        machine.clock.set(machine.clock.get() + 100 * DAY);
        machine.stored.borrow_mut().remove("exuvia");
        let restore = restore(&machine, &chain, &good);
        let kept = kept_for_days(&machine, &chain, [restore]);
        assert_eq!(kept[0].len(), 2, "in round {round}: {kept:?}");
        assert!(kept[0].contains(&good), "in round {round}: {kept:?}");
        assert_holds(&machine, &OLD, &format!("in round {round}"));
    }
}

/// A clock that was wrong for a while.
#[test]
fn snapshots_from_the_future_are_not_too_old() {
    let (machine, chain) = (Machine::holding(&OLD), chain(5));
    machine.clock.set(1_000 * DAY);
    let (up, down) = (Request::Migrate { retry: true }, Request::Revert { to: Version(1) });
    kept_for_days(&machine, &chain, [up.clone(), down]);
    machine.clock.set(0);
    let kept = kept_for_days(&machine, &chain, [up]);
    assert_eq!(kept[0].len(), 3, "{kept:?}");
}

/// A clock that was put back.
#[test]
fn the_newest_snapshot_stays_although_the_clock_was_put_back() {
    let chain = chain(5);
    let machine = Machine::holding(&OLD);
    machine.clock.set(1_000_000_000);
    open(&machine, &chain).unwrap();
    let file = export(&machine, &chain);
    import(&machine, &chain, &file, Merge::Take).unwrap();
    import(&machine, &chain, &file, Merge::Take).unwrap();
    machine.clock.set(0);
    let status = import(&machine, &chain, &file, Merge::Replace).unwrap();
    let own = status.last_run.unwrap().snapshot.unwrap();
    assert!(block_on(records(&machine, &chain).find_snapshot(&own)).is_ok(), "the run's own snapshot is gone");
}

#[test]
fn the_last_snapshot_of_data_that_was_known_never_goes() {
    let (machine, chain) = (Machine::holding(&OLD), chain(5));
    open(&machine, &chain).unwrap();
    machine.stored.borrow_mut().remove("exuvia");
    let process = machine.process();
    let records = Records::new(&chain, process.clone(), process.clone(), process, 1);
    let good = block_on(records.snapshots()).unwrap()[0].id.clone();
    let (seal, line) = block_on(records.find_snapshot(&good)).unwrap();
    block_on(run(&records, &chain, Request::Restore { seal, line })).unwrap();
    assert_holds(&machine, &OLD, "after the restore");
    let kept: Vec<_> = block_on(records.snapshots()).unwrap().into_iter().map(|snapshot| snapshot.id).collect();
    assert!(kept.contains(&good), "{kept:?}");
}
