//! A request's body: of limited size, in limited time, and JSON.

use std::time::Duration;

use futures_lite::FutureExt;
use futures_lite::io::AsyncReadExt;
use serde_json::Value;
use smol::Timer;
use trillium::Conn;

use crate::errors::ApiError;
use crate::fields::Fields;

/// Reads the body as a JSON object.
pub(crate) async fn read(
    conn: &mut Conn,
    max_body: usize,
    limit: Duration,
) -> Result<Fields, ApiError> {
    let too_large = || {
        let message = format!("the body is larger than {max_body} bytes");
        ApiError::new(413, "body_too_large", message).closing()
    };
    let max = u64::try_from(max_body).unwrap_or(u64::MAX);
    let body = conn.request_body();
    if body.content_length().is_some_and(|length| length > max) {
        return Err(too_large());
    }
    let bytes = async {
        let mut bytes = Vec::new();
        // One more than allowed, to see that it is too large.
        let mut body = body.take(max.saturating_add(1));
        let read = body.read_to_end(&mut bytes).await;
        if bytes.len() > max_body {
            return Err(too_large());
        }
        let ended = |_| ApiError::new(400, "incomplete_body", "the body ended too early").closing();
        read.map(|_| bytes).map_err(ended)
    };
    let late = async {
        Timer::after(limit).await;
        let message = format!("the body did not come within {limit:?}");
        Err(ApiError::new(408, "body_timeout", message).closing())
    };
    parse(&bytes.or(late).await?)
}

/// Reads JSON that must be an object.
pub(crate) fn parse(bytes: &[u8]) -> Result<Fields, ApiError> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| {
        ApiError::new(400, "invalid_json", format!("the body is no JSON: {error}"))
    })?;
    Fields::of(value, "")
}
