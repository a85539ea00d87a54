//! `chrome.storage` as a store.

use exuvia_core::records::{Shape, Store};
use exuvia_core::{Error, ErrorKind, Result};
use js_sys::{Array, JSON, JsString, Object, Reflect};
use wasm_bindgen::prelude::*;

use crate::problem::from_browser;

#[wasm_bindgen]
extern "C" {
    /// `chrome.storage.StorageArea`
    #[derive(Clone)]
    pub type StorageArea;

    #[wasm_bindgen(method, catch)]
    async fn get(this: &StorageArea, keys: &JsValue) -> std::result::Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch)]
    async fn set(this: &StorageArea, entries: &Object) -> std::result::Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch)]
    async fn remove(this: &StorageArea, keys: &Array) -> std::result::Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch, js_name = getKeys)]
    async fn get_keys(this: &StorageArea) -> std::result::Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch, js_name = getBytesInUse)]
    async fn get_bytes_in_use(this: &StorageArea, keys: &JsValue) -> std::result::Result<JsValue, JsValue>;

    #[derive(Clone)]
    type TextEncoder;

    #[wasm_bindgen(constructor)]
    fn new() -> TextEncoder;

    #[wasm_bindgen(method, js_name = encodeInto)]
    fn encode_into(this: &TextEncoder, text: &JsString, into: &mut [u8]) -> Encoded;

    type Encoded;

    #[wasm_bindgen(method, getter)]
    fn written(this: &Encoded) -> u32;

    #[wasm_bindgen(catch, js_namespace = ["chrome", "runtime"], js_name = getManifest)]
    fn get_manifest() -> std::result::Result<JsValue, JsValue>;
}

/// A storage area of the extension.
#[derive(Clone)]
pub struct Storage {
    area: StorageArea,
    encoder: TextEncoder,
}

impl Storage {
    /// The area as JavaScript hands it over.
    #[must_use]
    pub fn new(area: StorageArea) -> Self {
        Self { area, encoder: TextEncoder::new() }
    }
}

fn failed(doing: &'static str) -> impl Fn(JsValue) -> Error {
    from_browser(ErrorKind::Store, doing)
}

impl Store for Storage {
    type Value = JsValue;

    async fn keys(&self) -> Result<Vec<String>> {
        // Before Chromium 130 and in Firefox ESR there is no getKeys, and keys come with their values.
        let keys: Array = if Reflect::has(&self.area, &"getKeys".into()).unwrap_or(false) {
            self.area.get_keys().await.map_err(failed("list the keys"))?.unchecked_into()
        } else {
            Object::keys(
                self.area.get(&JsValue::NULL).await.map_err(failed("list the keys"))?.unchecked_ref::<Object>(),
            )
        };
        Ok(keys.iter().filter_map(|key| key.as_string()).collect())
    }

    async fn get(&self, keys: &[String]) -> Result<Vec<(String, JsValue)>> {
        let wanted: Array = keys.iter().map(JsValue::from).collect();
        let found = self.area.get(&wanted).await.map_err(failed("read"))?;
        let entries: Array = Object::entries(found.unchecked_ref::<Object>()).unchecked_into();
        let entry = |entry: JsValue| {
            let entry: Array = entry.unchecked_into();
            (entry.get(0).as_string().unwrap_or_default(), entry.get(1))
        };
        Ok(entries.iter().map(entry).collect())
    }

    async fn set(&self, entries: Vec<(String, JsValue)>) -> Result<()> {
        let object = Object::new();
        for (key, value) in entries {
            define(&object, &key.into(), &value);
        }
        self.area.set(&object).await.map(drop).map_err(failed("write"))
    }

    async fn remove(&self, keys: &[String]) -> Result<()> {
        let keys: Array = keys.iter().map(JsValue::from).collect();
        self.area.remove(&keys).await.map(drop).map_err(failed("remove"))
    }

    async fn room(&self) -> Result<Option<u64>> {
        let quota = Reflect::get(&self.area, &"QUOTA_BYTES".into()).ok().and_then(|quota| quota.as_f64());
        let Some(quota) = quota.filter(|_| !is_unlimited()) else { return Ok(None) };
        let used = self.area.get_bytes_in_use(&JsValue::NULL).await.map_err(failed("tell how much is stored"))?;
        Ok(Some((quota - used.as_f64().unwrap_or_default()).max(0.0) as u64))
    }

    async fn bytes(&self, keys: &[String]) -> Result<Option<u64>> {
        if !Reflect::has(&self.area, &"getBytesInUse".into()).unwrap_or(false) {
            return Ok(None);
        }
        let keys: Array = keys.iter().map(JsValue::from).collect();
        let bytes = self.area.get_bytes_in_use(&keys).await.map_err(failed("tell how much is stored"))?;
        Ok(bytes.as_f64().map(|bytes| bytes as u64))
    }

    fn read(&self, value: &JsValue) -> Result<String> {
        let text = JSON::stringify(value).map_err(failed("write a stored value as JSON"))?;
        text.dyn_ref().and_then(|text| self.crossed(text)).ok_or_else(|| {
            Error::new(ErrorKind::Store, "expected a stored value that JSON can say, found one that it cannot")
        })
    }

    fn write(&self, text: &str) -> Result<JsValue> {
        JSON::parse(text).map_err(failed("read JSON"))
    }

    fn shape(&self, value: &JsValue) -> Shape {
        match value.dyn_ref::<Array>() {
            Some(array) => Shape::Array(array.length() as usize),
            None if value.is_object() => Shape::Object(Object::keys(value.unchecked_ref::<Object>()).length() as usize),
            None => Shape::Scalar,
        }
    }

    fn slice(&self, value: &JsValue, start: usize, budget: usize) -> Result<(String, usize)> {
        match value.dyn_ref::<Array>() {
            Some(array) => self.slice_items(array, start, budget),
            None => self.slice_members(value.unchecked_ref(), start, budget),
        }
    }

    fn extend(&self, value: &mut JsValue, text: &str) -> Result<()> {
        let more = self.write(text)?;
        match (value.dyn_ref::<Array>(), more.dyn_ref::<Array>()) {
            (Some(array), Some(items)) => {
                for item in items.iter() {
                    array.push(&item);
                }
            }
            _ => {
                let object: &Object = value.unchecked_ref();
                let entries: Array = Object::entries(more.unchecked_ref::<Object>()).unchecked_into();
                for entry in entries.iter() {
                    let entry: Array = entry.unchecked_into();
                    define(object, &entry.get(0), &entry.get(1));
                }
            }
        }
        Ok(())
    }

    fn reorder(&self, value: &mut JsValue, order: &[u32]) {
        let items: &Array = value.unchecked_ref();
        let reordered: Array = order.iter().map(|&index| items.get(index)).collect();
        *value = reordered.into();
    }
}

impl Storage {
    /// A text on this side of the border, written there by the browser's own encoder: what wasm-bindgen does goes through
    /// it letter by letter first.
    fn crossed(&self, text: &JsString) -> Option<String> {
        // No unit of UTF-16 becomes more than three bytes.
        let mut bytes = vec![0; 3 * text.length() as usize];
        let written = self.encoder.encode_into(text, &mut bytes).written();
        bytes.truncate(written as usize);
        String::from_utf8(bytes).ok()
    }

    fn slice_items(&self, array: &Array, start: usize, budget: usize) -> Result<(String, usize)> {
        let mut text = String::from("[");
        let mut count = 0;
        while start + count < array.length() as usize && (count == 0 || text.len() < budget) {
            text.push_str(if count == 0 { "" } else { "," });
            text.push_str(&self.read(&array.get((start + count) as u32))?);
            count += 1;
        }
        text.push(']');
        Ok((text, count))
    }

    fn slice_members(&self, object: &Object, start: usize, budget: usize) -> Result<(String, usize)> {
        let keys = Object::keys(object);
        let mut text = String::from("{");
        let mut count = 0;
        while start + count < keys.length() as usize && (count == 0 || text.len() < budget) {
            let key = keys.get((start + count) as u32);
            let value = Reflect::get(object, &key).map_err(failed("read a member"))?;
            text.push_str(if count == 0 { "" } else { "," });
            text.push_str(&self.read(&key)?);
            text.push(':');
            text.push_str(&self.read(&value)?);
            count += 1;
        }
        text.push('}');
        Ok((text, count))
    }
}

/// Sets an own member whatever it is called: an assignment to `__proto__` would be lost.
fn define(object: &Object, key: &JsValue, value: &JsValue) {
    if key.as_string().as_deref() != Some("__proto__") {
        let _ = Reflect::set(object, key, value);
        return;
    }
    let descriptor = Object::new();
    for (name, setting) in [
        ("value", value),
        ("writable", &JsValue::TRUE),
        ("enumerable", &JsValue::TRUE),
        ("configurable", &JsValue::TRUE),
    ] {
        let _ = Reflect::set(&descriptor, &JsString::from(name), setting);
    }
    Object::define_property(object, key, &descriptor);
}

/// Whether the extension asked for storage without a quota.
fn is_unlimited() -> bool {
    let permissions = get_manifest().and_then(|manifest| Reflect::get(&manifest, &"permissions".into()));
    permissions
        .ok()
        .and_then(|list| list.dyn_into::<Array>().ok())
        .is_some_and(|list| list.includes(&"unlimitedStorage".into(), 0))
}
