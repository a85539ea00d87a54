use insta::assert_snapshot;

use super::{Folder, MOVED, RECORDS, SECRET};

fn folder() -> Folder {
    let folder = Folder::with_chain();
    folder.write("a.ndjson", RECORDS);
    folder.write("b.ndjson", MOVED);
    folder
}

#[test]
fn the_same_records_are_no_difference() {
    let folder = folder();
    folder.write("c.ndjson", &RECORDS.replace(r#""time":0"#, r#""time":0.0"#).replace("{\"id\"", "{ \"id\""));
    let ran = folder.run("diff a.ndjson c.ndjson");
    assert_eq!((ran.code, &*ran.stdout), (0, ""));
}

#[test]
fn records_differ_by_path_and_type() {
    let ran = folder().run("diff a.ndjson b.ndjson");
    assert!(!ran.stdout.contains(SECRET));
    assert_snapshot!(ran);
}

#[test]
fn records_are_found_by_key_wherever_they_stand() {
    let folder = folder();
    let reversed: Vec<_> = RECORDS.lines().rev().collect();
    folder.write("c.ndjson", &reversed.join("\n"));
    assert_eq!(folder.run("diff a.ndjson c.ndjson --key /id").code, 0);
    assert_eq!(folder.run("diff a.ndjson c.ndjson").code, 1);
    folder.write("d.ndjson", r#"{"id":"b","title":5,"mode":"shut","time":0}"#);
    assert_snapshot!(folder.run("diff a.ndjson d.ndjson --key /id"));
    folder.write("twins.ndjson", "{\"id\":1}\n{\"id\":1}\n");
    let ran = folder.run("diff twins.ndjson a.ndjson --key /id --json");
    assert_eq!((ran.error()["kind"].as_str(), ran.error()["line"].as_u64()), (Some("collision"), Some(2)));
}

#[test]
fn values_are_shown_where_they_are_wanted() {
    let ran = folder().run("diff a.ndjson b.ndjson --values --json");
    let first: serde_json::Value = serde_json::from_str(ran.stdout.lines().next().unwrap()).unwrap();
    assert_eq!(first["line"], 1);
    let title = first["differences"].as_array().unwrap().iter().find(|found| found["path"] == "/title").unwrap();
    assert_eq!(title["before"], serde_json::json!({ "type": "string", "value": SECRET }));
    assert_eq!(title["after"], serde_json::json!({ "type": "missing" }));
}

#[test]
fn versions_of_a_collection_differ_by_path() {
    let folder = folder();
    assert_snapshot!(folder.run("diff --chain chain --collection notes --from 1 --to 3"));
    assert_eq!(folder.run("diff --chain chain --collection notes --from 2 --to 2").code, 0);
    assert_eq!(folder.run("diff --chain chain --collection nots --from 1 --to 3").code, 2);
}

#[test]
fn schema_files_differ_by_path() {
    let folder = folder();
    let form =
        |kind: &str| format!(r#"{{"type":"object","required":["kind"],"properties":{{"kind":{{"const":"{kind}"}}}}}}"#);
    folder.write("a.json", &format!(r#"{{"anyOf":[{},{}]}}"#, form("x"), form("y")));
    folder.write("b.json", r#"{"type":"object","properties":{"kind":{"type":"string","maxLength":5},"a/b":{}},"additionalProperties":{"type":"number"}}"#);
    assert_snapshot!(folder.run("diff --schema a.json b.json"));
    folder.write("b.json", r#"{"type":"obj"}"#);
    assert_eq!(folder.run("diff --schema a.json b.json --json").error()["file"], "b.json");
}

#[test]
fn wrong_arguments_are_refused() {
    for arguments in
        ["diff", "diff a.ndjson", "diff a.ndjson b.ndjson --key id", "diff --chain chain", "diff a b --from 1"]
    {
        assert_eq!(folder().run(arguments).code, 2, "{arguments}");
    }
    assert_eq!(folder().run("diff a.ndjson nowhere.ndjson").code, 3);
}

#[test]
fn names_that_a_terminal_would_obey_are_shown_and_not_obeyed() {
    let folder = folder();
    folder.write("a.ndjson", r#"{"\u001b[2J\n":1}"#);
    folder.write("b.ndjson", "{}");
    let ran = folder.run("diff a.ndjson b.ndjson");
    assert_eq!(ran.stdout, "line 1\n  /\\u{1b}[2J\\n: number -> missing\n");
}
