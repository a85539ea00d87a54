//! `chrome.storage` as a store.

use super::browser::older_storage_area;
use super::*;
use exuvia::Storage;
use exuvia_core::ErrorKind;
use exuvia_core::records::{Shape, Store};
use wasm_bindgen_test::wasm_bindgen_test;

fn storage(area: &StorageArea) -> Storage {
    Storage::new(area.clone().unchecked_into())
}

fn empty() -> Storage {
    storage(&StorageArea::new("{}"))
}

/// The slices of a value, each of at least one item or member.
fn slices(store: &Storage, value: &JsValue, budget: usize) -> Vec<String> {
    let (Shape::Array(length) | Shape::Object(length)) = store.shape(value) else { panic!("a value that is sliced") };
    let (mut slices, mut start) = (Vec::new(), 0);
    while start < length {
        let (text, count) = store.slice(value, start, budget).unwrap();
        assert!(count > 0);
        slices.push(text);
        start += count;
    }
    assert_eq!(start, length);
    slices
}

#[wasm_bindgen_test]
fn slices_put_together_are_the_whole() {
    let store = empty();
    let wholes = [
        r#"[1,"€",null,{"a":[]},[],true,"\ud83d\ude00",1e21]"#,
        r#"{"__proto__":{"x":1},"constructor":2,"a.b":3,"":4,"$set":{"__proto__":5},"0":6}"#,
    ];
    for (whole, empty) in wholes.into_iter().zip(["[]", "{}"]) {
        let value = store.write(whole).unwrap();
        for budget in [0, 1, 12, 30, 1_000] {
            let slices = slices(&store, &value, budget);
            assert_eq!(slices.len() == 1, budget == 1_000, "{budget}: {slices:?}");
            let mut together = store.write(empty).unwrap();
            for slice in &slices {
                store.extend(&mut together, slice).unwrap();
            }
            assert_eq!(store.read(&together).unwrap(), store.read(&value).unwrap(), "{budget}");
        }
    }
}

#[wasm_bindgen_test]
fn items_are_put_into_another_order() {
    let store = empty();
    let mut value = store.write(r#"["a","b","c"]"#).unwrap();
    store.reorder(&mut value, &[2, 0, 1]);
    assert_eq!(store.read(&value).unwrap(), r#"["c","a","b"]"#);
}

#[wasm_bindgen_test]
fn a_shape_is_what_a_value_looks_like() {
    let store = empty();
    let shape = |text| store.shape(&store.write(text).unwrap());
    assert_eq!(shape("[1,2]"), Shape::Array(2));
    assert_eq!(shape(r#"{"__proto__":1}"#), Shape::Object(1));
    for scalar in ["null", "1", "\"[]\"", "false"] {
        assert_eq!(shape(scalar), Shape::Scalar, "{scalar}");
    }
}

#[wasm_bindgen_test]
async fn keys_are_the_same_where_the_browser_cannot_list_them() {
    let items = r#"{"__proto__":1,"a":2,"":3}"#;
    for area in [StorageArea::new(items), older_storage_area(items)] {
        let mut keys = storage(&area).keys().await.unwrap();
        keys.sort();
        assert_eq!(keys, ["", "__proto__", "a"]);
    }
}

#[wasm_bindgen_test]
async fn a_key_is_set_got_and_removed_whatever_its_name() {
    let area = StorageArea::new("{}");
    let store = storage(&area);
    let names = ["__proto__", "", "a.b", "$set"].map(str::to_owned);
    let entries = names.iter().map(|name| (name.clone(), store.write(r#"{"__proto__":1}"#).unwrap()));
    store.set(entries.collect()).await.unwrap();
    let found = store.get(&names).await.unwrap();
    assert_eq!(found.len(), names.len());
    for (name, value) in found {
        assert_eq!(store.read(&value).unwrap(), r#"{"__proto__":1}"#, "{name}");
    }
    assert_eq!(store.get(&["absent".to_owned()]).await.unwrap().len(), 0);
    store.remove(&names).await.unwrap();
    assert_eq!(area.data(), "{}");
}

#[wasm_bindgen_test]
async fn a_full_store_and_a_broken_one_are_told_apart() {
    let area = StorageArea::new("{}");
    let store = storage(&area);
    let set = async || store.set(vec![("key".to_owned(), "0123456789".into())]).await.unwrap_err().kind();
    area.set_capacity(10);
    assert_eq!(set().await, ErrorKind::Quota);
    area.set_fails_at(area.calls() + 1);
    assert_eq!(set().await, ErrorKind::Store);
}

#[wasm_bindgen_test]
async fn room_is_what_the_quota_leaves() {
    let area = StorageArea::new(r#"{"key":"value"}"#);
    let store = storage(&area);
    assert_eq!(store.room().await.unwrap(), None, "an area without a quota");
    area.declare_quota(100);
    assert_eq!(store.room().await.unwrap(), Some(90));
    area.declare_quota(5);
    assert_eq!(store.room().await.unwrap(), Some(0));
}
