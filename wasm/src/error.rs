//! Errors as JSON, for the classes of the TypeScript layer.

use std::error::Error as _;

use chatcore::{Error, ErrorKind, Phase};
use js_sys::Array;
use serde::Serialize;
use wasm_bindgen::JsValue;

use crate::fetch::HostError;
use crate::wire;

/// An error as it crosses the border.
#[derive(Serialize)]
pub(crate) struct ErrorView {
    r#type: &'static str,
    code: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    retryable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    partial_text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_code: Option<String>,
    in_stream: bool,
}

impl From<&Error> for ErrorView {
    fn from(error: &Error) -> Self {
        Self {
            r#type: "error",
            code: code(error.kind()),
            message: error.to_string(),
            status: error.status().map(|status| status.as_u16()),
            retryable: error.is_retryable(),
            retry_after_ms: error
                .retry_after()
                .map(|delay| delay.as_secs_f64() * 1000.0),
            request_id: error.request_id().map(str::to_owned),
            attempts: error.attempts(),
            phase: error.phase().map(phase),
            partial_text: error
                .partial()
                .map(|partial| partial.text().into_owned())
                .filter(|text| !text.is_empty()),
            provider_code: error.code().or(error.error_type()).map(str::to_owned),
            in_stream: error.is_in_stream(),
        }
    }
}

/// An error as the value that a promise is rejected with.
pub(crate) fn rejection(error: &Error) -> JsValue {
    beside_cause(wire::to_js(&ErrorView::from(error)), cause(error))
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

/// JSON alone, or in an array with the host's error, which is no JSON.
pub(crate) fn beside_cause(json: JsValue, cause: Option<JsValue>) -> JsValue {
    match cause {
        Some(cause) => Array::of2(&json, &cause).into(),
        None => json,
    }
}

/// What a call that was aborted from the other side is rejected with.
pub(crate) fn aborted() -> JsValue {
    JsValue::from_str(
        r#"{"type":"error","code":"aborted","message":"aborted","retryable":false,"attempts":0,"in_stream":false}"#,
    )
}

fn code(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Config => "config",
        ErrorKind::InvalidRequest => "invalid_request",
        ErrorKind::Auth => "auth",
        ErrorKind::BadRequest => "bad_request",
        ErrorKind::NotFound => "not_found",
        ErrorKind::RateLimited => "rate_limited",
        ErrorKind::QuotaExceeded => "quota_exceeded",
        ErrorKind::Overloaded => "overloaded",
        ErrorKind::Server => "server",
        ErrorKind::Connection => "connection",
        ErrorKind::Timeout => "timeout",
        ErrorKind::Truncated => "truncated",
        ErrorKind::Protocol => "protocol",
        ErrorKind::ResponseTooLarge => "response_too_large",
        ErrorKind::QueueFull => "queue_full",
        ErrorKind::Closed => "closed",
        _ => "internal",
    }
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Queue => "queue",
        Phase::Connect => "connect",
        Phase::Headers => "headers",
        Phase::FirstContent => "first_content",
        Phase::ByteIdle => "byte_idle",
        Phase::ContentIdle => "content_idle",
        Phase::Attempt => "attempt",
        _ => "overall",
    }
}
