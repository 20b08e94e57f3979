//! Unmaintained (RUSTSEC-2025-0036): use `http1`. Kept because some applications already use surf.
//!
//! surf has three backends, and this crate can use none of them. The `h1` client gives the answer
//! of a cancelled request to the next request on its connection, looks names up on the caller's
//! thread, leaves Nagle's algorithm on when it does not pool, and brings in tokio through deadpool.
//! The `curl` client hangs beyond 1,024 descriptors, notices a dropped body only when more of it
//! arrives, and fails a POST on a connection that has gone stale. The `hyper` client needs the
//! tokio 0.2 runtime. So [`SurfTransport::new`] gives surf its own backend: surf's HTTP/1.1
//! ([`async_h1`]) over one new connection for each request, with TLS by rustls. Its dependency tree
//! has no tokio.
//!
//! Responses stream, a dropped future or body closes its connection at once, no redirect is
//! followed, and a body that is cut short is an error. surf and async-h1 do not support:
//!
//! - **Connection reuse**: `async_h1` ends a body without saying whether the connection is still
//!   usable.
//! - **Proxies**: the proxies in the environment are ignored.
//! - **A body without a length**, which ends when its connection closes: async-h1 would report it
//!   as empty, so it is an error of the kind [`Protocol`](TransportErrorKind::Protocol).
//! - **A status that http-types does not list**, such as 529 (overloaded) and 520 to 524: the
//!   response is lost and becomes a `Protocol` error.
//! - **HTTP/1.0**, and a `100 Continue` or `103 Early Hints` before the answer, which async-h1
//!   takes for the answer.
//! - **A head over 8 KiB** ([`TooLarge`](TransportErrorKind::TooLarge)), and a header that is not
//!   ASCII: http-types panics at it. The panic is caught and becomes a `Protocol` error, but the
//!   panic hook runs.
//! - **Trailers of more than 8 KiB**, or with bytes after them.
//! - **An early answer that makes sending fail**: if the server answers and closes while the
//!   request is still being sent, the answer is lost and the error is a
//!   [`Reset`](TransportErrorKind::Reset).
//!
//! `async_h1` also writes whole requests to the `log` crate at the level *trace*, keys included: do
//! not enable that level for it.

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
    /// A transport over the backend that the [module](self) describes.
    pub fn new() -> Self {
        Self::with_client(::surf::Client::with_http_client(client::AsyncH1::default()))
    }

    /// A transport over the application's own client, with its backend and middleware.
    ///
    /// That client then decides whether the promises of [`Transport`] hold. The connect timeout
    /// reaches the backend only as a [`ConnectTimeout`](chatcore::ConnectTimeout) in the request's
    /// extensions, and errors come back as [`TransportErrorKind::Other`]. Never give the client the
    /// redirect middleware: it sends every request twice, and sends the key to the redirect's
    /// target.
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

/// Errors of this crate's backend are transport errors already; errors of other backends are not.
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
