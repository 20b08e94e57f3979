//! A provider's error → [`Error`], whatever shape it has.

use std::borrow::Cow;

use http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::hints;
use crate::error::{Error, ErrorKind};
use crate::json;

/// What an error's body says.
#[derive(Debug, Default)]
struct Said {
    message: Option<String>,
    code: Option<String>,
    error_type: Option<String>,
    param: Option<String>,
}

/// The error of an answer with an error status.
pub(crate) fn from_status(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
    let said = match std::str::from_utf8(body).map(json::parse) {
        Ok(Ok(value)) => read(&value),
        _ => Said {
            message: plain(body),
            ..Said::default()
        },
    };
    let message = match &said.message {
        Some(message) => message.clone(),
        None if status.is_redirection() => format!(
            "the server redirects ({}), which is not followed, so that the key goes nowhere else",
            status.as_u16()
        ),
        None => format!("the server answered {}", status.as_u16()),
    };
    let kind = classify(&said, Some(status));
    // Money does not come back by asking again, whatever the header says.
    let should_retry = match kind {
        ErrorKind::QuotaExceeded => None,
        _ => hints::should_retry(headers),
    };
    build(kind, message, said, body)
        .with_status(status)
        .with_retry_after(hints::retry_after(headers))
        .with_should_retry(should_retry)
}

/// The error object `value` inside an answer with a good status; `body` is all of it.
pub(crate) fn in_stream(value: &Value, body: &str) -> Error {
    let said = read(value);
    let message = match &said.message {
        Some(message) => message.clone(),
        None => "the provider reported an error in its answer".to_owned(),
    };
    let kind = classify(&said, None);
    build(kind, message, said, body.as_bytes())
        .with_status(StatusCode::OK)
        .in_stream()
}

/// The error of an answer that is not of the dialect.
pub(crate) fn not_understood(why: &str, body: &[u8]) -> Error {
    let message = match (title(body), plain(body)) {
        (Some(title), _) => format!("the answer is a web page: {title}"),
        (None, Some(text)) => format!("{why}: {text}"),
        (None, None) => why.to_owned(),
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
        Value::Array(list) => read_list(list),
        Value::Object(object) => {
            let text = |name: &str| object.get(name).and_then(as_text);
            let inner = ["error", "detail", "errors"]
                .iter()
                .find_map(|name| object.get(*name).filter(|inner| !inner.is_null()));
            if let Some(inner) = inner {
                let mut said = read(inner);
                if said.message.is_some() || said.code.is_some() || said.error_type.is_some() {
                    // `{"error": "…", "code": "…"}`. The type beside it is that of the envelope.
                    said.code = said.code.or_else(|| text("code"));
                    return said;
                }
            }
            Said {
                message: text("message").or_else(|| text("msg")),
                code: text("code").or_else(|| {
                    // Anthropic's.
                    object.get("details")?.get("error_code").and_then(as_text)
                }),
                error_type: text("type").or_else(|| text("status")),
                param: text("param").or_else(|| object.get("loc").and_then(path)),
            }
        }
        _ => Said::default(),
    }
}

/// Gemini wraps its error in an array; FastAPI lists all that is wrong with a request.
fn read_list(list: &[Value]) -> Said {
    let mut all = list.iter().map(read);
    let mut said = all.next().unwrap_or_default();
    if let Some(message) = &mut said.message {
        for more in all.take(9).filter_map(|more| more.message) {
            message.push_str("; ");
            message.push_str(&more);
        }
    }
    said
}

/// FastAPI's place of an error: `["body", "messages", 0]` is `body.messages.0`.
fn path(value: &Value) -> Option<String> {
    let steps: Vec<_> = value.as_array()?.iter().filter_map(as_text).collect();
    Some(steps.join("."))
}

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The words that say more than a status.
const WORDS: &[(&str, ErrorKind)] = &[
    ("insufficient_quota", ErrorKind::QuotaExceeded),
    ("insufficient_balance", ErrorKind::QuotaExceeded),
    ("enforced_spend_limit_reached", ErrorKind::QuotaExceeded),
    ("billing_hard_limit_reached", ErrorKind::QuotaExceeded),
    ("billing_not_active", ErrorKind::QuotaExceeded),
    ("billing_error", ErrorKind::QuotaExceeded),
    ("rate_limit_exceeded", ErrorKind::RateLimited),
    ("rate_limit_error", ErrorKind::RateLimited),
    ("rate_limited", ErrorKind::RateLimited),
    ("too_many_requests", ErrorKind::RateLimited),
    ("RESOURCE_EXHAUSTED", ErrorKind::RateLimited),
    ("overloaded_error", ErrorKind::Overloaded),
    ("overloaded", ErrorKind::Overloaded),
    ("engine_overloaded", ErrorKind::Overloaded),
    ("service_unavailable", ErrorKind::Overloaded),
    ("UNAVAILABLE", ErrorKind::Overloaded),
    ("authentication_error", ErrorKind::Auth),
    ("invalid_api_key", ErrorKind::Auth),
    ("permission_error", ErrorKind::Auth),
    ("permission_denied", ErrorKind::Auth),
    ("invalid_authentication", ErrorKind::Auth),
    ("not_found_error", ErrorKind::NotFound),
    ("model_not_found", ErrorKind::NotFound),
    ("context_length_exceeded", ErrorKind::BadRequest),
    ("request_too_large", ErrorKind::BadRequest),
    ("content_policy_violation", ErrorKind::BadRequest),
    ("timeout_error", ErrorKind::Server),
    ("api_error", ErrorKind::Server),
    ("server_error", ErrorKind::Server),
    ("internal_server_error", ErrorKind::Server),
    ("internal_error", ErrorKind::Server),
];

fn by_word(word: &str) -> Option<ErrorKind> {
    let found = WORDS.iter().find(|(known, _)| *known == word);
    found.map(|(_, kind)| *kind)
}

/// The body counts for more than the status; without either it is the server's fault.
fn classify(said: &Said, status: Option<StatusCode>) -> ErrorKind {
    let words = [said.code.as_deref(), said.error_type.as_deref()];
    if let Some(kind) = words.iter().flatten().find_map(|word| by_word(word)) {
        // A 5xx that calls itself an authentication error and the like is believed; a client
        // error that calls itself a server error is not. Groq calls a request that is larger
        // than the limit for a minute a matter of rate: it will not get smaller by waiting.
        return match status {
            Some(status) if kind == ErrorKind::Server => ErrorKind::from_status(status),
            Some(StatusCode::PAYLOAD_TOO_LARGE) if kind == ErrorKind::RateLimited => {
                ErrorKind::BadRequest
            }
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
    title(body).or_else(|| one_line(&beginning(body)))
}

/// The title of a web page.
fn title(body: &[u8]) -> Option<String> {
    let text = beginning(body);
    let text = text.trim_start();
    if !text.starts_with('<') {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let from = lower.find("<title")?;
    let from = from + lower[from..].find('>')? + 1;
    let to = from + lower[from..].find("</title").unwrap_or(lower.len() - from);
    one_line(&text[from..to])
}

fn beginning(body: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(&body[..body.len().min(4096)])
}

fn one_line(text: &str) -> Option<String> {
    const SHOWN: usize = 200;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => Some(format!("{}…", &line[..end])),
        None if line.is_empty() => None,
        None => Some(line),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::HeaderValue;

    use super::*;

    fn error(status: u16, body: &str) -> Error {
        let status = StatusCode::from_u16(status).unwrap();
        from_status(status, &HeaderMap::new(), body.as_bytes())
    }

    #[test]
    fn every_shape_has_its_message() {
        for (body, message) in [
            (r#"{"error": {"message": "no", "type": "x"}}"#, "no"),
            (r#"{"type": "error", "error": {"message": "no"}}"#, "no"),
            (r#"[{"error": {"code": 400, "message": "no"}}]"#, "no"),
            (r#"{"error": "no"}"#, "no"),
            (r#"{"detail": "no"}"#, "no"),
            (r#"{"message": "no"}"#, "no"),
            (r#"{"object": "error", "message": "no"}"#, "no"),
            (r#"{"errors": [{"message": "no"}]}"#, "no"),
            (r#""no""#, "no"),
            (
                r#"{"detail": [{"loc": ["body"], "msg": "no"}, {"msg": "nor that"}]}"#,
                "no; nor that",
            ),
            ("  upstream\n\tfailed ", "upstream failed"),
            (
                "<html><TITLE lang=en>\n502 Bad\nGateway</TITLE>",
                "502 Bad Gateway",
            ),
            ("<html><title>cut", "cut"),
            ("", "the server answered 400"),
            ("{}", "the server answered 400"),
            ("[]", "the server answered 400"),
            ("null", "the server answered 400"),
            ("\u{0}", "\u{0}"),
        ] {
            let error = error(400, body);
            assert_eq!(error.message(), message, "{body}");
            assert_eq!(error.kind(), ErrorKind::BadRequest, "{body}");
            assert_eq!(error.body(), Some(body), "{body}");
        }
        assert!(error(302, "").message().contains("not followed"));
        assert!(error(500, &"x".repeat(9999)).message().chars().count() < 210);
    }

    #[test]
    fn details_are_kept() {
        let error = error(
            400,
            r#"{"error": {"message": "m", "type": "t", "code": 1301, "param": "p"}}"#,
        );
        assert_eq!(error.error_type(), Some("t"));
        assert_eq!(error.code(), Some("1301"));
        assert_eq!(error.param(), Some("p"));
        let error = super::tests::error(400, r#"{"type": "error", "error": "m", "code": "c"}"#);
        assert_eq!((error.code(), error.error_type()), (Some("c"), None));
        let error = super::tests::error(422, r#"{"detail": [{"loc": ["body", 0], "msg": "m"}]}"#);
        assert_eq!(error.param(), Some("body.0"));
    }

    #[test]
    fn the_body_counts_for_more_than_the_status() {
        use ErrorKind::*;
        for (status, word, kind) in [
            (429, "insufficient_quota", QuotaExceeded),
            (429, "enforced_spend_limit_reached", QuotaExceeded),
            (429, "rate_limit_exceeded", RateLimited),
            (429, "anything", RateLimited),
            (500, "overloaded_error", Overloaded),
            (529, "overloaded_error", Overloaded),
            (400, "context_length_exceeded", BadRequest),
            (413, "rate_limit_exceeded", BadRequest),
            (400, "invalid_api_key", Auth),
            (400, "model_not_found", NotFound),
            (504, "timeout_error", Server),
            (400, "server_error", BadRequest),
            (402, "anything", QuotaExceeded),
            (404, "anything", NotFound),
            (503, "anything", Overloaded),
            (418, "anything", BadRequest),
        ] {
            let coded = error(status, &format!(r#"{{"error": {{"code": "{word}"}}}}"#));
            assert_eq!(coded.kind(), kind, "{status} {word}");
            let typed = error(status, &format!(r#"{{"error": {{"type": "{word}"}}}}"#));
            assert_eq!(typed.kind(), kind, "{status} {word}");
        }
    }

    #[test]
    fn in_a_stream_there_is_no_status_to_go_by() {
        use ErrorKind::*;
        for (body, kind) in [
            (r#"{"error": {"type": "overloaded_error"}}"#, Overloaded),
            (r#"{"error": {"type": "api_error"}}"#, Server),
            (r#"{"error": {"code": 429, "message": "m"}}"#, RateLimited),
            (r#"{"error": {"code": "503"}}"#, Overloaded),
            (
                r#"{"error": {"type": "invalid_request_error"}}"#,
                BadRequest,
            ),
            (r#"{"error": {"code": 7}}"#, Server),
            (r#"{"error": "out of memory"}"#, Server),
        ] {
            let error = in_stream(&serde_json::from_str(body).unwrap(), body);
            assert_eq!(error.kind(), kind, "{body}");
            assert!(error.is_in_stream());
        }
    }

    #[test]
    fn headers_say_whether_and_when_to_retry() {
        let mut headers = HeaderMap::new();
        headers.insert("x-should-retry", HeaderValue::from_static("true"));
        headers.insert("retry-after", HeaderValue::from_static("3"));
        let quota = br#"{"error": {"code": "insufficient_quota"}}"#;
        let error = from_status(StatusCode::TOO_MANY_REQUESTS, &headers, quota);
        assert!(!error.is_retryable());
        let error = from_status(StatusCode::BAD_REQUEST, &headers, b"");
        assert!(error.is_retryable());
        assert_eq!(error.retry_after(), Some(Duration::from_secs(3)));
    }
}
