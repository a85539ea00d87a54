use super::{Folder, RECORDS};

#[test]
fn a_draft_is_a_chain_that_its_records_fit() {
    let folder = Folder::empty();
    let draft = folder.pipe("infer --collection notes", RECORDS);
    folder.write("chain/0001-baseline.json", &draft.stdout);
    folder.write("chain/samples/notes.v1.ndjson", RECORDS);
    assert_eq!(folder.run("check --chain chain").code, 0, "{draft}");
}

#[test]
fn a_line_that_is_no_record_is_named() {
    let ran = Folder::empty().pipe("infer --collection notes --json", format!("{RECORDS}geheim\n"));
    assert_eq!((ran.code, ran.error()["kind"].as_str(), ran.error()["line"].as_u64()), (1, Some("json"), Some(3)));
}
