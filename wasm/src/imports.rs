//! The functions that the module imports from its host; `ts/border/imports.ts` implements them.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// Calls `pollTasks` with this home soon: before the host does anything else, or, if a task
    /// `yields`, after all else that is ready.
    #[wasm_bindgen(js_namespace = host)]
    pub(crate) fn soon(home: f64, yields: bool);

    /// Calls `signal` with the id after `milliseconds`, unless the timer is cleared first.
    #[wasm_bindgen(js_namespace = host)]
    pub(crate) fn sleep(id: f64, milliseconds: f64);

    /// Clears the timer with this id.
    #[wasm_bindgen(js_namespace = host)]
    pub(crate) fn clear(id: f64);

    /// Calls a function that returns a key, then `text` or `failed` with the id.
    #[wasm_bindgen(js_namespace = host, js_name = askKey)]
    pub(crate) fn ask_key(ask: &JsValue, id: f64);

    /// Sends a request by a function like `fetch`, then calls `text` or `failed` with the id.
    /// `lines` are the method, the URL, and the name and the value of each header.
    #[wasm_bindgen(js_namespace = host)]
    pub(crate) fn send(
        fetch: &JsValue,
        id: f64,
        lines: &str,
        body: &[u8],
        more: &JsValue,
    ) -> Exchange;

    /// Settles the promise with this id: resolves it to `text` and `cause`, or rejects it with the
    /// error in `text`, whose cause is the host's own error `cause`.
    #[wasm_bindgen(js_namespace = host)]
    pub(crate) fn done(id: f64, is_ok: bool, text: &str, cause: &JsValue);

    /// The float nearest to a decimal number; NaN if the text is no decimal number.
    #[cfg(chatcore_floats = "host")]
    #[wasm_bindgen(js_namespace = host, js_name = readFloat)]
    pub(crate) fn read_float(text: &str) -> f64;

    /// The shortest JSON number that is read as this float, which is finite.
    #[cfg(chatcore_floats = "host")]
    #[wasm_bindgen(js_namespace = host, js_name = writeFloat)]
    pub(crate) fn write_float(number: f64) -> String;

    /// Appends a copy of these numbers to `list`, and returns it. Makes a new list if `list` is
    /// undefined.
    #[wasm_bindgen(js_namespace = host)]
    pub(crate) fn vector(list: JsValue, numbers: &[f32]) -> JsValue;

    /// A request and its response.
    #[derive(Debug)]
    pub(crate) type Exchange;

    /// Reads the next piece of the body, then calls `piece` or `failed` with the id.
    #[wasm_bindgen(method)]
    pub(crate) fn read(this: &Exchange, id: f64);

    /// Closes the connection.
    #[wasm_bindgen(method)]
    pub(crate) fn abort(this: &Exchange);
}
