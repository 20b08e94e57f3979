//! Writes answers as HTTP responses.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use trillium::{Body, Conn, KnownHeaderName};

use super::Socket;
use crate::errors::ApiError;
use crate::metrics::Metrics;
use crate::page;
use crate::stream::{Pieces, Streamed};

/// The body of an answer.
pub(super) enum Reply {
    Json(Value),
    Bytes(Vec<u8>, &'static str),
    /// Bytes that are sent as they are produced, and their media type.
    Pieces(Pieces, &'static str),
    /// The client disconnected, so nobody reads what is sent.
    Gone,
}

impl Reply {
    /// Writes the response, and returns its status for the metrics.
    pub(super) fn write(self, conn: Conn, metrics: &Arc<Metrics>) -> (u16, Conn) {
        match self {
            Self::Json(json) => {
                let conn = typed(conn, "application/json");
                let conn = conn.with_status(200).with_body(json.to_string());
                (200, conn.halt())
            }
            Self::Bytes(bytes, media_type) => {
                let mut conn = typed(conn, media_type);
                if media_type.starts_with("text/html") {
                    let headers = conn.response_headers_mut();
                    headers.insert("content-security-policy", page::POLICY);
                    headers.insert("referrer-policy", "no-referrer");
                }
                (200, conn.with_status(200).with_body(bytes).halt())
            }
            Self::Pieces(pieces, media_type) => {
                let mut conn = typed(conn, media_type);
                // Otherwise buffering proxies such as nginx would hold the pieces back.
                conn.response_headers_mut()
                    .insert("x-accel-buffering", "no");
                let socket = conn.take_state::<Socket>().map(|socket| socket.0);
                let streamed = Streamed::new(pieces, socket, Arc::clone(metrics));
                let body = Body::new_streaming(streamed, None);
                (200, conn.with_status(200).with_body(body).halt())
            }
            // 499 is nginx's status for this. Only the metrics show it.
            Self::Gone => {
                metrics.client_gone();
                let mut conn = conn.with_status(503).halt();
                conn.response_headers_mut()
                    .insert(KnownHeaderName::Connection, "close");
                (499, conn)
            }
        }
    }
}

pub(super) fn typed(mut conn: Conn, media_type: &'static str) -> Conn {
    conn.response_headers_mut()
        .insert(KnownHeaderName::ContentType, media_type);
    conn
}

/// Responds with an error whose body has the shape of the client's protocol.
pub(super) fn refuse(conn: Conn, error: &ApiError, body: &Value) -> Conn {
    let mut conn = typed(conn, "application/json");
    let headers = conn.response_headers_mut();
    if let Some(wait) = error.retry_after {
        headers.insert(KnownHeaderName::RetryAfter, whole_seconds(wait).to_string());
    }
    if error.status == 401 {
        headers.insert(KnownHeaderName::WwwAuthenticate, "Bearer");
    }
    if error.status == 415 {
        headers.insert(KnownHeaderName::AcceptEncoding, "identity");
    }
    if let Some(methods) = error.allow {
        headers.insert(KnownHeaderName::Allow, methods);
    }
    if let Some(should_retry) = error.should_retry {
        // The clients of OpenAI and Anthropic obey this header.
        headers.insert("x-should-retry", should_retry.to_string());
    }
    conn.with_status(error.status)
        .with_body(body.to_string())
        .halt()
}

/// A complete response with an error, for connections that are refused before HTTP starts.
pub(crate) fn raw(error: &ApiError) -> String {
    let body = error.to_json().to_string();
    let reason = match error.status {
        429 => "Too Many Requests",
        _ => "Service Unavailable",
    };
    let wait = error.retry_after.map_or(1, whole_seconds);
    format!(
        "HTTP/1.1 {} {reason}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nretry-after: {wait}\r\n\r\n{body}",
        error.status,
        body.len()
    )
}

fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_rounded_up() {
        assert_eq!(whole_seconds(Duration::from_millis(1)), 1);
        assert_eq!(whole_seconds(Duration::from_secs(2)), 2);
    }
}
