use std::sync::Arc;

use exuvia_core::chain::{Chain, Residues, Version};
use exuvia_core::document::{Json, Value};
use exuvia_core::lens::Context;
use exuvia_core::protocol::{Merge, Request, Status, run, status};
use exuvia_core::records::{Manifest, Preview, Records};
use exuvia_core::{Error, ErrorKind, json_object};
use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use web_sys::Blob;

use crate::custom::Callback;
use crate::file::{BlobBytes, BlobSink};
use crate::host::Browser;
use crate::problem::{to_js, to_object};
use crate::storage::{Storage, StorageArea};
use crate::vault::BrowserVault;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"import type { Mode, Preview, Snapshot, Status } from "./types.js";"#;

/// What the package's JavaScript calls. Everything that fails throws a `Problem`.
#[wasm_bindgen]
pub struct Engine {
    chain: Chain,
    area: StorageArea,
    wait_ms: f64,
    keep_snapshots: f64,
    keep_ms: f64,
    trapped: Promise,
}

struct Snapshot {
    id: String,
    version: u32,
    created_at: i64,
    records: u64,
    bytes: u64,
    stored_bytes: u64,
    cause: exuvia_core::protocol::Cause,
}

json_object!(Snapshot {
    "id": id, "version": version, "createdAt": created_at, "records": records, "bytes": bytes,
    "storedBytes": stored_bytes, "cause": cause,
});

impl From<Manifest> for Snapshot {
    fn from(manifest: Manifest) -> Self {
        Self {
            version: manifest.line.len() as u32,
            records: manifest.records.values().sum(),
            id: manifest.id,
            created_at: manifest.created_at,
            bytes: manifest.bytes,
            stored_bytes: manifest.stored_bytes,
            cause: manifest.cause,
        }
    }
}

/// A record and its residue, as JSON.
struct Translated {
    record: String,
    residue: String,
}

json_object!(Translated { "record": record, "residue": residue });

#[wasm_bindgen]
impl Engine {
    /// Reads the chain, compiled, as JSON. Waits so long for another context, and keeps so many snapshots for so long
    /// (`Infinity`: however old they are). `trapped` settles
    /// when the module has trapped and all that it sent to storage is written: it cannot give back the lock then.
    ///
    /// # Errors
    /// A text that is no compiled chain.
    #[wasm_bindgen(constructor)]
    pub fn new(
        area: StorageArea,
        chain: &str,
        wait_ms: f64,
        keep_snapshots: f64,
        keep_ms: f64,
        trapped: Promise,
    ) -> Result<Engine, JsValue> {
        Ok(Engine { chain: Chain::read(chain).map_err(to_js)?, area, wait_ms, keep_snapshots, keep_ms, trapped })
    }

    /// Makes a function known that `custom` steps call: from JSON text to JSON text, up and, where it has one, down.
    pub fn register(&mut self, name: String, revision: u32, up: Function, down: Option<Function>) {
        self.chain.register(Arc::new(Callback { name, revision, up, down }));
    }

    /// The state of the data; changes nothing.
    ///
    /// # Errors
    /// A browser that cannot read.
    #[wasm_bindgen(unchecked_return_type = "Status")]
    pub async fn status(&self) -> Result<JsValue, JsValue> {
        answer(status(&self.records(), &self.chain).await)
    }

    /// Finishes what was interrupted, then brings the data to the chain's tip.
    ///
    /// # Errors
    /// A browser that cannot read or write.
    #[wasm_bindgen(unchecked_return_type = "Status")]
    pub async fn open(&self, retry: bool) -> Result<JsValue, JsValue> {
        match self.ask(Request::Migrate { retry }).await {
            Err(error) if error.kind() == ErrorKind::Busy => answer(self.busy(&error).await),
            answered => answer(answered),
        }
    }

    /// A record in the form of the chain's tip, as JSON.
    ///
    /// # Errors
    /// Data that nobody here knows, a record that cannot be moved.
    pub async fn get(&self, collection: &str, key: &str) -> Result<Option<String>, JsValue> {
        self.records().get(collection, key).await.map_err(to_js)
    }

    /// All records of a collection in the form of the chain's tip, as JSON: pairs of key and record.
    ///
    /// # Errors
    /// Data that nobody here knows.
    pub async fn list(&self, collection: &str) -> Result<String, JsValue> {
        let found = self.records().list(collection).await.map_err(to_js)?;
        let pairs: Vec<_> =
            found.into_iter().map(|(key, text)| format!("[{},{text}]", Value::from(&*key).to_json())).collect();
        Ok(format!("[{}]", pairs.join(",")))
    }

    /// Sets a record, given as JSON in the form of the chain's tip; without one, removes it.
    ///
    /// # Errors
    /// A run under way, a record that does not fit or that the stored version cannot hold without loss.
    pub async fn put(&self, collection: &str, key: &str, record: Option<String>) -> Result<(), JsValue> {
        self.records().write_record(collection, key, record.as_deref()).await.map_err(to_js)
    }

    /// Everything, as a file.
    ///
    /// # Errors
    /// Data that a run is moving, or that the chain does not know.
    pub async fn export(&self) -> Result<Blob, JsValue> {
        let mut sink = BlobSink::default();
        self.records().export(&mut sink).await.map_err(to_js)?;
        sink.finish()
    }

    /// What an import would change.
    ///
    /// # Errors
    /// A browser that cannot read. A file that cannot be imported is a preview with a problem.
    #[wasm_bindgen(unchecked_return_type = "Preview")]
    pub async fn preview(
        &self,
        file: Blob,
        #[wasm_bindgen(unchecked_param_type = "Mode")] mode: JsValue,
    ) -> Result<JsValue, JsValue> {
        let merge = read_mode(&mode)?;
        match self.records().preview(BlobBytes::new(file), merge).await {
            Err(error) if !matches!(error.kind(), ErrorKind::Busy | ErrorKind::Store) => {
                let problem = Some((&error).into());
                to_object(&Preview { target: self.chain.tip(), problem, ..Preview::default() })
            }
            answered => answer(answered),
        }
    }

    /// Brings a file in.
    ///
    /// # Errors
    /// Why it was not brought in; the data is then as it was.
    #[wasm_bindgen(unchecked_return_type = "Status")]
    pub async fn import(
        &self,
        file: Blob,
        #[wasm_bindgen(unchecked_param_type = "Mode")] mode: JsValue,
    ) -> Result<JsValue, JsValue> {
        let merge = read_mode(&mode)?;
        let staged = self.records().stage(BlobBytes::new(file)).await.map_err(to_js)?;
        let answered = self.ask(Request::Import { staged: staged.clone(), merge }).await;
        // Only where no run has begun: one that has may still need them.
        if answered.as_ref().is_err_and(|error| matches!(error.kind(), ErrorKind::Busy | ErrorKind::Lost)) {
            let _ = self.records().discard(&staged).await;
        }
        answer(answered)
    }

    /// The snapshots, the newest first.
    ///
    /// # Errors
    /// A browser that cannot read.
    #[wasm_bindgen(unchecked_return_type = "Snapshot[]")]
    pub async fn snapshots(&self) -> Result<JsValue, JsValue> {
        let snapshots = self.records().snapshots().await.map_err(to_js)?;
        to_object(&snapshots.into_iter().map(Snapshot::from).collect::<Vec<_>>())
    }

    /// Exactly what a snapshot holds, again.
    ///
    /// # Errors
    /// A snapshot that is not there or not whole; the data is then as it was.
    #[wasm_bindgen(unchecked_return_type = "Status")]
    pub async fn restore(&self, id: String) -> Result<JsValue, JsValue> {
        let (seal, line) = self.records().find_snapshot(&id).await.map_err(to_js)?;
        answer(self.ask(Request::Restore { seal, line }).await)
    }

    /// Along the chain to one of its versions, where the data stays.
    ///
    /// # Errors
    /// A version that is not there, or why the data could not go; it is then as it was.
    #[wasm_bindgen(unchecked_return_type = "Status")]
    pub async fn revert(&self, version: u32) -> Result<JsValue, JsValue> {
        answer(self.ask(Request::Revert { to: Version(version) }).await)
    }

    /// Moves one record, and the residue that it left where it came from, between two versions. Reads and writes no
    /// store. Both are JSON; `now` is in milliseconds since 1970.
    ///
    /// # Errors
    /// A collection or a version that is not there, a record that does not fit.
    #[expect(clippy::too_many_arguments, reason = "what JavaScript passes has no structure")]
    #[wasm_bindgen(unchecked_return_type = "{ record: string; residue: string }")]
    pub fn translate(
        &self,
        collection: &str,
        from: u32,
        to: u32,
        record: &str,
        residue: &str,
        key: &str,
        now: f64,
    ) -> Result<JsValue, JsValue> {
        let context = Context { now: now as i64, key };
        answer(self.translated(collection, Version(from), Version(to), context, record, residue))
    }
}

impl Engine {
    fn records(&self) -> Records<'_, Storage, BrowserVault, Browser> {
        let (storage, host) = (Storage::new(self.area.clone()), Browser::new(self.wait_ms, self.trapped.clone()));
        Records::new(&self.chain, storage, BrowserVault::default(), host, self.keep_snapshots as usize)
            .keeping_for(self.keep_ms as i64)
    }

    fn translated(
        &self,
        collection: &str,
        from: Version,
        to: Version,
        context: Context<'_>,
        record: &str,
        residue: &str,
    ) -> Result<Translated, Error> {
        let mut record = Value::parse(record)?;
        let mut residues = Residues::from_value(&Value::parse(residue)?)?;
        self.chain.translate_alone(collection, from, to, context, &mut record, &mut residues)?;
        Ok(Translated { record: record.to_json(), residue: residues.to_value().to_json() })
    }

    async fn ask(&self, request: Request) -> Result<Status, Error> {
        run(&self.records(), &self.chain, request).await
    }

    async fn busy(&self, error: &Error) -> Result<Status, Error> {
        let found = status(&self.records(), &self.chain).await?;
        Ok(Status { state: exuvia_core::protocol::State::Busy, problem: Some(error.into()), ..found })
    }
}

fn answer(answered: Result<impl Json, Error>) -> Result<JsValue, JsValue> {
    to_object(&answered.map_err(to_js)?)
}

fn read_mode(mode: &JsValue) -> Result<Merge, JsValue> {
    let word = mode.as_string().unwrap_or_default();
    Merge::from_value(&Value::from(&*word)).ok_or_else(|| {
        to_js(Error::new(ErrorKind::Import, "expected one of the modes replace, keep and take, found something else"))
    })
}
