//! The second of the two seams: what the core asks of an HTTP client.

use std::error::Error as StdError;
use std::fmt::{self, Debug};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::Stream;

use crate::secrets::Secrets;

/// What the core asks of an HTTP client: send one request, stream one body back.
///
/// What an implementation owes its callers:
///
/// - [`send`](Transport::send) resolves as soon as the response's status and headers are there;
///   an error status is a response like any other.
/// - The body streams as it arrives, in the pieces in which it arrives. It ends cleanly only
///   where HTTP says so: a body cut short of its length or of its last chunk, or lost with its
///   connection, ends in [`TransportErrorKind::Truncated`].
/// - Dropping the future, or a body that has not ended, closes the connection at once; a body
///   that has ended hands it back to the pool.
/// - Redirects are not followed, and the request is sent once: retries belong to the core. (A
///   reused connection that turns out to be dead may be replaced as long as not one byte of an
///   answer came.)
/// - Requests run side by side, and each gets its own answer: what else comes on a connection is
///   never taken for the answer to the next request.
/// - The connection is made within the [`ConnectTimeout`] found in the request's extensions; what
///   [`ChatCall::extension`](crate::ChatCall::extension) put beside it is for the transport, too.
/// - Of the response's headers, those in
///   [`COMMON_RESPONSE_HEADERS`](crate::dialect::COMMON_RESPONSE_HEADERS) and those that the
///   dialect's [`Facts`](crate::dialect::Facts) name are read; a transport may leave out others.
#[async_trait]
pub trait Transport: Debug + Send + Sync + 'static {
    /// Sends `request` and waits for the response's headers.
    ///
    /// Cancel-safe: dropping the returned future closes the connection.
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<ByteStream>, TransportError>;

    /// Adds the secrets that this transport sends beside those of the request, such as the
    /// password of a proxy, so that they are taken out of what servers echo. Asked once, when a
    /// client is built. A transport that wraps another one passes this on.
    fn tell_secrets(&self, secrets: &mut Secrets) {
        let _ = secrets;
    }
}

/// A request extension: how long making the connection (name lookup, TCP, proxy, TLS) may take.
/// A transport that finds none uses [`ConnectTimeout::DEFAULT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectTimeout(pub Duration);

impl ConnectTimeout {
    /// Five seconds.
    pub const DEFAULT: Self = Self(Duration::from_secs(5));

    /// What stands for no limit: a year, which can be added to any clock.
    pub const NONE: Self = Self(Duration::from_secs(365 * 24 * 60 * 60));
}

impl Default for ConnectTimeout {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The body of a response: a stream of byte chunks, boxed once for each response.
pub struct ByteStream(Pin<Box<dyn Stream<Item = Result<Bytes, TransportError>> + Send>>);

impl ByteStream {
    /// Wraps a stream of chunks.
    pub fn new(stream: impl Stream<Item = Result<Bytes, TransportError>> + Send + 'static) -> Self {
        Self(Box::pin(stream))
    }

    /// A body that is there already, in one chunk.
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Self {
        Self::new(Once(Some(bytes.into())))
    }

    /// A body with nothing in it.
    pub fn empty() -> Self {
        Self::new(Once(None))
    }
}

impl Stream for ByteStream {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx)
    }
}

impl Debug for ByteStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ByteStream")
    }
}

struct Once(Option<Bytes>);

impl Stream for Once {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.take().filter(|bytes| !bytes.is_empty()).map(Ok))
    }
}

/// What went wrong between the core and the server, before or beside any HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// The host name could not be resolved.
    Dns,
    /// No connection could be made (refused, unreachable).
    Connect,
    /// Making the connection took longer than its limit.
    ConnectTimeout,
    /// The TLS handshake failed, for example because the certificate is not trusted.
    Tls,
    /// The proxy could not be used, or refused to connect.
    Proxy,
    /// The connection was lost before the response's headers were there.
    Reset,
    /// The headers were there and the whole body never was: it ended before the length, or the
    /// last chunk, that they promised, or its connection was lost, however that came about.
    Truncated,
    /// What came back is not HTTP.
    Protocol,
    /// The response's headers, or a line of them, are larger than the transport allows.
    TooLarge,
    /// The request cannot be sent by this transport (an unknown scheme, a bad header).
    InvalidInput,
    /// As many requests wait in the transport as may wait there.
    QueueFull,
    /// The transport is shut down.
    Closed,
    /// Anything else.
    Other,
}

impl TransportErrorKind {
    /// Whether an error of [`Transport::send`] of this kind means that nothing of the request can
    /// have reached the server.
    pub fn is_before_sending(self) -> bool {
        matches!(
            self,
            Self::Dns
                | Self::Connect
                | Self::ConnectTimeout
                | Self::Tls
                | Self::Proxy
                | Self::InvalidInput
                | Self::QueueFull
                | Self::Closed
        )
    }
}

/// An error of a [`Transport`]: a kind, a sentence, and the cause.
#[derive(Debug)]
pub struct TransportError {
    kind: TransportErrorKind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl TransportError {
    /// An error of `kind`, explained by `message`. The message must hold no header and no key.
    pub fn new(kind: TransportErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// Adds the error that caused this one.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> TransportErrorKind {
        self.kind
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for TransportError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}
