//! Records in the tip's form while the store holds another.

use super::*;
use wasm_bindgen_test::wasm_bindgen_test;

/// A run that was refused: one conversation has a time that is none.
async fn refused() -> StorageArea {
    let mut data = reference::version_1(&NAMES, "hi");
    data["conversations"][1]["create_time"] = json!(1e300);
    let area = holding(&data).await;
    assert_eq!(open(&area).await.unwrap()["state"], "refused");
    area
}

fn expected(storage_key: &str) -> Value {
    reference::version_5(&NAMES, "hi")[storage_key].clone()
}

#[wasm_bindgen_test]
async fn an_app_reads_on_where_a_run_was_refused() {
    let area = refused().await;
    let engine = engine(&area);
    let text = engine.get("conversations", "b").await.unwrap().unwrap();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected("conversation:b"));
    assert_eq!(engine.get("conversations", "nobody").await.unwrap(), None);
    assert_eq!(problem(engine.get("conversations", "a").await)["record"], "a");
    let listed: Value = serde_json::from_str(&engine.list("distillations").await.unwrap()).unwrap();
    let mut names = NAMES;
    names.sort_unstable();
    let pairs: Vec<_> = names.iter().map(|name| json!([name, expected(&format!("distillation:{name}"))])).collect();
    assert_eq!(listed, json!(pairs));
}

#[wasm_bindgen_test]
async fn an_app_writes_on_where_a_run_was_refused() {
    let area = refused().await;
    let engine = engine(&area);
    let mut changed = expected("conversation:b");
    changed["title"] = json!("another");
    engine.put("conversations", "b", Some(changed.to_string())).await.unwrap();
    engine.put("conversations", "a", None).await.unwrap();
    let status = json(&engine.open(true).await.unwrap());
    assert_eq!((&status["state"], &status["version"]), (&json!("current"), &json!(5)));
    let mut data = reference::version_5(&NAMES, "hi");
    data["conversation:b"] = changed;
    data.as_object_mut().unwrap().remove("conversation:a");
    assert_holds(&area, &data);
}
