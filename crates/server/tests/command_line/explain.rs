use insta::assert_snapshot;

use super::{Folder, RECORDS, SECRET};

#[test]
fn a_chain_is_told_in_words() {
    let folder = Folder::with_chain();
    assert_snapshot!(folder.run("explain --chain chain"));
    assert_snapshot!("and_back", folder.run("explain --chain chain --from 3 --to 1"));
    let report = folder.run("explain --chain chain --from 1 --to 2 --json").report();
    assert_eq!(report["migrations"].as_array().unwrap().len(), 1);
    assert_eq!(report["migrations"][0]["collections"][0]["collection"], "notes");
}

#[test]
fn records_are_tried_and_nothing_is_written() {
    let folder = Folder::with_chain();
    folder.write("records.ndjson", &format!("{RECORDS}{{\"title\":\"geheim\"}}\n"));
    let ran = folder.run("explain --chain chain --from 1 --collection notes --records records.ndjson");
    assert!(!ran.stdout.contains(SECRET));
    assert_snapshot!(ran);
    let trial =
        folder.run("explain --chain chain --from 1 --collection notes --records records.ndjson --json").report();
    assert_eq!(trial["trial"]["failures"][0]["line"], 3);
}

#[test]
fn wrong_arguments_are_refused() {
    let folder = Folder::with_chain();
    for arguments in ["--chain chain --to 4", "--chain chain --collection nots", "--chain chain --records x", ""] {
        assert_eq!(folder.run(&format!("explain {arguments}")).code, 2, "{arguments}");
    }
    assert_eq!(folder.run("explain --chain nowhere").code, 3);
}
