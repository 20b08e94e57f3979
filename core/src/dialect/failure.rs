//! A provider's error → [`Error`], whatever shape it has.

use http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::hints;
use crate::error::{Error, ErrorKind};

/// What an error's body says.
#[derive(Debug, Default)]
struct Said {
    message: Option<String>,
    code: Option<String>,
    error_type: Option<String>,
    param: Option<String>,
}

/// The error of an answer with an error status.
pub(super) fn from_status(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
    let said = match serde_json::from_slice::<Value>(body) {
        Ok(value) => read(&value),
        Err(_) => Said {
            message: plain(body),
            ..Said::default()
        },
    };
    let reason = status.canonical_reason().unwrap_or("an error");
    let message = match &said.message {
        Some(message) => message.clone(),
        None if status.is_redirection() => format!(
            "the server redirects ({}), which is not followed, so that the key goes nowhere else",
            status.as_u16()
        ),
        None => format!("the server answered {} ({reason})", status.as_u16()),
    };
    let kind = classify(&said, Some(status));
    build(kind, message, said, body)
        .with_status(status)
        .with_retry_after(hints::retry_after(headers))
        .with_should_retry(hints::should_retry(headers))
}

/// The error object `value` inside an answer with a good status; `body` is all of it.
pub(super) fn in_stream(value: &Value, body: &[u8]) -> Error {
    let said = read(value);
    let message = match &said.message {
        Some(message) => message.clone(),
        None => "the provider reported an error in its answer".to_owned(),
    };
    let kind = classify(&said, None);
    build(kind, message, said, body)
        .with_status(StatusCode::OK)
        .in_stream()
}

/// The error of an answer that is not of the dialect.
pub(super) fn not_understood(why: &str, body: &[u8]) -> Error {
    let message = match plain(body) {
        Some(text) => format!("{why}: {text}"),
        None => why.to_owned(),
    };
    Error::new(ErrorKind::Protocol, message).with_body(body)
}

fn build(kind: ErrorKind, message: String, said: Said, body: &[u8]) -> Error {
    Error::new(kind, message)
        .with_code(said.code)
        .with_error_type(said.error_type)
        .with_param(said.param)
        .with_body(body)
}

fn read(value: &Value) -> Said {
    match value {
        Value::String(text) => Said {
            message: Some(text.clone()),
            ..Said::default()
        },
        // Gemini wraps it in an array.
        Value::Array(list) => list.first().map(read).unwrap_or_default(),
        Value::Object(object) => {
            let inner = ["error", "detail", "errors"]
                .iter()
                .find_map(|name| object.get(*name).filter(|inner| !inner.is_null()));
            if let Some(inner) = inner {
                let said = read(inner);
                if said.message.is_some() || said.code.is_some() || said.error_type.is_some() {
                    return said;
                }
            }
            let text = |name: &str| object.get(name).and_then(as_text);
            Said {
                message: text("message").or_else(|| text("msg")),
                code: text("code"),
                error_type: text("type").or_else(|| text("status")),
                param: text("param"),
            }
        }
        _ => Said::default(),
    }
}

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The words that say more than a status.
fn by_word(word: &str) -> Option<ErrorKind> {
    Some(match word {
        "insufficient_quota"
        | "insufficient_balance"
        | "enforced_spend_limit_reached"
        | "billing_hard_limit_reached"
        | "billing_not_active"
        | "billing_error" => ErrorKind::QuotaExceeded,
        "rate_limit_exceeded"
        | "rate_limit_error"
        | "rate_limited"
        | "too_many_requests"
        | "RESOURCE_EXHAUSTED" => ErrorKind::RateLimited,
        "overloaded_error"
        | "overloaded"
        | "engine_overloaded"
        | "service_unavailable"
        | "UNAVAILABLE" => ErrorKind::Overloaded,
        "authentication_error"
        | "invalid_api_key"
        | "permission_error"
        | "permission_denied"
        | "invalid_authentication" => ErrorKind::Auth,
        "not_found_error" | "model_not_found" => ErrorKind::NotFound,
        "context_length_exceeded" | "request_too_large" | "content_policy_violation" => {
            ErrorKind::BadRequest
        }
        "timeout_error"
        | "api_error"
        | "server_error"
        | "internal_server_error"
        | "internal_error" => ErrorKind::Server,
        _ => return None,
    })
}

/// The body counts for more than the status; without either it is the server's fault.
fn classify(said: &Said, status: Option<StatusCode>) -> ErrorKind {
    let words = [said.code.as_deref(), said.error_type.as_deref()];
    if let Some(kind) = words.iter().flatten().find_map(|word| by_word(word)) {
        // A 5xx that calls itself an authentication error and the like is believed; a client
        // error that calls itself a server error is not.
        return match status {
            Some(status) if kind == ErrorKind::Server => ErrorKind::from_status(status),
            _ => kind,
        };
    }
    if let Some(status) = status {
        return ErrorKind::from_status(status);
    }
    let code = said
        .code
        .as_deref()
        .and_then(|code| code.parse::<u16>().ok());
    match code.map(StatusCode::from_u16) {
        Some(Ok(status)) if status.as_u16() >= 400 => ErrorKind::from_status(status),
        _ if words.contains(&Some("invalid_request_error")) => ErrorKind::BadRequest,
        _ => ErrorKind::Server,
    }
}

/// A body that is no JSON, in one short line: a page's title, or the beginning of the text.
fn plain(body: &[u8]) -> Option<String> {
    const SHOWN: usize = 200;
    let text = String::from_utf8_lossy(&body[..body.len().min(4096)]);
    let lower = text.to_ascii_lowercase();
    let text = match (lower.find("<title>"), lower.find("</title>")) {
        (Some(from), Some(to)) if from + 7 <= to => &text[from + 7..to],
        _ => &text,
    };
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => Some(format!("{}…", &line[..end])),
        None if line.is_empty() => None,
        None => Some(line),
    }
}
