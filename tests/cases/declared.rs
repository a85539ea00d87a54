//! What JavaScript is told it gets, in `src/js/types.ts`, against what it gets.

use std::collections::BTreeMap;

use super::browser::Listener;
use super::*;
use wasm_bindgen_test::wasm_bindgen_test;

const TYPES: &str = include_str!("../../src/js/types.ts");

/// The members of an interface, and whether each may be absent.
fn members(interface: &str) -> BTreeMap<&'static str, bool> {
    let (_, rest) = TYPES.split_once(&format!("export interface {interface} {{\n")).expect("an interface of this name");
    let (body, _) = rest.split_once("\n}").unwrap();
    let lines = body.lines().map(str::trim).filter(|line| !line.starts_with(['/', '*']));
    lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, _)| name.strip_suffix('?').map_or((name, false), |name| (name, true)))
        .collect()
}

/// Whether `word` is one of the texts that a type allows.
fn allows(name: &str, word: &Value) -> bool {
    let (_, rest) = TYPES.split_once(&format!("export type {name} =")).expect("a type of this name");
    let (body, _) = rest.split_once("\n\n").unwrap();
    body.contains(&word.to_string())
}

#[track_caller]
fn assert_is(value: &Value, interface: &str) {
    let declared = members(interface);
    let found = value.as_object().unwrap_or_else(|| panic!("expected a {interface}, found {value}"));
    for name in found.keys() {
        assert!(declared.contains_key(&**name), "{interface} has no {name}: {value}");
    }
    for (name, _) in declared.iter().filter(|(_, may_be_absent)| !**may_be_absent) {
        assert!(found.contains_key(*name), "{interface} must have {name}: {value}");
    }
}

#[wasm_bindgen_test]
fn the_declarations_are_read() {
    assert_eq!(members("Status").len(), 5);
    assert_eq!((members("Problem")["kind"], members("Problem")["path"]), (false, true));
    assert!(allows("Phase", &json!("sweep")) && !allows("Phase", &json!("weep")));
}

#[wasm_bindgen_test]
async fn a_status_a_report_a_snapshot_and_progress_are_as_declared() {
    let area = version_1().await;
    let listener = Listener::new();
    assert_is(&json(&engine(&area).status().await.unwrap()), "Status");
    let status = open(&area).await.unwrap();
    assert_is(&status, "Status");
    assert!(allows("State", &status["state"]));
    assert_is(&status["lastRun"], "Report");
    for snapshot in json(&engine(&area).snapshots().await.unwrap()).as_array().unwrap() {
        assert_is(snapshot, "Snapshot");
        assert_eq!((&snapshot["version"], &snapshot["records"]), (&json!(1), &json!(7)));
    }
    let mut estimated = false;
    for progress in json(&listener.until("sweep").await).as_array().unwrap() {
        assert_is(progress, "Progress");
        assert!(allows("Phase", &progress["phase"]));
        estimated |= progress["remainingMs"].is_number();
    }
    assert!(estimated, "the rest of some phase is estimated");
}

#[wasm_bindgen_test]
async fn a_problem_is_as_declared_in_a_status_and_thrown() {
    let mut data = reference::version_1(&NAMES, "hi");
    data["conversations"][1]["create_time"] = json!(1e300);
    let area = holding(&data).await;
    let status = open(&area).await.unwrap();
    assert!(allows("State", &status["state"]));
    assert_is(&status["problem"], "Problem");
    assert_is(&status["lastRun"]["problem"], "Problem");
    assert_eq!(
        [&status["problem"]["collection"], &status["problem"]["record"], &status["problem"]["path"]],
        ["conversations", "a", "/create_time"]
    );
    assert_is(&problem(engine(&area).restore("none".to_owned()).await), "Problem");
    assert_is(&problem(Engine::new(area.clone().unchecked_into(), "{}", 0.0, 0.0, 0.0, never())), "Problem");
}

#[wasm_bindgen_test]
async fn a_preview_is_as_declared_also_of_a_file_that_is_none() {
    let area = version_1().await;
    open(&area).await.unwrap();
    let file = engine(&area).export().await.unwrap();
    let preview = json(&engine(&area).preview(file, "take".into()).await.unwrap());
    assert_is(&preview, "Preview");
    assert!(preview.get("problem").is_none());
    let none = web_sys::Blob::new().unwrap();
    let preview = json(&engine(&area).preview(none, "take".into()).await.unwrap());
    assert_is(&preview, "Preview");
    assert_is(&preview["problem"], "Problem");
}
