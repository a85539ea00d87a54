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
