//! Futures as promises of the host.

use std::future::Future;
use std::pin::Pin;

use futures_util::future::{AbortHandle, Abortable};
use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

use crate::error::aborted;

/// A promise of what `work` comes to; once the handle aborts it, it is rejected with the code
/// `aborted`, and `work` is dropped.
pub(crate) fn promise(
    work: impl Future<Output = Result<JsValue, JsValue>> + 'static,
) -> (Promise, AbortHandle) {
    // Boxed, so that what follows is compiled once, not for each kind of future.
    start(Box::pin(work))
}

fn start(work: Pin<Box<dyn Future<Output = Result<JsValue, JsValue>>>>) -> (Promise, AbortHandle) {
    let (handle, registration) = AbortHandle::new_pair();
    let work = Abortable::new(work, registration);
    let promise = future_to_promise(async move { work.await.unwrap_or_else(|_| Err(aborted())) });
    (promise, handle)
}
