//! Where snapshots are kept when the browser does not open every place.

use super::browser::{close_database, close_files, files, open_places, remove_database, upgrade_database};
use super::snapshots::newest;
use super::*;
use wasm_bindgen_test::wasm_bindgen_test;

/// The names of the snapshots that are listed, the newest first.
async fn listed(area: &StorageArea) -> Vec<String> {
    let snapshots = json(&engine(area).snapshots().await.unwrap());
    snapshots.as_array().unwrap().iter().map(|snapshot| snapshot["id"].as_str().unwrap().to_owned()).collect()
}

#[wasm_bindgen_test]
async fn without_files_a_snapshot_is_kept_in_the_database_and_restored_from_it() {
    let area = version_1().await;
    let before = area.data();
    close_files();
    assert_eq!(open(&area).await.unwrap()["state"], "current");
    assert_moved(&area);
    engine(&area).restore(newest(&area).await).await.unwrap();
    assert_eq!(area.data(), before);
    open_places();
    assert_eq!(files().await.length(), 0);
}

#[wasm_bindgen_test]
async fn a_snapshot_in_the_database_is_found_where_files_can_be_opened_again() {
    let area = version_1().await;
    let before = area.data();
    close_files();
    open(&area).await.unwrap();
    open_places();
    let snapshot = newest(&area).await;
    engine(&area).restore(snapshot.clone()).await.unwrap();
    assert_eq!(area.data(), before);
    assert!(listed(&area).await.contains(&snapshot));
    assert_eq!(files().await.length(), 1, "the snapshot that the restore made is a file again");
}

#[wasm_bindgen_test]
async fn a_snapshot_in_a_file_that_cannot_be_opened_now_is_not_called_missing() {
    let area = version_1().await;
    let before = area.data();
    open(&area).await.unwrap();
    let snapshot = newest(&area).await;
    close_files();
    let refused = problem(engine(&area).restore(snapshot.clone()).await);
    assert_eq!(refused["kind"], "store", "{refused}");
    assert_moved(&area);
    assert_eq!(open(&area).await.unwrap()["state"], "current");
    assert_eq!(listed(&area).await, std::slice::from_ref(&snapshot));
    open_places();
    engine(&area).restore(snapshot).await.unwrap();
    assert_eq!(area.data(), before);
}

#[wasm_bindgen_test]
async fn a_snapshot_in_a_file_is_let_go_of_once_its_file_can_be_reached() {
    let area = version_1().await;
    open(&area).await.unwrap();
    let in_file = newest(&area).await;
    let engine = engine_with(&area, 60_000.0, 1.0, f64::INFINITY);
    let to_and_fro = async || {
        engine.revert(1).await.unwrap();
        engine.open(true).await.unwrap();
    };
    close_files();
    to_and_fro().await;
    assert_eq!(listed(&area).await.len(), 2, "the newest, and the one that cannot be reached");
    open_places();
    assert_eq!(files().await.length(), 1);
    to_and_fro().await;
    let kept = listed(&area).await;
    assert_eq!((kept.len(), kept.contains(&in_file)), (1, false));
    assert_eq!(json(&files().await), json!(kept));
}

#[wasm_bindgen_test]
async fn without_a_place_for_its_snapshot_a_run_is_refused_and_the_app_goes_on() {
    let area = version_1().await;
    let before = area.data();
    open(&area).await.unwrap();
    engine(&area).revert(1).await.unwrap();
    assert_eq!(area.data(), before);
    for close in [close_database, || (close_database(), close_files()).1] {
        close();
        let status = json(&engine(&area).open(true).await.unwrap());
        assert_eq!((&status["state"], &status["problem"]["kind"]), (&json!("refused"), &json!("store")));
        assert_eq!(status["lastRun"]["outcome"], "refused");
        let said = status["problem"]["message"].as_str().unwrap();
        assert!(said.starts_with("expected a place to keep a snapshot in, found none"), "{said}");
        assert_eq!(area.data(), before);
        let title: Value =
            serde_json::from_str(&engine(&area).get("conversations", "b").await.unwrap().unwrap()).unwrap();
        assert_eq!(title, reference::version_5(&NAMES, "hi")["conversation:b"]);
        open_places();
        assert_eq!(files().await.length(), 2, "nothing is left of what was not begun");
    }
    assert_eq!(json(&engine(&area).open(true).await.unwrap())["state"], "current");
    assert_moved(&area);
}

#[wasm_bindgen_test]
async fn data_without_a_head_is_not_touched_where_nobody_can_tell_whether_there_was_one() {
    let area = version_1().await;
    let keys = area.keys();
    close_database();
    let problem = problem(open(&area).await);
    assert_eq!(problem["kind"], "store", "{problem}");
    assert_eq!(area.keys(), keys);
    open_places();
    assert_eq!(open(&area).await.unwrap()["state"], "current");
    assert_moved(&area);
}

#[wasm_bindgen_test]
async fn an_import_is_staged_in_the_database_where_there_are_no_files() {
    let area = version_1().await;
    open(&area).await.unwrap();
    let file = engine(&area).export().await.unwrap();
    let empty = holding(&json!({})).await;
    close_files();
    open(&empty).await.unwrap();
    engine(&empty).import(file, "replace".into()).await.unwrap();
    let mut declared = reference::version_5(&NAMES, "hi");
    declared.as_object_mut().unwrap().remove("somebody_elses");
    assert_holds(&empty, &declared);
}

/// The older one is opened again where somebody goes back to an older extension.
#[wasm_bindgen_test]
async fn a_database_of_a_newer_build_is_made_way_for_and_used_as_far_as_it_is_known() {
    let area = version_1().await;
    let before = area.data();
    let held = engine(&area);
    held.open(false).await.unwrap();
    upgrade_database().await.unwrap();
    let snapshot = newest(&area).await;
    held.restore(snapshot).await.unwrap();
    assert_eq!(area.data(), before);
    remove_database().await.unwrap();
}
