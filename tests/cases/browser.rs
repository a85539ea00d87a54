//! The other side of `browser.js`.

use js_sys::{Array, Function};
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/tests/cases/browser.js")]
extern "C" {
    /// A stand-in for `chrome.storage.local`.
    #[derive(Clone)]
    pub type StorageArea;

    #[wasm_bindgen(constructor)]
    pub fn new(items: &str) -> StorageArea;

    #[wasm_bindgen(js_name = olderStorageArea)]
    pub fn older_storage_area(items: &str) -> StorageArea;

    #[wasm_bindgen(method, getter)]
    pub fn calls(this: &StorageArea) -> u32;

    #[wasm_bindgen(method, setter, js_name = failsAt)]
    pub fn set_fails_at(this: &StorageArea, call: u32);

    #[wasm_bindgen(method, setter)]
    pub fn set_capacity(this: &StorageArea, bytes: u32);

    #[wasm_bindgen(method, js_name = declareQuota)]
    pub fn declare_quota(this: &StorageArea, bytes: u32);

    #[wasm_bindgen(method)]
    pub fn refuse(this: &StorageArea, prefix: &str, saying: &str);

    #[wasm_bindgen(method)]
    pub fn damage(this: &StorageArea, key: &str, from: &str, to: &str);

    #[wasm_bindgen(method)]
    pub fn put(this: &StorageArea, key: &str, value: &str);

    #[wasm_bindgen(method)]
    pub fn keys(this: &StorageArea) -> Vec<String>;

    #[wasm_bindgen(method)]
    pub fn data(this: &StorageArea) -> String;

    pub async fn clear();

    pub async fn files() -> Array;

    #[wasm_bindgen(js_name = removeFile)]
    pub async fn remove_file(name: &str);

    #[wasm_bindgen(js_name = truncateFile)]
    pub async fn truncate_file(name: &str);

    #[wasm_bindgen(js_name = flipBit)]
    pub async fn flip_bit(name: &str);

    #[wasm_bindgen(js_name = closeFiles)]
    pub fn close_files();

    #[wasm_bindgen(js_name = closeDatabase)]
    pub fn close_database();

    #[wasm_bindgen(js_name = openPlaces)]
    pub fn open_places();

    #[wasm_bindgen(catch, js_name = upgradeDatabase)]
    pub async fn upgrade_database() -> Result<(), JsValue>;

    #[wasm_bindgen(catch, js_name = removeDatabase)]
    pub async fn remove_database() -> Result<(), JsValue>;

    #[wasm_bindgen(js_name = holdLock)]
    pub async fn hold_lock() -> Function;

    /// Hears the progress of runs.
    pub type Listener;

    #[wasm_bindgen(constructor)]
    pub fn new() -> Listener;

    #[wasm_bindgen(method)]
    pub async fn until(this: &Listener, phase: &str) -> Array;
}
