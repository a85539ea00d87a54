//! A few tables in IndexedDB, written with strict durability.

use std::cell::RefCell;
use std::rc::Rc;

use exuvia_core::{Error, ErrorKind, Result};
use js_sys::{Array, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    IdbDatabase, IdbFactory, IdbObjectStore, IdbOpenDbRequest, IdbRequest, IdbTransaction, IdbTransactionMode,
};

use crate::problem::from_browser;

const DATABASE: &str = "exuvia";
/// Grows when a table is added.
const SCHEMA: u32 = 2;

#[wasm_bindgen]
extern "C" {
    /// `IDBDatabase` with the options that web-sys counts as unstable.
    #[wasm_bindgen(extends = IdbDatabase)]
    type DurableDatabase;

    #[wasm_bindgen(method, catch)]
    fn transaction(
        this: &DurableDatabase,
        table: &str,
        mode: IdbTransactionMode,
        options: &JsValue,
    ) -> std::result::Result<IdbTransaction, JsValue>;
}

/// The tables of the database.
#[derive(Clone, Copy)]
pub(crate) enum Table {
    /// Manifests of snapshots, by their names.
    Manifests,
    /// The mirror of the head.
    Mirror,
    /// The bytes of snapshots where there are no files, by their names.
    Bytes,
}

impl Table {
    const ALL: [Table; 3] = [Table::Manifests, Table::Mirror, Table::Bytes];

    fn name(self) -> &'static str {
        match self {
            Table::Manifests => "manifests",
            Table::Mirror => "mirror",
            Table::Bytes => "bytes",
        }
    }
}

/// The database, opened when it is first needed.
#[derive(Default)]
pub(crate) struct Database {
    open: Rc<RefCell<Option<IdbDatabase>>>,
}

fn failed(doing: &'static str) -> impl Fn(JsValue) -> Error {
    from_browser(ErrorKind::Store, doing)
}

impl Database {
    pub(crate) async fn entries(&self, table: Table) -> Result<Vec<(String, String)>> {
        let store = self.table(table, IdbTransactionMode::Readonly).await?;
        let keys = store.get_all_keys().map_err(failed("read IndexedDB"))?;
        let values = store.get_all().map_err(failed("read IndexedDB"))?;
        let (keys, values) = (answer(&keys).await?, answer(&values).await?);
        let (keys, values): (Array, Array) = (keys.unchecked_into(), values.unchecked_into());
        let text = |value: JsValue| value.as_string().unwrap_or_default();
        Ok(keys.iter().map(text).zip(values.iter().map(text)).collect())
    }

    /// What is kept under a key; `undefined` where nothing is.
    pub(crate) async fn get(&self, table: Table, key: &str) -> Result<JsValue> {
        let store = self.table(table, IdbTransactionMode::Readonly).await?;
        answer(&store.get(&key.into()).map_err(failed("read IndexedDB"))?).await
    }

    pub(crate) async fn put(&self, table: Table, key: &str, value: &JsValue) -> Result<()> {
        let store = self.table(table, IdbTransactionMode::Readwrite).await?;
        store.put_with_key(value, &key.into()).map_err(failed("write IndexedDB"))?;
        completion(&store.transaction()).await
    }

    pub(crate) async fn delete(&self, table: Table, key: &str) -> Result<()> {
        let store = self.table(table, IdbTransactionMode::Readwrite).await?;
        store.delete(&key.into()).map_err(failed("write IndexedDB"))?;
        completion(&store.transaction()).await
    }

    async fn table(&self, table: Table, mode: IdbTransactionMode) -> Result<IdbObjectStore> {
        let database = self.open().await?;
        let options = js_sys::Object::new();
        let _ = Reflect::set(&options, &"durability".into(), &"strict".into());
        let transaction = database.unchecked_ref::<DurableDatabase>().transaction(table.name(), mode, &options);
        transaction.and_then(|transaction| transaction.object_store(table.name())).map_err(failed("open IndexedDB"))
    }

    /// Opens the database unless it is open.
    pub(crate) async fn open(&self) -> Result<IdbDatabase> {
        if let Some(database) = self.open.borrow().clone() {
            return Ok(database);
        }
        let factory: IdbFactory =
            Reflect::get(&js_sys::global(), &"indexedDB".into()).map_err(failed("offer IndexedDB"))?.unchecked_into();
        let request = factory.open_with_u32(DATABASE, SCHEMA).map_err(failed("open IndexedDB"))?;
        let upgrade = Closure::once_into_js(move |event: web_sys::Event| create_tables(&event));
        request.set_onupgradeneeded(Some(upgrade.unchecked_ref()));
        let opened = match answer(&request).await {
            // A newer build was here. It may have more tables, and has these.
            Err(_) if is_from_newer(&request) => {
                let request = factory.open(DATABASE).map_err(failed("open IndexedDB"))?;
                answer(&request).await?
            }
            opened => opened?,
        };
        let database: IdbDatabase = opened.unchecked_into();
        self.make_way(&database);
        self.open.replace(Some(database.clone()));
        Ok(database)
    }

    /// A newer build can add its tables only once nobody has the database open any more.
    fn make_way(&self, database: &IdbDatabase) {
        let (open, closing) = (Rc::clone(&self.open), database.clone());
        let close = Closure::once_into_js(move || {
            closing.close();
            open.take();
        });
        database.set_onversionchange(Some(close.unchecked_ref()));
    }
}

fn is_from_newer(request: &IdbRequest) -> bool {
    request.error().ok().flatten().is_some_and(|error| error.name() == "VersionError")
}

fn create_tables(event: &web_sys::Event) {
    let request = event.target().map(JsCast::unchecked_into::<IdbOpenDbRequest>);
    let Some(Ok(database)) = request.map(|request| request.result()) else { return };
    let database: IdbDatabase = database.unchecked_into();
    for table in Table::ALL {
        // A table that cannot be made fails the first transaction on it, with the browser's reason.
        let _ = database.create_object_store(table.name());
    }
}

async fn answer(request: &IdbRequest) -> Result<JsValue> {
    let promise = Promise::new(&mut |resolve, reject| {
        let (done, failed) = (request.clone(), request.clone());
        let success =
            Closure::once_into_js(move || resolve.call1(&JsValue::NULL, &done.result().unwrap_or(JsValue::UNDEFINED)));
        let failure =
            Closure::once_into_js(move || reject.call1(&JsValue::NULL, &failed.error().ok().flatten().into()));
        request.set_onsuccess(Some(success.unchecked_ref()));
        request.set_onerror(Some(failure.unchecked_ref()));
    });
    JsFuture::from(promise).await.map_err(failed("answer from IndexedDB"))
}

async fn completion(transaction: &IdbTransaction) -> Result<()> {
    let promise = Promise::new(&mut |resolve, reject| {
        let aborted = transaction.clone();
        let complete = Closure::once_into_js(move || resolve.call0(&JsValue::NULL));
        let abort = Closure::once_into_js(move || reject.call1(&JsValue::NULL, &aborted.error().into()));
        transaction.set_oncomplete(Some(complete.unchecked_ref()));
        transaction.set_onabort(Some(abort.unchecked_ref()));
    });
    JsFuture::from(promise).await.map(drop).map_err(failed("commit to IndexedDB"))
}
