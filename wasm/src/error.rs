//! Errors as JSON, from which the TypeScript layer makes its error classes.

use std::error::Error as _;

use chatcore::Error;
use chatcore::json::Writer;
use wasm_bindgen::JsValue;

use crate::fetch::HostError;
use crate::wire;

/// Writes an error as JSON.
pub(crate) fn write(w: &mut Writer, error: &Error) {
    w.open('{');
    w.member("type", "error");
    w.member("code", error.kind().as_str());
    w.member("message", &error.to_string());
    wire::number(
        w,
        "status",
        error.status().map(|status| status.as_u16().into()),
    );
    w.key("retryable");
    w.boolean(error.is_retryable());
    if let Some(delay) = error.retry_after() {
        w.key("retry_after_ms");
        w.float(delay.as_secs_f64() * 1000.0);
    }
    wire::number(w, "attempts", Some(error.attempts().into()));
    let partial = error.partial().map(|partial| partial.text());
    for (name, text) in [
        ("request_id", error.request_id()),
        ("phase", error.phase().map(|phase| phase.as_str())),
        (
            "partial_text",
            partial.as_deref().filter(|text| !text.is_empty()),
        ),
        ("provider_code", error.code().or(error.error_type())),
        ("param", error.param()),
        ("body", error.body().filter(|body| !body.is_empty())),
    ] {
        if let Some(text) = text {
            w.member(name, text);
        }
    }
    w.key("in_stream");
    w.boolean(error.is_in_stream());
    w.close('}');
}

/// An error as JSON text.
pub(crate) fn json(error: &Error) -> String {
    let mut w = Writer::default();
    write(&mut w, error);
    w.into_text()
}

/// The host's own error that caused this one.
pub(crate) fn cause(error: &Error) -> Option<JsValue> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(host) = error.downcast_ref::<HostError>() {
            return Some((*host.0).clone());
        }
        source = error.source();
    }
    None
}

/// The error of a call that JavaScript aborted.
pub(crate) const ABORTED: &str = r#"{"type":"error","code":"aborted","message":"aborted","retryable":false,"attempts":0,"in_stream":false}"#;
