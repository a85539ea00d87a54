use std::process::{Command, Stdio};

use insta::assert_snapshot;

use super::{Folder, MOVED, RECORDS};

const UP: &str = "translate --chain chain --collection notes --from 1 --to 3";
const DOWN: &str = "translate --chain chain --collection notes --from 3 --to 1";

#[test]
fn records_go_up() {
    let ran = Folder::with_chain().pipe(UP, RECORDS);
    assert_eq!((ran.code, &*ran.stdout, &*ran.stderr), (0, MOVED, ""));
}

#[test]
fn residue_brings_everything_back() {
    let folder = Folder::with_chain();
    let up = folder.pipe(&format!("{UP} --residue kept.ndjson"), RECORDS);
    assert_eq!(folder.read("kept.ndjson").lines().count(), 2);
    let down = folder.pipe(&format!("{DOWN} --residue kept.ndjson"), up.stdout);
    folder.write("before.ndjson", RECORDS);
    folder.write("after.ndjson", &down.stdout);
    let diff = folder.run("diff before.ndjson after.ndjson");
    assert_eq!(diff.code, 0, "{diff}");
}

#[test]
fn a_residue_of_other_records_is_refused_and_left_alone() {
    let folder = Folder::with_chain();
    folder.pipe(&format!("{UP} --residue kept.ndjson"), RECORDS);
    let kept = folder.read("kept.ndjson");
    for records in [MOVED.lines().next().unwrap().to_owned(), MOVED.repeat(2)] {
        let ran = folder.pipe(&format!("{DOWN} --residue kept.ndjson"), records);
        assert_eq!((ran.code, ran.stderr.contains("a line of residue for each")), (1, true), "{ran}");
        assert_eq!(folder.read("kept.ndjson"), kept);
    }
    folder.write("kept.ndjson", "geheim\n");
    let ran = folder.pipe(&format!("{DOWN} --residue kept.ndjson --json"), MOVED);
    assert_eq!((ran.error()["file"].as_str(), ran.error()["line"].as_u64()), (Some("kept.ndjson"), Some(1)));
    assert_eq!(std::fs::read_dir(folder.0.path()).unwrap().count(), 2, "nothing is left beside it");
}

#[test]
fn a_record_that_does_not_fit_is_named_and_not_shown() {
    let folder = Folder::with_chain();
    let bad = [
        r#"{"id":"a","title":"geheim","mode":"open","time":9e300}"#,
        r#"{"id":"a","title":5,"mode":"open","time":1}"#,
        r#"{"id":"a","title":"geheim","mode":"geheim","time":1}"#,
        r#"{"id":"a","mode":"open","time":1,"geheim":0}"#,
        "geheim",
        "",
    ];
    let told = bad.map(|bad| {
        let ran = folder.pipe(UP, format!("{RECORDS}{bad}\n"));
        assert_eq!((ran.code, ran.stderr.contains("standard input, line 3: ")), (1, true), "{ran}");
        ran.stderr
    });
    assert_snapshot!(told.concat());
    let error = folder.pipe(&format!("{UP} --json"), format!("{RECORDS}{}\n", bad[0])).error();
    let place = ["kind", "migration", "collection", "step", "path", "file"].map(|name| error[name].as_str().unwrap());
    assert_eq!(place, ["unfit", "tidy", "notes", "2 (convert)", "/time", "standard input"]);
    assert_eq!(error["line"], 3);
}

#[test]
fn bytes_that_are_no_text_are_named() {
    let ran = Folder::with_chain().pipe(UP, b"{\"id\":\"\xff\"}\n".to_vec());
    assert_eq!((ran.code, ran.stderr.contains("UTF-8")), (1, true), "{ran}");
}

#[test]
fn lines_may_end_as_on_windows_and_the_last_not_at_all() {
    let records = RECORDS.trim_end().replace('\n', "\r\n");
    assert_eq!(Folder::with_chain().pipe(UP, records).stdout, MOVED);
}

#[test]
fn wrong_arguments_are_refused() {
    let folder = Folder::with_chain();
    for arguments in [
        "--collection nots --from 1 --to 3",
        "--collection notes --from 0 --to 3",
        "--collection notes --from 1 --to 4",
        "",
    ] {
        assert_eq!(folder.run(&format!("translate --chain chain {arguments}")).code, 2, "{arguments}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let folder = Folder::with_chain();
    folder.write("records.ndjson", &RECORDS.repeat(50_000));
    let mut child = Command::new(env!("CARGO_BIN_EXE_exuvia"))
        .current_dir(folder.0.path())
        .args(UP.split(' '))
        .stdin(std::fs::File::open(folder.path("records.ndjson")).unwrap())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), &*output.stderr), (Some(0), &b""[..]));
}
