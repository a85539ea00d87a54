use insta::assert_snapshot;

use super::{BASELINE, Folder, NAMES};

#[test]
fn a_lock_is_written_once() {
    let folder = Folder::empty();
    folder.write("chain/1.json", BASELINE);
    folder.write("chain/2.json", NAMES);
    assert_snapshot!("behind", folder.run("lock --check --chain chain"));
    assert_eq!(folder.run("lock --check --chain chain --json").error()["kind"], "stale");
    assert_snapshot!("written", folder.run("lock --chain chain"));
    assert_eq!(folder.run("lock --chain chain --json").report()["written"], false);
    assert_eq!(folder.run("lock --check --chain chain").code, 0);
}

#[test]
fn a_locked_migration_that_was_edited_is_shown() {
    let folder = Folder::with_chain();
    folder.write("chain/0002-names.json", &NAMES.replace("private", "hidden"));
    assert_snapshot!(folder.run("check --chain chain"));
    assert_eq!(folder.run("lock --chain chain --json").error()["kind"], "edited");
}

#[test]
fn a_damaged_lock_is_named() {
    let folder = Folder::with_chain();
    folder.write("chain/chain.lock.json", "{}");
    assert_eq!(folder.run("lock --chain chain --json").error()["file"], "chain/chain.lock.json");
}

/// A migration after the baseline on a branch of its own.
fn on_branch(id: &str, step: &str) -> String {
    format!(r#"{{"exuvia":1,"id":"{id}","parents":["baseline"],"change":{{"notes":[{step}]}}}}"#)
}

#[test]
fn the_locks_of_two_branches_become_one_line_however_the_merge_left_them() {
    let (ours, theirs) = (
        on_branch("ours", r#"{"rename":"/title","to":"/name"}"#),
        on_branch("theirs", r#"{"add":"/pinned","value":false}"#),
    );
    let locked = |migration: &str| {
        let folder = Folder::empty();
        folder.write("chain/1.json", BASELINE);
        folder.write("chain/2.json", migration);
        assert_eq!(folder.run("lock --chain chain").code, 0);
        folder.read("chain/chain.lock.json")
    };
    let (our_lock, their_lock) = (locked(&ours), locked(&theirs));
    let link = |lock: &str| lock.lines().nth(4).unwrap().to_owned();
    let conflict = format!("<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> branch", link(&our_lock), link(&their_lock));
    let merges = [
        our_lock.replace(&link(&our_lock), &conflict),
        our_lock.replace(&link(&our_lock), &conflict.replace("=======", "||||||| base\n=======")),
        our_lock.replace(&link(&our_lock), &format!("{},\n{}", link(&our_lock), link(&their_lock))),
        our_lock.clone(),
    ];
    let mut heads = Vec::new();
    for merged in merges {
        let folder = Folder::empty();
        folder.write("chain/1.json", BASELINE);
        folder.write("chain/2-ours.json", &ours);
        folder.write("chain/2-theirs.json", &theirs);
        folder.write("chain/chain.lock.json", &merged);
        assert_eq!(folder.run("lock --check --chain chain --json").error()["kind"], "stale");
        let report = folder.run("lock --chain chain --json").report();
        assert_eq!((&report["migrations"], &report["written"]), (&3.into(), &true.into()));
        heads.push(report["head"].clone());
        assert_eq!(folder.run("lock --check --chain chain").code, 0);
        assert!(
            folder.read("chain/chain.lock.json").starts_with(&our_lock[..our_lock.find(&link(&our_lock)).unwrap()])
        );
    }
    heads.dedup();
    assert_eq!(heads.len(), 1, "{heads:?}");
}

#[test]
fn one_name_for_two_migrations_of_two_branches_is_refused() {
    let folder = Folder::with_chain();
    let lock = folder.read("chain/chain.lock.json");
    let link = lock.lines().nth(4).unwrap().to_owned();
    let hash = link.split('"').nth(7).unwrap();
    let other = link.replace(hash, &"0".repeat(hash.len()));
    folder.write(
        "chain/chain.lock.json",
        &lock.replace(&link, &format!("<<<<<<< HEAD\n{link}\n=======\n{other}\n>>>>>>> branch")),
    );
    let run = folder.run("lock --chain chain --json");
    assert_eq!((&run.error()["kind"], &run.error()["migration"]), (&"edited".into(), &"names".into()));
}
