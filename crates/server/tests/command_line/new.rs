use insta::assert_snapshot;

use super::{Folder, NAMES};

#[test]
fn the_next_migration_follows_the_newest() {
    let folder = Folder::with_chain();
    assert_snapshot!(folder.run("new more --chain chain --collection notes"));
    assert_snapshot!("written", folder.read("chain/0004-more.json"));
    assert_eq!(folder.run("check --chain chain").code, 0);
    let report = folder.run("new again --chain chain --json").report();
    assert_eq!(report["parents"], serde_json::json!(["more"]));
    assert_eq!(folder.run("lock --chain chain --json").report()["migrations"], 5);
}

#[test]
fn branches_are_merged() {
    let folder = Folder::with_chain();
    folder.write("chain/0003-other.json", &NAMES.replace("\"names\"", "\"other\"").replace("/title", "/x"));
    let report = folder.run("new merge --chain chain --json").report();
    assert_eq!(report["parents"], serde_json::json!(["other", "tidy"]));
}

#[test]
fn an_empty_folder_gets_a_baseline() {
    let folder = Folder::empty();
    folder.write("package.json", "{}");
    std::fs::create_dir_all(folder.path("src/chain")).unwrap();
    assert_snapshot!(folder.run("new baseline --chain src/chain --collection notes"));
    assert_snapshot!("baseline", folder.read("src/chain/0001-baseline.json"));
    assert_eq!(folder.run("check --chain src/chain").code, 0);
}

#[test]
fn what_no_chain_takes_is_refused_and_nothing_written() {
    let folder = Folder::with_chain();
    for arguments in ["names", "Not-An-Id", "../x", "more --collection nots"] {
        let ran = folder.run(&format!("new {arguments} --chain chain"));
        assert_eq!(ran.code, 2, "{ran}");
    }
    assert_eq!(std::fs::read_dir(folder.path("chain")).unwrap().count(), 5);
}
