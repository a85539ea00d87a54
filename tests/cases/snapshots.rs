//! Snapshots: restored by hand, and refused where they are not what was saved.

use super::browser::{files, flip_bit, remove_file, truncate_file};
use super::*;
use wasm_bindgen_test::wasm_bindgen_test;

/// The name of the newest snapshot.
pub async fn newest(area: &StorageArea) -> String {
    let snapshots = json(&engine(area).snapshots().await.unwrap());
    snapshots[0]["id"].as_str().expect("a snapshot").to_owned()
}

#[wasm_bindgen_test]
async fn a_restore_by_hand_gives_exactly_the_old_data_which_can_move_again() {
    let area = version_1().await;
    let before = area.data();
    open(&area).await.unwrap();
    area.put("conversation:later", "{}");
    let status = json(&engine(&area).restore(newest(&area).await).await.unwrap());
    assert_eq!((&status["state"], &status["version"]), (&json!("behind"), &json!(1)));
    assert_eq!(area.data(), before);
    assert_eq!(open(&area).await.unwrap()["state"], "current");
    assert_moved(&area);
}

#[wasm_bindgen_test]
async fn a_restore_can_be_undone() {
    let area = version_1().await;
    open(&area).await.unwrap();
    let first = newest(&area).await;
    let after = area.data();
    engine(&area).restore(first.clone()).await.unwrap();
    let second = newest(&area).await;
    assert_ne!(first, second);
    let status = json(&engine(&area).restore(second).await.unwrap());
    assert_eq!((&status["state"], &status["version"]), (&json!("current"), &json!(5)));
    assert_eq!(area.data(), after);
}

#[wasm_bindgen_test]
async fn as_many_snapshots_stay_as_are_to_be_kept() {
    let area = version_1().await;
    open(&area).await.unwrap();
    let engine = engine_with(&area, 60_000.0, 2.0, f64::INFINITY);
    for _ in 0..3 {
        engine.restore(newest(&area).await).await.unwrap();
    }
    let snapshots = json(&engine.snapshots().await.unwrap());
    assert_eq!(snapshots.as_array().unwrap().len(), 2);
    let mut kept: Vec<_> = snapshots.as_array().unwrap().iter().map(|snapshot| snapshot["id"].clone()).collect();
    let mut there = json(&files().await).as_array().unwrap().clone();
    kept.sort_by_key(Value::to_string);
    there.sort_by_key(Value::to_string);
    assert_eq!(kept, there, "a file for each, and no other");
}

#[wasm_bindgen_test]
async fn snapshots_that_are_too_old_go_however_few_there_are() {
    let area = version_1().await;
    open(&area).await.unwrap();
    let engine = engine_with(&area, 60_000.0, 9.0, 0.0);
    for _ in 0..3 {
        engine.restore(newest(&area).await).await.unwrap();
    }
    let snapshots = json(&engine.snapshots().await.unwrap());
    assert!(snapshots.as_array().unwrap().len() <= 2, "{snapshots}");
    assert_eq!(files().await.length() as usize, snapshots.as_array().unwrap().len());
}

async fn assert_refused(area: &StorageArea, snapshot: String) {
    let refused = problem(engine(area).restore(snapshot).await);
    assert_eq!(refused["kind"], "snapshot", "{refused}");
    assert_moved(area);
    assert_eq!(open(area).await.unwrap()["state"], "current");
}

#[wasm_bindgen_test]
async fn a_truncated_snapshot_is_refused() {
    let area = version_1().await;
    open(&area).await.unwrap();
    let snapshot = newest(&area).await;
    truncate_file(&snapshot).await;
    assert_refused(&area, snapshot).await;
}

#[wasm_bindgen_test]
async fn an_altered_snapshot_is_refused() {
    let area = version_1().await;
    open(&area).await.unwrap();
    let snapshot = newest(&area).await;
    flip_bit(&snapshot).await;
    assert_refused(&area, snapshot).await;
}

#[wasm_bindgen_test]
async fn a_snapshot_without_its_file_is_refused() {
    let area = version_1().await;
    open(&area).await.unwrap();
    let snapshot = newest(&area).await;
    remove_file(&snapshot).await;
    assert_refused(&area, snapshot).await;
}

#[wasm_bindgen_test]
async fn a_snapshot_that_nobody_made_is_refused() {
    let area = version_1().await;
    open(&area).await.unwrap();
    assert_refused(&area, "none".to_owned()).await;
}

#[wasm_bindgen_test]
async fn a_lost_head_is_told_and_a_snapshot_is_the_way_out() {
    let area = version_1().await;
    let before = area.data();
    open(&area).await.unwrap();
    let found = StorageArea::new(&area.data());
    assert_eq!(open(&found).await.unwrap()["state"], "lost");
    assert_moved(&found);
    engine(&found).restore(newest(&found).await).await.unwrap();
    assert_eq!(found.data(), before);
}
