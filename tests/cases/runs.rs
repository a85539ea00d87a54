//! Runs: what is done, what is refused, and what becomes of the data where something fails.

use super::browser::{Listener, files, hold_lock, older_storage_area};
use super::*;
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
async fn data_of_version_1_moves_to_version_5() {
    let area = version_1().await;
    let status = open(&area).await.unwrap();
    assert_eq!((&status["state"], &status["version"]), (&json!("current"), &json!(5)));
    assert_eq!(
        status["lastRun"]["records"],
        json!({ "user_preferences": 1, "conversations": NAMES.len(), "distillations": NAMES.len() })
    );
    assert_moved(&area);
    assert!(!area.keys().iter().any(|key| key.starts_with("exuvia:b:")), "markers are swept");
}

#[wasm_bindgen_test]
async fn data_moves_in_a_browser_that_cannot_list_keys() {
    version_1().await;
    let area = older_storage_area(&reference::version_1(&NAMES, "hi").to_string());
    assert_eq!(open(&area).await.unwrap()["state"], "current");
    assert_moved(&area);
}

#[wasm_bindgen_test]
async fn with_nothing_to_do_nothing_is_written() {
    let area = version_1().await;
    let first = open(&area).await.unwrap();
    let (data, snapshots) = (area.data(), files().await.length());
    let again = open(&area).await.unwrap();
    assert_eq!((area.data(), files().await.length()), (data, snapshots));
    assert_eq!(again, first, "the last run is the first one");
}

#[wasm_bindgen_test]
async fn a_status_changes_nothing() {
    let area = version_1().await;
    let keys = area.keys();
    let status = json(&engine(&area).status().await.unwrap());
    assert_eq!((&status["state"], &status["version"], &status["target"]), (&json!("behind"), &json!(1), &json!(5)));
    assert_eq!(area.keys(), keys);
}

#[wasm_bindgen_test]
async fn a_fresh_store_starts_at_the_tip() {
    let area = holding(&json!({})).await;
    assert_eq!(json(&engine(&area).status().await.unwrap())["state"], "fresh");
    let status = open(&area).await.unwrap();
    assert_eq!((&status["state"], &status["version"]), (&json!("current"), &json!(5)));
    assert_holds(&area, &json!({}));
}

#[wasm_bindgen_test]
async fn a_batch_that_lands_damaged_gives_exactly_the_old_data_back() {
    let area = version_1().await;
    let before = area.data();
    area.damage("conversation:b", "hi", "ho");
    let status = open(&area).await.unwrap();
    assert_eq!((&status["state"], &status["lastRun"]["outcome"]), (&json!("refused"), &json!("restored")));
    assert_eq!(status["problem"]["kind"], "validation");
    assert_eq!(area.data(), before);
}

#[wasm_bindgen_test]
async fn a_storage_call_that_fails_loses_nothing_whichever_it_is() {
    let whole = version_1().await;
    open(&whole).await.unwrap();
    let calls = whole.calls();
    assert!(calls > 20, "a run makes {calls} calls");
    for call in 1..=calls {
        let area = version_1().await;
        let before = area.data();
        area.set_fails_at(call);
        // What failed once is asked for again: in the same run, key by key, or at the next start.
        match open(&area).await {
            Ok(status) if status["state"] == "current" => assert_moved(&area),
            Ok(status) => {
                assert!(status["state"] == "refused" || status["state"] == "behind", "call {call}: {status}");
                assert_eq!(area.data(), before, "call {call}");
            }
            Err(_) => {}
        }
        area.set_fails_at(0);
        let status = json(&engine(&area).open(true).await.unwrap());
        assert_eq!(status["state"], "current", "after call {call}: {status}");
        assert_moved(&area);
    }
}

#[wasm_bindgen_test]
async fn a_run_that_fails_while_it_saves_leaves_no_file() {
    let whole = version_1().await;
    open(&whole).await.unwrap();
    for call in 1..=whole.calls() {
        let area = version_1().await;
        area.set_fails_at(call);
        let refused = open(&area).await.is_ok_and(|status| status["lastRun"]["outcome"] == "refused");
        if refused {
            assert_eq!(files().await.length(), 0, "after call {call}");
        }
    }
}

#[wasm_bindgen_test]
async fn a_store_without_room_is_refused_before_anything_is_written() {
    let area = version_1().await;
    let before = area.data();
    // Room for the head, which takes 16 KiB, and for little more.
    area.declare_quota(18_000);
    let status = open(&area).await.unwrap();
    assert_eq!((&status["state"], &status["problem"]["kind"]), (&json!("refused"), &json!("quota")));
    assert_eq!(status["lastRun"]["outcome"], "refused");
    assert_eq!(area.data(), before);
}

#[wasm_bindgen_test]
async fn a_disk_that_fills_up_while_writing_gives_exactly_the_old_data_back() {
    let area = version_1().await;
    let before = area.data();
    // Room for the head, which takes 16 KiB, for the chain, and for little more.
    let chain = exuvia_core::chain::Chain::read(reference::CHAIN).unwrap().text().to_owned();
    let chain = json!(chain).to_string();
    area.set_capacity(18_000 + chain.len() as u32);
    let status = open(&area).await.unwrap();
    assert_eq!((&status["state"], &status["problem"]["kind"]), (&json!("refused"), &json!("quota")));
    assert_eq!(status["lastRun"]["outcome"], "restored");
    assert_eq!(area.data(), before);
}

/// What a browser says to a write, what kind of problem that is, and the state that the next start ends in by itself, once
/// the browser takes writes again.
const REFUSED_WRITES: [(&str, &str, &str); 4] = [
    // Waits for a person to make room.
    ("QUOTA_BYTES quota exceeded", "quota", "refused"),
    ("QUOTA_BYTES_PER_ITEM quota exceeded", "quota", "refused"),
    // Passes with time.
    ("This request exceeds the MAX_WRITE_OPERATIONS_PER_MINUTE quota.", "store", "current"),
    ("Message length exceeded maximum allowed length.", "store", "current"),
];

#[wasm_bindgen_test]
async fn a_write_that_the_browser_refuses_gives_exactly_the_old_data_back() {
    for (saying, kind, then) in REFUSED_WRITES {
        let area = version_1().await;
        let before = area.data();
        area.refuse("conversation:", saying);
        let status = open(&area).await.unwrap();
        assert_eq!((&status["state"], &status["problem"]["kind"]), (&json!("refused"), &json!(kind)), "{saying}");
        assert_eq!(status["lastRun"]["outcome"], "restored", "{saying}");
        assert_eq!(area.data(), before, "{saying}");
        area.refuse("", "");
        assert_eq!(open(&area).await.unwrap()["state"], then, "{saying}");
        engine(&area).open(true).await.unwrap();
        assert_moved(&area);
    }
}

#[wasm_bindgen_test]
async fn of_two_engines_at_once_one_runs_and_both_end_current() {
    let area = version_1().await;
    let (one, other) = (engine(&area), engine(&area));
    let statuses = both(async move { one.open(false).await }, async move { other.open(false).await }).await;
    assert!(statuses.iter().all(|status| status["state"] == "current"), "{statuses:?}");
    assert_eq!(statuses[0]["lastRun"], statuses[1]["lastRun"], "there was one run");
    assert_eq!(files().await.length(), 1, "there was one snapshot");
    assert_moved(&area);
}

#[wasm_bindgen_test]
async fn an_engine_that_waits_too_long_says_that_the_data_is_busy() {
    let area = version_1().await;
    let release = hold_lock().await;
    let status = json(&engine_with(&area, 50.0, 3.0, f64::INFINITY).open(false).await.unwrap());
    assert_eq!((&status["state"], &status["problem"]["kind"]), (&json!("busy"), &json!("busy")));
    release.call0(&JsValue::NULL).unwrap();
    assert_eq!(open(&area).await.unwrap()["state"], "current");
}

#[wasm_bindgen_test]
async fn hostile_names_are_ordinary_names() {
    let long = "long ".repeat(4_000);
    let names = [
        "__proto__",
        "constructor",
        "a.b",
        "a/b",
        "~",
        "~1",
        "$set",
        "$",
        " ",
        "0",
        "null",
        "\"",
        "\\",
        "\n",
        "exuvia",
        "exuvia:r:conversations:a",
        "é",
        "😀",
        &long,
    ];
    let mut old = reference::version_1(&names, "hi");
    let mut new = reference::version_5(&names, "hi");
    for name in names.iter().filter(|name| !name.starts_with("exuvia")) {
        old[name] = json!({ *name: name });
        new[name] = json!({ *name: name });
    }
    let area = holding(&old).await;
    let before = area.data();
    let status = open(&area).await.unwrap();
    assert_eq!(status["state"], "current", "{status}");
    assert_holds(&area, &new);
    let snapshot = snapshots::newest(&area).await;
    engine(&area).restore(snapshot).await.unwrap();
    assert_eq!(area.data(), before);
}

#[wasm_bindgen_test]
async fn a_large_array_crosses_in_slices() {
    let names: Vec<_> = (0..120).map(|index| format!("c{index}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let text = "€".repeat(9_000);
    let area = holding(&reference::version_1(&names, &text)).await;
    let before = area.data();
    let listener = Listener::new();
    assert_eq!(open(&area).await.unwrap()["state"], "current");
    let heard = json(&listener.until("rehearse").await);
    let saved = heard.as_array().unwrap().iter().filter(|progress| progress["phase"] == "snapshot");
    let saved: Vec<_> = saved.map(|progress| progress["bytes"].as_u64().unwrap()).collect();
    assert!(saved.len() > 3, "3 MB are more than three slices: {saved:?}");
    assert!(saved.windows(2).all(|pair| pair[1] - pair[0] < 1_500_000), "no slice is much over 1 MiB: {saved:?}");
    assert_holds(&area, &reference::version_5(&names, &text));
    engine(&area).restore(snapshots::newest(&area).await).await.unwrap();
    assert_eq!(area.data(), before);
}

#[wasm_bindgen_test]
async fn progress_is_heard_in_the_order_of_the_protocol() {
    let area = version_1().await;
    let listener = Listener::new();
    open(&area).await.unwrap();
    let heard = json(&listener.until("sweep").await);
    let heard = heard.as_array().unwrap();
    let mut phases: Vec<_> = heard.iter().map(|progress| progress["phase"].as_str().unwrap()).collect();
    phases.dedup();
    assert_eq!(phases, ["inspect", "assess", "snapshot", "rehearse", "apply", "validate", "commit", "sweep"]);
    for pair in heard.windows(2) {
        let [before, after] = pair else { unreachable!("windows of two") };
        let grows = |member: &str| before[member].as_f64() <= after[member].as_f64();
        assert_eq!(before["run"], after["run"]);
        assert!(grows("elapsedMs"));
        assert!(before["phase"] != after["phase"] || grows("done") && grows("bytes"), "{before} {after}");
    }
    let applied = heard.iter().rfind(|progress| progress["phase"] == "apply").unwrap();
    assert_eq!((&applied["done"], &applied["of"]), (&json!(7), &json!(7)));
}
