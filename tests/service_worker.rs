//! The Wasm module in a service worker, where an extension runs it, and where files have no synchronous access.

mod cases;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_service_worker);
