//! Clock, names, the lock and the progress channel of a browser.

use std::cell::Cell;

use exuvia_core::json_object;
use exuvia_core::protocol::{Progress, Stage};
use exuvia_core::records::Host;
use exuvia_core::{Error, ErrorKind, Result};
use js_sys::{Array, Function, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, BroadcastChannel, Crypto};

use crate::problem::{navigator, to_object};

/// Name of the lock and of the channel.
const NAME: &str = "exuvia";

#[wasm_bindgen]
extern "C" {
    /// `LockManager` (Web Locks API), which web-sys counts as unstable.
    type Locks;

    #[wasm_bindgen(method)]
    fn request(this: &Locks, name: &str, options: &JsValue, callback: &Function) -> Promise;
}

/// The browser around a run.
pub(crate) struct Browser {
    wait_ms: f64,
    /// Settles where nothing can be dropped any more.
    trapped: Promise,
    channel: Option<BroadcastChannel>,
    /// When the lock was last taken, in milliseconds since 1970, and when the stage began.
    started: Cell<f64>,
    stage: Cell<Option<(Stage, f64)>>,
}

impl Browser {
    pub(crate) fn new(wait_ms: f64, trapped: Promise) -> Self {
        Self {
            wait_ms,
            trapped,
            channel: BroadcastChannel::new(NAME).ok(),
            started: Cell::new(js_sys::Date::now()),
            stage: Cell::new(None),
        }
    }
}

/// Holds the lock until it is dropped.
pub(crate) struct Lock {
    release: Function,
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.release.call0(&JsValue::NULL);
    }
}

/// A promise and the function that resolves it.
fn deferred() -> (Promise, Function) {
    let mut resolver = None;
    let promise = Promise::new(&mut |resolve, _| resolver = Some(resolve));
    (promise, resolver.unwrap_or_else(|| Function::new_no_args("")))
}

/// `Progress` as the package's TypeScript has it.
struct Message {
    run: String,
    stage: Stage,
    done: u64,
    of: u64,
    bytes: u64,
    elapsed_ms: i64,
    remaining_ms: Option<i64>,
}

json_object!(Message {
    "run": run, "phase": stage, "done": done, "of": of, "bytes": bytes, "elapsedMs": elapsed_ms,
    "remainingMs": remaining_ms,
});

impl Host for Browser {
    type Guard = Lock;

    async fn lock(&self) -> Result<Lock> {
        let (granted, grant) = deferred();
        let (released, release) = deferred();
        let released = Promise::race(&Array::of2(&released, &self.trapped));
        let held = Closure::once_into_js(move || {
            let _ = grant.call0(&JsValue::NULL);
            released
        });
        let options = js_sys::Object::new();
        let _ = Reflect::set(&options, &"signal".into(), &AbortSignal::timeout_with_f64(self.wait_ms));
        let locks: Locks = Reflect::get(&navigator(), &"locks".into()).unwrap_or(JsValue::UNDEFINED).unchecked_into();
        let request = locks.request(NAME, &options, held.unchecked_ref());
        // The request settles when the lock is given back, or is refused when the time is up.
        let first = Promise::race(&Array::of2(&granted, &request));
        match JsFuture::from(first).await {
            Ok(_) => {
                self.started.set(js_sys::Date::now());
                Ok(Lock { release })
            }
            Err(_) => {
                let message = format!(
                    "expected the data to be free within {} s, found another context of the extension at work; try again",
                    (self.wait_ms / 1000.0) as u64
                );
                Err(Error::new(ErrorKind::Busy, message))
            }
        }
    }

    fn now(&self) -> i64 {
        js_sys::Date::now() as i64
    }

    fn token(&self) -> String {
        let crypto = Reflect::get(&js_sys::global(), &"crypto".into()).unwrap_or(JsValue::UNDEFINED);
        crypto.unchecked_into::<Crypto>().random_uuid()
    }

    fn progress(&self, run: &str, progress: Progress) {
        let now = js_sys::Date::now();
        let begun = match self.stage.get() {
            Some((stage, begun)) if stage == progress.stage => begun,
            _ => {
                self.stage.set(Some((progress.stage, now)));
                now
            }
        };
        let Progress { stage, done, of, bytes } = progress;
        let remaining_ms =
            (done > 0 && of > 0).then(|| ((now - begun) / done as f64 * of.saturating_sub(done) as f64) as i64);
        let elapsed_ms = (now - self.started.get()) as i64;
        let message = Message { run: run.to_owned(), stage, done, of, bytes, elapsed_ms, remaining_ms };
        if let (Some(channel), Ok(message)) = (&self.channel, to_object(&message)) {
            let _ = channel.post_message(&message);
        }
    }
}
