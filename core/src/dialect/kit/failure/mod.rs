//! Converts a provider's error of any shape to an [`Error`].

mod google;
mod kind;
mod plain_text;
mod said;
#[cfg(test)]
mod tests;

use http::header::CONTENT_ENCODING;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::hints;
use crate::error::{Error, ErrorKind};
use crate::json;
use plain_text::{plain, title};
use said::{Said, is_blank};

pub(crate) use plain_text::compression;
pub use said::is_error;
pub(crate) use said::{is_base_resp_error, is_envelope, may_be_envelope};

/// Extra memory for the values of an error, in bytes, on top of 15 times the size of their text.
const SPARE: usize = 64 << 10;

/// The error of a response with an error status.
pub(crate) fn from_status(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
    let value = std::str::from_utf8(body).ok().and_then(value);
    let said = value.as_ref().map_or_else(Said::default, Said::of);
    let message = match said.message() {
        Some(message) => message,
        None if status.is_redirection() => format!(
            "the server redirects ({}); redirects are not followed, so that the key is not sent to \
             another server",
            status.as_u16()
        ),
        None => match (
            compression(headers.get(CONTENT_ENCODING), body),
            plain(body),
        ) {
            (Some(coding), _) => format!(
                "the server answered {} with a body compressed as {coding}",
                status.as_u16()
            ),
            (None, Some(text)) if value.is_none() => text,
            // JSON in none of the known shapes.
            (None, Some(text))
                if said.is_empty() && value.as_ref().is_some_and(|value| !is_blank(value)) =>
            {
                format!("the server answered {}: {text}", status.as_u16())
            }
            _ => format!("the server answered {}", status.as_u16()),
        },
    };
    let kind = kind::classify(&said, &message, Some(status));
    // A retry does not refill an account, whatever the header says.
    let should_retry = match kind {
        ErrorKind::QuotaExceeded => None,
        _ => hints::should_retry(headers),
    };
    let retry_after = hints::retry_after(headers).or(said.google.retry_after);
    build(kind, message, said, body)
        .with_status(status)
        .with_retry_after(retry_after)
        .with_should_retry(should_retry)
}

/// The error that `said`, JSON or plain text, reports inside a response with a success status.
/// `body` is the whole event.
pub fn reported(said: &str, body: &str) -> Error {
    let value = value(said).unwrap_or_else(|| {
        let text = plain(said.as_bytes()).unwrap_or_default();
        Value::String(text)
    });
    in_stream(&value, body)
}

/// The error that a whole answer reports, if it has no content but an error.
#[cfg(feature = "jobs")]
pub(crate) fn reported_in(body: &str) -> Option<Error> {
    let value = value(body)?;
    is_envelope(&value, true).then(|| in_stream(&value, body))
}

/// The error of the error object `value` inside a response with a success status. `body` is the
/// whole event.
pub(crate) fn in_stream(value: &Value, body: &str) -> Error {
    let said = Said::of(value);
    let message = said
        .message()
        .unwrap_or_else(|| "the provider reported an error in its answer".to_owned());
    let kind = kind::classify(&said, &message, None);
    let request_id = value.get("request_id").and_then(Value::as_str);
    let retry_after = said.google.retry_after;
    build(kind, message, said, body.as_bytes())
        .with_retry_after(retry_after)
        .with_request_id(request_id.map(plain_text::short))
        .with_status(StatusCode::OK)
        .in_stream()
}

/// The error of a response that the dialect cannot read.
pub fn not_understood(why: &str, body: &[u8]) -> Error {
    let message = match (title(body), plain(body)) {
        (Some(title), _) => format!("the answer is a web page: {title}"),
        (None, Some(text)) => format!("{why}: {text}"),
        (None, None) => why.to_owned(),
    };
    Error::new(ErrorKind::Protocol, message).with_body(body)
}

/// The error of a stream that ended before the model said why it stopped.
pub fn truncated() -> Error {
    Error::new(
        ErrorKind::Truncated,
        "the stream ended before the model said that it was done",
    )
}

/// The error for a tool call without a name, which nobody can run.
pub fn nameless_call() -> Error {
    Error::new(
        ErrorKind::Server,
        "the model called a tool, but the call in the answer has no name",
    )
}

/// The error of a response with a content coding that the request did not ask for.
pub(crate) fn compressed(coding: &str) -> Error {
    Error::new(
        ErrorKind::Protocol,
        format!(
            "the answer is compressed (content-encoding {coding}), which the request did not ask \
             for and chatcore does not decode; turn compression off at the server or proxy, or \
             send the header accept-encoding: identity"
        ),
    )
}

/// Parses JSON that a server sent as an error. `None` if the text is not JSON, or if its value
/// would take too much memory.
fn value(text: &str) -> Option<Value> {
    let mut room = text.len().saturating_mul(15).saturating_add(SPARE);
    json::parse_within(text, &mut room).ok().flatten()
}

fn build(kind: ErrorKind, message: String, said: Said, body: &[u8]) -> Error {
    Error::new(kind, message)
        .with_code(said.code)
        .with_error_type(said.error_type)
        .with_param(said.param)
        .with_body(body)
}
