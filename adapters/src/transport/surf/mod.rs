//! Unmaintained (RUSTSEC-2025-0036): use `http1`. Kept because some applications have surf already.
//!
//! surf comes with three backends, and none of them can be used for what this crate does: the
//! `h1` client gives the answer of a cancelled request to the next one on its connection, looks
//! names up on the caller's thread, leaves Nagle's algorithm on where it does not pool, and
//! brings tokio by way of deadpool; the `curl` client hangs past 1,024 descriptors, notices
//! a dropped body only when more of it arrives, and fails a POST on a connection that has gone
//! stale; the `hyper` client needs the runtime of tokio 0.2. So [`SurfTransport::new`] gives surf
//! a backend of its own: surf's HTTP/1.1 ([`async_h1`]) over one new connection for each request,
//! with TLS by rustls. There is no tokio in its tree.
//!
//! Responses stream, a dropped future or body closes its connection at once, no redirect is
//! followed, and a body that is cut short is found. What surf and async-h1 cannot do:
//!
//! - **reuse a connection**: `async_h1` ends a body without saying whether the connection is
//!   still in order;
//! - **a proxy**: the environment's proxies are not asked;
//! - **a body without a length**, which ends with its connection: async-h1 would pass it off as
//!   empty, so it is an error of the kind [`Protocol`](TransportErrorKind::Protocol);
//! - **a status that http-types does not list**, such as 529 (overloaded) and 520 to 524: the
//!   response is lost, and a `Protocol` error stands for it;
//! - **HTTP/1.0**, and a `100 Continue` or `103 Early Hints` before the answer, which async-h1
//!   takes for the answer;
//! - **a head over 8 KiB** ([`TooLarge`](TransportErrorKind::TooLarge)), and a header that is not
//!   ASCII, over which http-types panics (caught, and a `Protocol` error; the panic hook runs);
//! - **trailers of more than 8 KiB**, or with bytes after them;
//! - **a request that fails while it goes out** because the server has answered early: the answer
//!   is lost, the error is a [`Reset`](TransportErrorKind::Reset).
//!
//! And `async_h1` writes whole requests to the `log` crate at the level *trace*, the key included:
//! do not enable that level for it.

mod body;
mod client;
mod convert;

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use chatcore::{ByteStream, Transport, TransportError, TransportErrorKind};
use http::{Request, Response};

/// A [`Transport`] over surf; see the [module](self) for why to use `http1` instead.
///
/// ```
/// use chatcore_adapters::transport::SurfTransport;
///
/// let transport = SurfTransport::new();
/// # let _ = transport;
/// ```
#[derive(Clone)]
pub struct SurfTransport {
    client: ::surf::Client,
}

impl SurfTransport {
    /// Over the backend that the [module](self) describes.
    pub fn new() -> Self {
        Self::with_client(::surf::Client::with_http_client(client::AsyncH1::default()))
    }

    /// Over the application's own client, with its backend and its middleware.
    ///
    /// What [`Transport`] promises is then up to them. The connect limit reaches the backend only
    /// as a [`ConnectTimeout`](chatcore::ConnectTimeout) in the request's extensions, and errors
    /// come back as [`TransportErrorKind::Other`]. Never give it the redirect middleware: it
    /// sends every request twice, and the key to wherever it is redirected.
    pub fn with_client(client: ::surf::Client) -> Self {
        Self { client }
    }
}

impl Default for SurfTransport {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Transport for SurfTransport {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<ByteStream>, TransportError> {
        let has_no_body = request.method() == http::Method::HEAD;
        let request = convert::request(request)?;
        let response = self.client.send(request).await.map_err(explain)?;
        convert::response(response.into(), has_no_body)
    }
}

/// The backend's errors are transport errors already; those of other backends are not.
fn explain(error: ::surf::Error) -> TransportError {
    error.downcast().unwrap_or_else(|error| {
        TransportError::new(TransportErrorKind::Other, "surf could not send the request")
            .with_source(error.into_inner())
    })
}

impl fmt::Debug for SurfTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SurfTransport")
    }
}

#[cfg(test)]
mod tests;
