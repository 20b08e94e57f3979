//! What the core asks of the host; `ts/host.ts` does it.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// Calls `turn` with this home soon: before the host does anything else, or, if a task
    /// `yields`, after all else that is ready.
    #[wasm_bindgen(js_namespace = host)]
    pub(crate) fn soon(home: f64, yields: bool);

    /// Calls `rang` with the number after so many milliseconds, unless it is cleared before.
    #[wasm_bindgen(js_namespace = host)]
    pub(crate) fn sleep(number: f64, milliseconds: f64);

    /// Clears that timer.
    #[wasm_bindgen(js_namespace = host)]
    pub(crate) fn clear(number: f64);

    /// Sends a request by a function like `fetch`, and calls `head` or `failed` with the number.
    /// `lines` are the method, the URL, and the name and the value of each header.
    #[wasm_bindgen(js_namespace = host)]
    pub(crate) fn send(
        fetch: &JsValue,
        number: f64,
        lines: &str,
        body: &[u8],
        more: &JsValue,
    ) -> Exchange;

    /// The promise with the number comes to `text`, or is rejected with the error in it, that the
    /// host's own error `cause` caused.
    #[wasm_bindgen(js_namespace = host)]
    pub(crate) fn done(number: f64, is_ok: bool, text: &str, cause: &JsValue);

    /// Appends a copy of these numbers to a list of such, which is made where `list` is undefined,
    /// and gives the list.
    #[wasm_bindgen(js_namespace = host)]
    pub(crate) fn vector(list: JsValue, numbers: &[f32]) -> JsValue;

    /// A request, and its answer.
    #[derive(Debug)]
    pub(crate) type Exchange;

    /// Calls `piece` or `failed` with the number.
    #[wasm_bindgen(method)]
    pub(crate) fn read(this: &Exchange, number: f64);

    /// Closes the connection.
    #[wasm_bindgen(method)]
    pub(crate) fn abort(this: &Exchange);
}
