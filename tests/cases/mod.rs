//! What holds of the Wasm module wherever it runs. One test runs at a time; each begins with nothing stored.

#![expect(clippy::unwrap_used, reason = "these are tests, which Clippy knows by another attribute")]

mod access;
mod browser;
mod declared;
mod exchange;
mod places;
mod reference;
mod runs;
mod snapshots;
mod storage;
mod translate;

use browser::StorageArea;
use exuvia::Engine;
use js_sys::{JSON, Promise};
use serde_json::{Value, json};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, future_to_promise};

const NAMES: [&str; 3] = ["b", "a", "c"];

/// An extension as its user has it: a storage area with data of version 1 in a browser that has never seen Exuvia.
async fn version_1() -> StorageArea {
    holding(&reference::version_1(&NAMES, "hi")).await
}

async fn holding(data: &Value) -> StorageArea {
    browser::clear().await;
    StorageArea::new(&data.to_string())
}

/// The engine of one context of the extension.
fn engine(area: &StorageArea) -> Engine {
    engine_with(area, 60_000.0, 3.0, f64::INFINITY)
}

fn engine_with(area: &StorageArea, wait_ms: f64, keep_snapshots: f64, keep_ms: f64) -> Engine {
    Engine::new(area.clone().unchecked_into(), reference::CHAIN, wait_ms, keep_snapshots, keep_ms, never()).unwrap()
}

fn never() -> Promise {
    Promise::new(&mut |_, _| {})
}

async fn open(area: &StorageArea) -> Result<Value, JsValue> {
    engine(area).open(false).await.map(|status| json(&status))
}

/// What the engine answered, or the problem it threw.
fn json(value: &impl AsRef<JsValue>) -> Value {
    serde_json::from_str(&String::from(JSON::stringify(value.as_ref()).unwrap())).unwrap()
}

fn problem<T>(answered: Result<T, JsValue>) -> Value {
    json(&answered.err().expect("a problem"))
}

#[track_caller]
fn assert_holds(area: &StorageArea, expected: &Value) {
    let found: Value = serde_json::from_str(&area.data()).unwrap();
    assert_eq!(&found, expected);
}

#[track_caller]
fn assert_moved(area: &StorageArea) {
    assert_holds(area, &reference::version_5(&NAMES, "hi"));
}

/// Does two things at once.
async fn both(
    one: impl Future<Output = Result<JsValue, JsValue>> + 'static,
    other: impl Future<Output = Result<JsValue, JsValue>> + 'static,
) -> [Value; 2] {
    let promises = js_sys::Array::of2(&future_to_promise(one), &future_to_promise(other));
    let answers: js_sys::Array = JsFuture::from(Promise::all(&promises)).await.unwrap().unchecked_into();
    [json(&answers.get(0)), json(&answers.get(1))]
}
