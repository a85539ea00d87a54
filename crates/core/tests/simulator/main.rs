//! Scenarios from seeds: whatever dies, tears, fails, fills up or rots, in whatever order, the data is old or new, whole.
//!
//! `SIMULATOR_SEED=n` runs one scenario and prints its trace; `SIMULATOR_SCENARIOS=n` runs so many.

#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod machine;
mod mutants;
mod storm;
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use storm::{Build, Memory, Plain, Tally, storm};
use world::worlds;

/// Scenarios in the ordinary run.
const SCENARIOS: u64 = 1_500;

fn asked(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// The first seed below `count` at which something is violated.
fn search<B: Build>(count: u64) -> Result<Tally, u64> {
    let (next, failed, total) = (AtomicU64::new(0), AtomicU64::new(u64::MAX), Mutex::new(Tally::default()));
    let work = || {
        let (worlds, memory) = (worlds(), Memory::default());
        let mut tally = Tally::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= count.min(failed.load(Ordering::Relaxed)) {
                break;
            }
            match storm::<B>(&worlds, &memory, seed, false) {
                Ok(one) => tally += one,
                Err(_) => drop(failed.fetch_min(seed, Ordering::Relaxed)),
            }
        }
        *total.lock().unwrap() += tally;
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    match failed.into_inner() {
        u64::MAX => Ok(total.into_inner().unwrap()),
        seed => Err(seed),
    }
}

/// Runs one seed again, with its trace.
fn explain<B: Build>(seed: u64) -> String {
    match storm::<B>(&worlds(), &Memory::default(), seed, true) {
        Ok(tally) => format!("seed {seed}: nothing is violated, {tally:?}"),
        Err(violation) => format!(
            "seed {seed} (again: SIMULATOR_SEED={seed} cargo test -p exuvia-core --test simulator storms -- --nocapture)\n{}\n{}",
            violation.trace.join("\n"),
            violation.what
        ),
    }
}

#[test]
fn storms_end_in_the_old_data_or_the_new_data_whole() {
    if let Some(seed) = asked("SIMULATOR_SEED") {
        let told = explain::<Plain>(seed);
        println!("{told}");
        assert!(told.contains("nothing is violated"), "see above");
        return;
    }
    match search::<Plain>(asked("SIMULATOR_SCENARIOS").unwrap_or(SCENARIOS)) {
        Ok(tally) => println!("{tally:?}"),
        Err(seed) => panic!("{}", explain::<Plain>(seed)),
    }
}

/// A mutant survives if nothing is violated in five times the ordinary run.
macro_rules! catches {
    ($($test:ident: $mutant:ident),* $(,)?) => {
        $(
            #[test]
            fn $test() {
                let caught = search::<mutants::$mutant>(5 * SCENARIOS);
                let seed = caught.err().expect("the mutant survives");
                let violation = storm::<mutants::$mutant>(&worlds(), &Memory::default(), seed, false).unwrap_err();
                println!("seed {seed}: {}", violation.what);
            }
        )*
    };
}

mod catches {
    use super::*;

    catches! {
        a_version_that_is_written_before_the_data: VersionFirst,
        a_snapshot_that_nobody_verifies: NothingVerified,
        writes_that_nobody_reads_back: NothingValidated,
        an_old_form_that_is_removed_first: RemoveFirst,
        a_gate_that_opens_before_the_sweep: OpenBeforeSweep,
        a_restore_that_merges: RestoreMerges,
        a_snapshot_that_is_dropped_early: SnapshotDropped,
        a_run_that_is_forgotten: RunForgotten,
        a_way_back_that_is_forgotten: BackForgotten,
        a_token_that_is_ignored: TokenIgnored,
        a_marker_apart_from_its_batch: MarkerApart,
        batches_without_markers: NoMarkers,
        residues_apart_from_their_records: ResidueApart,
    }
}
