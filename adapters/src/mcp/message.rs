//! Messages of JSON-RPC 2.0: written, and read from bytes that may be anything.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::error::McpError;

/// The code of a JSON-RPC error for a method that the other side does not have.
pub(super) const METHOD_NOT_FOUND: i64 = -32601;

/// A message from the server.
#[derive(Debug)]
pub(super) enum Incoming {
    /// The answer to a request.
    Response {
        /// The number of the request. `None` if the server could not read it.
        id: Option<u64>,
        /// The result, or the server's error.
        outcome: Result<Box<RawValue>, McpError>,
    },
    /// A request of the server's own.
    Request {
        /// Its id as JSON, which goes back unchanged.
        id: Box<RawValue>,
        /// What the server asks for.
        method: String,
    },
    /// A notification.
    Notification {
        /// What it is about.
        method: String,
        /// Its fields.
        params: Option<Box<RawValue>>,
    },
    /// Something that is no message of the protocol, or answers no request of this client.
    Stray,
}

#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(default)]
    method: Option<String>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct RpcError {
    #[serde(default)]
    code: Option<serde_json::Number>,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    data: Option<Value>,
}

impl Incoming {
    /// Reads one message.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, McpError> {
        // serde would read a list as the fields in their order.
        if bytes.trim_ascii_start().first() != Some(&b'{') {
            return Err(McpError::protocol(
                "the server's message is not a JSON object",
            ));
        }
        let fields: Fields<'_> = serde_json::from_slice(bytes).map_err(unreadable)?;
        let owned = |raw: Option<&RawValue>| raw.map(ToOwned::to_owned);
        Ok(match (fields.method, fields.id) {
            (Some(method), Some(id)) => Self::Request {
                id: id.to_owned(),
                method,
            },
            (Some(method), None) => Self::Notification {
                method,
                params: owned(fields.params),
            },
            (None, id) => {
                let outcome = match (fields.result, fields.error) {
                    (_, Some(error)) => Err(rpc_error(error)),
                    (Some(result), None) => Ok(result.to_owned()),
                    (None, None) => return Ok(Self::Stray),
                };
                match id {
                    None => Self::Response { id: None, outcome },
                    Some(id) => match number(id) {
                        Some(id) => Self::Response {
                            id: Some(id),
                            outcome,
                        },
                        None => Self::Stray,
                    },
                }
            }
        })
    }

    /// Reads the messages of a body. The revision 2025-03-26 allows a list of them.
    pub(super) fn read_all(bytes: &[u8]) -> Result<Vec<Self>, McpError> {
        if bytes.trim_ascii_start().first() != Some(&b'[') {
            return Ok(vec![Self::read(bytes)?]);
        }
        let list: Vec<&RawValue> = serde_json::from_slice(bytes).map_err(unreadable)?;
        let messages = list.into_iter();
        messages
            .map(|raw| Self::read(raw.get().as_bytes()))
            .collect()
    }
}

/// The number of a request of ours. Some servers make a string of it.
fn number(id: &RawValue) -> Option<u64> {
    let text = id.get();
    let digits = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    digits.unwrap_or(text).parse().ok()
}

fn rpc_error(raw: &RawValue) -> McpError {
    let Ok(error) = serde_json::from_str::<RpcError>(raw.get()) else {
        return McpError::protocol("the server answered with an error that cannot be read");
    };
    // Some servers write a number with a fraction, or a string.
    let code = error
        .code
        .and_then(|code| code.as_i64())
        .unwrap_or_default();
    let message = match error.message {
        Some(message) if !message.trim().is_empty() => message,
        _ => "the server answered with an error without a message".to_owned(),
    };
    McpError::rpc(code, message, error.data)
}

/// The error of serde contains no part of the text but single words of a few letters at most, and
/// names the place.
fn unreadable(error: serde_json::Error) -> McpError {
    McpError::protocol("the server's message is not JSON-RPC").with_source(error)
}

/// Writes a request.
pub(super) fn request(id: u64, method: &str, params: Map<String, Value>) -> Bytes {
    written(json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))
}

/// Writes a notification.
pub(super) fn notification(method: &str, params: Map<String, Value>) -> Bytes {
    written(json!({"jsonrpc": "2.0", "method": method, "params": params}))
}

/// Writes the notification that a request is no longer wanted.
pub(super) fn cancelled(id: u64) -> Bytes {
    let mut params = Map::new();
    params.insert("requestId".to_owned(), id.into());
    notification("notifications/cancelled", params)
}

/// Writes the answer to a request of the server: to `ping`, and to what this client does not offer.
pub(super) fn reply(id: &RawValue, method: &str) -> Bytes {
    let id = id.get();
    let text = match method {
        "ping" => format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#),
        _ => format!(
            r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":{METHOD_NOT_FOUND},"message":"this client does not offer the method"}}}}"#
        ),
    };
    // An id with line breaks between its parts would be two lines on a stream.
    Bytes::from(text.replace(['\n', '\r'], " "))
}

fn written(message: Value) -> Bytes {
    Bytes::from(message.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::McpErrorKind;

    fn read(text: &str) -> Incoming {
        Incoming::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn answers_requests_and_notifications_are_told_apart() {
        for id in ["7", "\"7\""] {
            let text = format!(r#"{{"jsonrpc": "2.0", "id": {id}, "result": {{"a": 1}}}}"#);
            let Incoming::Response { id, outcome } = read(&text) else {
                panic!("{text}");
            };
            assert_eq!((id, outcome.unwrap().get()), (Some(7), r#"{"a": 1}"#));
        }
        let text = r#"{"id": 7, "error": {"code": -32602, "message": "no", "data": [1]}}"#;
        let Incoming::Response {
            outcome: Err(error),
            ..
        } = read(text)
        else {
            panic!("{text}");
        };
        assert_eq!(error.kind(), McpErrorKind::Rpc);
        assert_eq!((error.code(), error.message()), (Some(-32602), "no"));
        assert_eq!(error.data(), Some(&json!([1])));
        assert!(matches!(
            read(r#"{"id": "a b", "method": "ping"}"#),
            Incoming::Request { method, .. } if method == "ping"
        ));
        assert!(matches!(
            read(r#"{"method": "notifications/x", "params": {}}"#),
            Incoming::Notification {
                params: Some(_),
                ..
            }
        ));
    }

    #[test]
    fn what_is_no_answer_of_ours_is_stray() {
        for text in [
            r#"{}"#,
            r#"{"id": -1, "result": {}}"#,
            r#"{"id": "x", "result": {}}"#,
            r#"{"id": {"a": 1}, "error": {}}"#,
            r#"{"id": 3}"#,
        ] {
            assert!(matches!(read(text), Incoming::Stray), "{text}");
        }
    }

    #[test]
    fn an_error_of_any_form_is_an_error() {
        for error in [
            "{}",
            "1",
            "\"no\"",
            r#"{"code": 1.5}"#,
            r#"{"message": " "}"#,
        ] {
            let text = format!(r#"{{"id": 1, "error": {error}}}"#);
            let Incoming::Response { outcome, .. } = read(&text) else {
                panic!("{text}");
            };
            outcome.unwrap_err();
        }
    }

    #[test]
    fn bytes_that_are_no_message_are_an_error() {
        let deep = "[".repeat(100_000);
        for text in ["", "null", "[]", "x", "{\"id\": 1", &deep] {
            let error = Incoming::read(text.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), McpErrorKind::Protocol, "{error}");
        }
        let both = br#" [{"method": "a"}, {"id": 1, "result": {}}]"#;
        assert_eq!(Incoming::read_all(both).unwrap().len(), 2);
    }

    #[test]
    fn a_reply_is_one_line() {
        let id: Box<RawValue> = serde_json::from_str("{\"a\":\n1}").unwrap();
        assert_eq!(
            reply(&id, "ping"),
            r#"{"jsonrpc":"2.0","id":{"a": 1},"result":{}}"#
        );
        let text = reply(&id, "roots/list");
        let refused: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(refused["error"]["code"], METHOD_NOT_FOUND);
    }
}
