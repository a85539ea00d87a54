use std::fmt;

use exuvia_core::document::{Quoted, Value};
use exuvia_core::lens::Custom;
use exuvia_core::{Error, ErrorKind, Result};
use js_sys::Function;
use wasm_bindgen::JsValue;

/// A function of the extension's own, from JSON text to JSON text.
pub(crate) struct Callback {
    pub(crate) name: String,
    pub(crate) revision: u32,
    pub(crate) up: Function,
    pub(crate) down: Option<Function>,
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Callback {
    /// What it throws is not told: it may quote the value.
    fn call(&self, function: &Function, value: &Value<'_>) -> Result<Value<'static>> {
        let answer = function.call1(&JsValue::UNDEFINED, &value.to_json().into());
        let text = answer.ok().and_then(|answer| answer.as_string()).ok_or_else(|| {
            let name = Quoted(&self.name);
            let message = format!("expected the custom function {name} to answer with a value, found that it threw");
            Error::new(ErrorKind::Unfit, message)
        })?;
        Value::parse(&text)?.into_owned()
    }
}

impl Custom for Callback {
    fn name(&self) -> &str {
        &self.name
    }

    fn revision(&self) -> u32 {
        self.revision
    }

    fn is_reversible(&self) -> bool {
        self.down.is_some()
    }

    fn up<'a>(&self, value: Value<'a>) -> Result<Value<'a>> {
        self.call(&self.up, &value)
    }

    fn down<'a>(&self, value: Value<'a>) -> Result<Value<'a>> {
        // Asked only of what is reversible.
        self.down.as_ref().map_or(Ok(value.clone()), |down| self.call(down, &value))
    }
}
