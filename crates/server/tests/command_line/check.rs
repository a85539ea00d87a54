use insta::assert_snapshot;

use super::{BASELINE, Folder, MOVED, NAMES, RECORDS, SECRET};

#[test]
fn the_laws_hold_on_samples() {
    let folder = Folder::with_chain();
    folder.write("chain/samples/notes.v1.ndjson", RECORDS);
    folder.write("chain/samples/notes.v1.expected.v3.ndjson", MOVED);
    folder.write("chain/samples/notes.v3.ndjson", MOVED);
    assert_snapshot!(folder.run("check --chain chain"));
    let report = folder.run("check --chain chain --json").report();
    assert_eq!(report["migrations"], serde_json::json!(["baseline", "names", "tidy"]));
    assert_eq!(report["samples"][0]["expected"], 3);
    assert_eq!(report["samples"][1]["records"], 2);
}

#[test]
fn a_chain_without_samples_or_lock_is_checked_too() {
    let folder = Folder::empty();
    folder.write("chain/1.json", BASELINE);
    folder.write("chain/2.json", NAMES);
    assert_snapshot!(folder.run("check --chain chain"));
}

#[test]
fn samples_that_fail_are_told_with_line_step_and_path() {
    let folder = Folder::with_chain();
    let bad = r#"{"id":"a","title":"geheim","mode":"geheim","time":1}
{"id":"a","title":"geheim","mode":"open","time":9e300}
geheim
"#;
    folder.write("chain/samples/notes.v1.ndjson", bad);
    let ran = folder.run("check --chain chain");
    assert!(!ran.stdout.contains(SECRET));
    assert_snapshot!(ran);
    let ran = folder.run("check --chain chain --json");
    assert!(!ran.stdout.contains(SECRET));
    let report = ran.report();
    let failure = &report["samples"][0]["failures"][1];
    assert_eq!(failure["step"], "2 (convert)");
    assert_eq!((failure["kind"].as_str(), failure["line"].as_u64()), (Some("unfit"), Some(2)));
    assert_eq!((ran.code, &*ran.stderr), (1, ""));
}

#[test]
fn a_golden_file_that_differs_names_the_path() {
    let folder = Folder::with_chain();
    folder.write("chain/samples/notes.v1.ndjson", RECORDS);
    let other = MOVED.replace(r#""name":"""#, r#""name":7"#).replace(r#""label":"x""#, r#""label":"y","more":null"#);
    folder.write("chain/samples/notes.v1.expected.v3.ndjson", &other);
    folder.write("chain/samples/notes.v1.expected.v2.ndjson", "");
    let ran = folder.run("check --chain chain");
    assert!(!ran.stdout.contains(SECRET));
    assert_snapshot!(ran);
}

#[test]
fn failures_of_one_file_are_told_ten_times() {
    let folder = Folder::with_chain();
    folder.write("chain/samples/notes.v1.ndjson", &"{}\n".repeat(1000));
    assert_eq!(folder.run("check --chain chain").stdout.matches("line ").count(), 10);
}

#[test]
fn a_sample_of_no_collection_or_version_is_refused() {
    for name in ["strangers.v1", "notes.v9", "notes", "notes.v1.expected.v9"] {
        let folder = Folder::with_chain();
        folder.write(&format!("chain/samples/{name}.ndjson"), RECORDS);
        let ran = folder.run("check --chain chain --json");
        assert_eq!((ran.code, ran.error()["kind"].as_str()), (1, Some("chain")), "{ran}");
        assert_eq!(ran.error()["file"], format!("chain/samples/{name}.ndjson"));
    }
}

#[test]
fn the_chains_of_the_repository_hold() {
    for chain in ["extension/chain", "examples/assistant/chain"] {
        expect_proved(&format!("{}/../../{chain}", env!("CARGO_MANIFEST_DIR")));
    }
}

fn expect_proved(chain: &str) {
    let folder = Folder::empty();
    let ran = folder.run(&format!("check --chain {chain} --json"));
    let report = ran.report();
    assert_eq!(ran.code, 0, "{ran}");
    let proved: Vec<_> = report["samples"].as_array().unwrap().iter().map(|proof| &proof["collection"]).collect();
    for collection in report["collections"].as_array().unwrap() {
        assert!(proved.contains(&collection), "no samples of {collection}");
    }
}
