//! Reads a request's body as JSON, within limits of size and time.

use std::io::ErrorKind;
use std::time::Duration;

use futures_lite::FutureExt;
use futures_lite::io::AsyncReadExt;
use serde_json::Value;
use smol::Timer;
use trillium::{Conn, KnownHeaderName};

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
        ApiError::new(413, "body_too_large", message)
    };
    check_encoding(conn)?;
    let max = u64::try_from(max_body).unwrap_or(u64::MAX);
    let body = conn.request_body();
    if body.content_length().is_some_and(|length| length > max) {
        return Err(too_large());
    }
    let bytes = async {
        let mut bytes = Vec::new();
        let mut body = body;
        body.read_to_end(&mut bytes)
            .await
            .map_err(|error| match error.kind() {
                ErrorKind::FileTooLarge => too_large(),
                ErrorKind::InvalidData => {
                    ApiError::new(400, "invalid_body", "the body's chunks are malformed")
                }
                _ => ApiError::new(400, "incomplete_body", "the body ended too early"),
            })?;
        Ok(bytes)
    };
    let late = async {
        Timer::after(limit).await;
        let message = format!("the body did not arrive within {limit:?}");
        Err(ApiError::new(408, "body_timeout", message))
    };
    parse(&bytes.or(late).await?)
}

/// Refuses a compressed body.
fn check_encoding(conn: &Conn) -> Result<(), ApiError> {
    let mut encodings = conn
        .request_headers()
        .token_iter(KnownHeaderName::ContentEncoding);
    match encodings.find(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        None => Ok(()),
        Some(encoding) => {
            let message = format!(
                "the content-encoding {encoding:?} is not supported; send the \
                                   body without one"
            );
            Err(ApiError::new(415, "unsupported_encoding", message))
        }
    }
}

/// Parses JSON that must be an object.
pub(crate) fn parse(bytes: &[u8]) -> Result<Fields, ApiError> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| {
        ApiError::new(
            400,
            "invalid_json",
            format!("the body is not JSON: {error}"),
        )
    })?;
    Fields::of(value, "")
}
