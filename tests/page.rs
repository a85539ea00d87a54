//! The Wasm module in a page, with the browser's own files, database, locks and channels.

mod cases;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
