//! Single records, moved in memory.

use super::*;
use exuvia_core::chain::{Chain, Lock, Migration};
use wasm_bindgen_test::wasm_bindgen_test;

fn conversation(version: u32) -> Value {
    match version {
        1 => reference::version_1(&["a"], "hi")["conversations"][0].clone(),
        _ => reference::version_5(&["a"], "hi")["conversation:a"].clone(),
    }
}

fn translate(collection: &str, from: u32, to: u32, record: &str, residue: Option<String>) -> Result<Value, JsValue> {
    let residue = residue.as_deref().unwrap_or("{}");
    let moved = json(&engine(&StorageArea::new("{}")).translate(collection, from, to, record, residue, "", 0.0)?);
    let part = |name: &str| serde_json::from_str::<Value>(moved[name].as_str().unwrap()).unwrap();
    Ok(json!({ "record": part("record"), "residue": part("residue") }))
}

#[wasm_bindgen_test]
fn a_record_goes_either_way_without_residue_where_it_leaves_none() {
    for (from, to) in [(1, 5), (5, 1), (1, 1)] {
        let moved = translate("conversations", from, to, &conversation(from).to_string(), None).unwrap();
        assert_eq!(moved, json!({ "record": conversation(to), "residue": {} }), "{from} to {to}");
    }
}

#[wasm_bindgen_test]
fn what_it_leaves_behind_comes_back() {
    let mut one = conversation(1);
    one["messages"][0]["role"] = json!("narrator");
    let up = translate("conversations", 1, 5, &one.to_string(), None).unwrap();
    assert_eq!(up["record"], conversation(5));
    let down = translate("conversations", 5, 1, &up["record"].to_string(), Some(up["residue"].to_string())).unwrap();
    assert_eq!(down["record"], one);
}

#[wasm_bindgen_test]
fn what_cannot_be_moved_is_a_problem() {
    let good = conversation(1).to_string();
    let cases = [
        ("chain", translate("letters", 1, 5, &good, None)),
        ("chain", translate("conversations", 1, 6, &good, None)),
        ("chain", translate("conversations", 0, 5, &good, None)),
        ("unfit", translate("conversations", 1, 5, "null", None)),
        ("json", translate("conversations", 1, 5, "{", None)),
        ("json", translate("conversations", 1, 5, &good, Some("[]".to_owned()))),
    ];
    for (kind, answered) in cases {
        assert_eq!(problem(answered)["kind"], kind);
    }
}

#[wasm_bindgen_test]
fn a_function_of_the_extension_s_own_goes_both_ways() {
    let start = r#"{"exuvia":1,"id":"a","collections":{"c":{"layout":{"prefix":"c:"},"schema":{"type":"object","properties":{"x":{"type":"string"}}}}}}"#;
    let next = r#"{"exuvia":1,"id":"b","parents":["a"],"change":{"c":[{"custom":"/x","name":"loud","revision":2,"back":"?","examples":[["a","A"]]}]}}"#;
    let migrations = [start, next].map(|text| Migration::parse(text).unwrap()).into();
    let chain = Chain::arrange(migrations, &Lock::default()).unwrap().text().to_owned();
    let mut engine = Engine::new(StorageArea::new("{}").unchecked_into(), &chain, 0.0, 0.0, 0.0, never()).unwrap();
    let function = |body: &str| js_sys::Function::new_with_args("text", &format!("return {body}"));
    let moved = |engine: &Engine, from, to, record: &str| engine.translate("c", from, to, record, "{}", "", 0.0);
    assert_eq!(problem(moved(&engine, 1, 2, r#"{"x":"a"}"#))["kind"], "chain");
    engine.register("loud".to_owned(), 2, function("text.toUpperCase()"), Some(function("text.toLowerCase()")));
    assert_eq!(json(&moved(&engine, 1, 2, r#"{"x":"a"}"#).unwrap())["record"], r#"{"x":"A"}"#);
    assert_eq!(json(&moved(&engine, 2, 1, r#"{"x":"B"}"#).unwrap())["record"], r#"{"x":"b"}"#);
    engine.register("loud".to_owned(), 2, function("nothing()"), None);
    assert_eq!(problem(moved(&engine, 1, 2, r#"{"x":"geheim"}"#))["kind"], "unfit");
    assert_eq!(json(&moved(&engine, 2, 1, r#"{"x":"B"}"#).unwrap())["record"], r#"{"x":"?"}"#);
}
