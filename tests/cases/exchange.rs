//! Export files.

use super::browser::files;
use super::*;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::Blob;

const MODES: [&str; 3] = ["replace", "keep", "take"];

async fn exported() -> (StorageArea, Blob) {
    let area = version_1().await;
    open(&area).await.unwrap();
    let file = engine(&area).export().await.unwrap();
    (area, file)
}

fn ours() -> Value {
    let mut data = reference::version_5(&NAMES, "hi");
    data.as_object_mut().unwrap().remove("somebody_elses");
    data
}

#[wasm_bindgen_test]
async fn what_is_exported_comes_in_elsewhere() {
    let (_, file) = exported().await;
    for mode in MODES {
        let area = holding(&json!({})).await;
        open(&area).await.unwrap();
        let status = json(&engine(&area).import(file.clone(), mode.into()).await.unwrap());
        assert_eq!((&status["state"], &status["lastRun"]["cause"]), (&json!("current"), &json!("import")), "{mode}");
        assert_holds(&area, &ours());
        assert_eq!(files().await.length(), 1, "the snapshot of the run stays, and nothing else: {mode}");
    }
}

#[wasm_bindgen_test]
async fn a_preview_says_what_an_import_does_and_does_nothing() {
    let (area, file) = exported().await;
    let mut changed = reference::version_5(&["a", "later"], "ho");
    changed["conversation:b"] = reference::version_5(&["b"], "hi")["conversation:b"].clone();
    for (key, value) in changed.as_object().unwrap() {
        area.put(key, &value.to_string());
    }
    let before = area.data();
    let counts = |mode: &'static str| {
        let (area, file) = (area.clone(), file.clone());
        async move { json(&engine(&area).preview(file, mode.into()).await.unwrap())["collections"]["conversations"].clone() }
    };
    // Of the conversations a and b differ, since the members differ that each has by name; c is equal; one is newer.
    assert_eq!(counts("take").await, json!({ "add": 0, "replace": 2, "same": 1, "keep": 1, "remove": 0 }));
    assert_eq!(counts("keep").await, json!({ "add": 0, "replace": 0, "same": 1, "keep": 3, "remove": 0 }));
    assert_eq!(counts("replace").await, json!({ "add": 0, "replace": 2, "same": 1, "keep": 0, "remove": 1 }));
    assert_eq!(area.data(), before);
}

#[wasm_bindgen_test]
async fn a_truncated_file_is_refused_and_changes_nothing() {
    let (area, file) = exported().await;
    for size in [0.0, file.size() / 2.0, file.size() - 2.0] {
        let cut = file.slice_with_f64_and_f64(0.0, size).unwrap();
        let preview = json(&engine(&area).preview(cut.clone(), "replace".into()).await.unwrap());
        assert_eq!(preview["problem"]["kind"], "import", "{size} bytes: {preview}");
        let refused = problem(engine(&area).import(cut, "replace".into()).await);
        assert_eq!(refused["kind"], "import", "{size} bytes: {refused}");
        assert_moved(&area);
        assert_eq!(open(&area).await.unwrap()["state"], "current");
    }
    assert_eq!(staged_files_that_stay().await, 0);
}

/// Files beside the one snapshot. They are removed in the background; so it is asked more than once.
async fn staged_files_that_stay() -> u32 {
    for _ in 0..1_000 {
        if files().await.length() == 1 {
            return 0;
        }
    }
    files().await.length() - 1
}

#[wasm_bindgen_test]
async fn a_file_larger_than_one_read_comes_in() {
    let names: Vec<_> = (0..60).map(|index| format!("c{index}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    // Characters of three bytes, so that reads end inside of them.
    let text = "€".repeat(9_000);
    let area = holding(&reference::version_1(&names, &text)).await;
    open(&area).await.unwrap();
    let before = area.data();
    let file = engine(&area).export().await.unwrap();
    assert!(file.size() > 1_500_000.0);
    for name in &names {
        area.put(&format!("conversation:{name}"), "{}");
    }
    let status = json(&engine(&area).import(file, "replace".into()).await.unwrap());
    assert_eq!(status["state"], "current", "{status}");
    assert_eq!(area.data(), before);
}
