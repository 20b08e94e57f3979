//! What is answered, as HTTP.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use trillium::{Body, Conn, KnownHeaderName};

use super::Socket;
use crate::errors::ApiError;
use crate::metrics::Metrics;
use crate::page;
use crate::stream::{Pieces, Streamed};

/// What an answer is made of.
pub(super) enum Reply {
    Json(Value),
    Bytes(Vec<u8>, &'static str),
    /// Written as it comes; the type is that of its bytes.
    Pieces(Pieces, &'static str),
    /// The client went away; whatever is sent, nobody reads it.
    Gone,
}

impl Reply {
    /// Writes it, and gives its status for the metrics.
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
                // Proxies that collect answers would hold the pieces back.
                conn.response_headers_mut()
                    .insert("x-accel-buffering", "no");
                let socket = conn.take_state::<Socket>().map(|socket| socket.0);
                let streamed = Streamed::new(pieces, socket, Arc::clone(metrics));
                let body = Body::new_streaming(streamed, None);
                (200, conn.with_status(200).with_body(body).halt())
            }
            // The status that nginx has for it; only the metrics see it.
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

/// Answers with an error, in the shape of the protocol that was spoken.
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
        // OpenAI's and Anthropic's clients obey it.
        headers.insert("x-should-retry", should_retry.to_string());
    }
    conn.with_status(error.status)
        .with_body(body.to_string())
        .halt()
}

/// An error as the bytes of a whole response, for who gets no further than to the door.
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
