use insta::assert_snapshot;

use super::{Folder, RECORDS};

const REHOMED: &str = r#"{
  "$schema": "../migration.schema.json",
  "exuvia": 1,
  "id": "rehomed",
  "parents": ["tidy"],
  "rehome": [
    { "rename": "notes", "to": "pages" },
    { "extract": "/items", "of": "pages", "to": "items", "parent": "/page", "order": "/place", "layout": { "prefix": "item:" } }
  ]
}
"#;

const ENDED: &str = r#"{
  "$schema": "../migration.schema.json",
  "exuvia": 1,
  "id": "ended",
  "parents": ["rehomed"],
  "rehome": [{ "drop": "items" }]
}
"#;

fn rehomed() -> Folder {
    let folder = Folder::with_chain();
    folder.write("chain/0004-rehomed.json", REHOMED);
    folder.write("chain/0005-ended.json", ENDED);
    assert_eq!(folder.run("lock --chain chain").code, 0);
    folder
}

#[test]
fn what_happens_to_whole_collections_is_told_in_words() {
    let folder = rehomed();
    assert_snapshot!(folder.run("explain --chain chain --from 3"));
    folder.write("records.ndjson", RECORDS);
    let ran = folder.run("explain --chain chain --from 1 --collection notes --records records.ndjson --json");
    assert_eq!((ran.code, &ran.report()["trial"]["changed"]), (0, &serde_json::json!(2)), "{ran}");
}

#[test]
fn the_laws_hold_on_samples_of_renamed_collections_and_of_children() {
    let folder = rehomed();
    folder.write("chain/samples/notes.v1.ndjson", RECORDS);
    let pages = r#"{"id":"a","mode":"public","time":"2023-11-14T22:13:20.25Z","own":{"geheim":1},"name":"geheim"}
{"id":"b","mode":"private","time":"1970-01-01T00:00:00Z","name":""}
"#;
    folder.write("chain/samples/notes.v1.expected.v4.ndjson", pages);
    folder.write("chain/samples/pages.v4.ndjson", pages);
    folder.write("chain/samples/items.v4.ndjson", "{\"label\":\"x\",\"page\":\"a\",\"place\":0}\n");
    let ran = folder.run("check --chain chain");
    assert_eq!(ran.code, 0, "{ran}");
    folder.write("chain/samples/items.v4.expected.v3.ndjson", "{}\n");
    let ran = folder.run("check --chain chain --json");
    assert_eq!(ran.code, 1, "{ran}");
    assert!(ran.error()["message"].as_str().unwrap().contains("set aside or inside of others"), "{ran}");
}

#[test]
fn a_record_that_would_be_taken_apart_is_refused_by_name() {
    let folder = rehomed();
    let ran = folder.pipe("translate --chain chain --collection notes --from 1 --to 4 --json", RECORDS);
    assert!(ran.error()["message"].as_str().unwrap().contains("stays one"), "{ran}");
    let ran = folder.run("translate --chain chain --collection items --from 4 --to 3 --json");
    assert_eq!(ran.code, 2, "{ran}");
    let ran = folder.run("diff --chain chain --collection notes --from 3 --to 5");
    assert_eq!(ran.code, 1, "{ran}");
    assert!(ran.stdout.contains("/items"), "{ran}");
}

#[test]
fn a_renamed_collection_is_translated_under_its_name_where_it_starts() {
    let folder = Folder::with_chain();
    folder.write(
        "chain/0004-renamed.json",
        &REHOMED.replace(REHOMED.lines().nth(7).unwrap(), "").replace("\"pages\" },", "\"pages\" }"),
    );
    folder.run("lock --chain chain");
    let up = folder.pipe("translate --chain chain --collection notes --from 1 --to 4 --residue kept.ndjson", RECORDS);
    assert_eq!(up.code, 0, "{up}");
    let down =
        folder.pipe("translate --chain chain --collection pages --from 4 --to 1 --residue kept.ndjson", up.stdout);
    folder.write("a.ndjson", RECORDS);
    folder.write("b.ndjson", &down.stdout);
    assert_eq!(folder.run("diff a.ndjson b.ndjson").code, 0, "{down}");
}
