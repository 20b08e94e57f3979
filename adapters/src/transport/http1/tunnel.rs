//! A tunnel through an HTTP proxy, opened with CONNECT.

use std::future::poll_fn;

use chatcore::{TransportError, TransportErrorKind};
use futures_lite::AsyncWriteExt;
use http::{HeaderValue, Method, StatusCode};

use super::exchange::{Incoming, answer_to};
use super::request::{Origin, encode_connect};
use super::stream::Stream;
use crate::transport::proxy::Proxy;

/// Asks `proxy`, at the other end of `stream`, to connect to `origin`. Bytes sent over the returned
/// stream reach the origin.
pub(super) async fn open(
    mut stream: Stream,
    origin: &Origin,
    proxy: &Proxy,
    user_agent: &HeaderValue,
    max_head: usize,
) -> Result<Stream, TransportError> {
    let failed = |kind, why: &str| {
        let message = format!(
            "the proxy did not connect to {}:{}: {why}",
            origin.host, origin.port
        );
        TransportError::new(kind, message)
    };
    let refused = |why: &str| failed(TransportErrorKind::Proxy, why);
    let lost = |error| refused("the connection to it was lost").with_source(error);
    let head = encode_connect(origin, user_agent, proxy);
    stream.write_all(&head).await.map_err(lost)?;
    stream.flush().await.map_err(lost)?;

    let mut incoming = Incoming::new(answer_to(&Method::CONNECT)?, max_head);
    let mut unread = Vec::new();
    let response = poll_fn(|cx| incoming.poll_head(&mut stream, &mut unread, cx))
        .await
        .map_err(|failure| {
            let error = failure.into_error("the proxy");
            refused(&error.to_string()).with_source(error)
        })?;
    if !response.status().is_success() {
        // 407 and 403 stay the same for the next attempt; 502 and 504 may not.
        let kind = match response.status() {
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
                TransportErrorKind::Proxy
            }
            status if status.is_client_error() => TransportErrorKind::ProxyRefused,
            _ => TransportErrorKind::Proxy,
        };
        let why = format!("it answered {}", response.status());
        return Err(failed(kind, &why));
    }
    if !unread.is_empty() {
        return Err(refused("it sent unexpected bytes into the tunnel"));
    }
    Ok(stream)
}
