//! Errors on their way between JavaScript and Rust.

use exuvia_core::document::Json;
use exuvia_core::protocol::Problem;
use exuvia_core::{Error, ErrorKind};
use js_sys::{JSON, Reflect};
use wasm_bindgen::{JsCast, JsValue};

/// What the browser said, as an error of the given kind. A full disk or a full quota is always
/// [`ErrorKind::Quota`], a missing file [`ErrorKind::Snapshot`]. A quota of writes in a minute or an hour fills no room, and
/// passes.
pub(crate) fn from_browser(kind: ErrorKind, doing: &'static str) -> impl Fn(JsValue) -> Error {
    move |thrown| {
        let said = |name: &str| Reflect::get(&thrown, &name.into()).ok().and_then(|text| text.as_string());
        let (name, message) = (said("name").unwrap_or_default(), said("message").unwrap_or_default());
        // What JSON.parse says quotes the text.
        let message = if name == "SyntaxError" { String::new() } else { message };
        let has_no_room = message.to_ascii_lowercase().contains("quota") && !message.contains("WRITE_OPERATIONS");
        let full = name == "QuotaExceededError" || has_no_room;
        let kind = match &*name {
            _ if full => ErrorKind::Quota,
            // A file that is not there is told from one that cannot be read just now.
            "NotFoundError" => ErrorKind::Snapshot,
            _ => kind,
        };
        Error::new(kind, format!("expected the browser to {doing}, found {name}: {message}"))
    }
}

/// An error as JavaScript gets it: a plain object, which the package makes an `ExuviaError`.
pub(crate) fn to_js(error: Error) -> JsValue {
    to_object(&Problem::from(&error)).unwrap_or_else(|failure| failure)
}

/// Any plain data as an object.
pub(crate) fn to_object(value: &impl Json) -> Result<JsValue, JsValue> {
    JSON::parse(&value.to_json())
}

/// `navigator` of a window or a worker, which share what is used here.
pub(crate) fn navigator() -> web_sys::WorkerNavigator {
    let navigator = Reflect::get(&js_sys::global(), &"navigator".into()).unwrap_or(JsValue::UNDEFINED);
    navigator.unchecked_into()
}
