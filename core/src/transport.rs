//! The second of the two seams: the trait for an HTTP client.

use std::error::Error as StdError;
use std::fmt::{self, Debug};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::Stream;

use crate::secrets::Secrets;

/// What the core needs from an HTTP client: send one request, and stream one body back.
///
/// An implementation must do the following:
///
/// - [`send`](Transport::send) completes as soon as the response's status and headers have come. An
///   error status is a response like any other.
/// - The body streams in the pieces in which it arrives. It ends cleanly only where HTTP says so. A
///   body that ends before its length or its last chunk, or with a lost connection, ends in
///   [`TransportErrorKind::Truncated`].
/// - Dropping the future, or a body before its end, closes the connection at once. A body that has
///   ended returns the connection to the pool.
/// - Redirects are not followed, and the request is sent once, because retries belong to the core.
///   (A reused connection that turns out to be dead may be replaced as long as no byte of a
///   response has come.)
/// - Requests run concurrently, and each gets its own response. Extra bytes on a connection are
///   never taken for the response to the next request.
/// - Connecting takes no longer than the [`ConnectTimeout`] in the request's extensions. Other
///   extensions, from [`ChatCall::extension`](crate::ChatCall::extension), are for the transport,
///   too.
/// - The response has at least the headers in
///   [`COMMON_RESPONSE_HEADERS`](crate::dialect::COMMON_RESPONSE_HEADERS) and those that the
///   dialect's [`Facts`](crate::dialect::Facts) name. A transport may leave out others: chatcore
///   does not need them, and [`keep_head`](crate::ChatCall::keep_head) then lacks them.
///
/// ```
/// use chatcore::bytes::Bytes;
/// use chatcore::http::{Request, Response};
/// use chatcore::{ByteStream, Transport, TransportError, async_trait};
///
/// /// Answers every chat in the same words, without a network.
/// #[derive(Debug)]
/// struct Parrot;
///
/// #[async_trait]
/// impl Transport for Parrot {
///     async fn send(&self, _: Request<Bytes>) -> Result<Response<ByteStream>, TransportError> {
///         let answer = r#"{"choices": [{"message": {"content": "Hello!"}, "finish_reason": "stop"}]}"#;
///         Ok(Response::new(ByteStream::from_bytes(answer)))
///     }
/// }
/// ```
#[async_trait]
pub trait Transport: Debug + Send + Sync + 'static {
    /// Sends `request` and waits for the response's headers.
    ///
    /// Cancel-safe: dropping the returned future closes the connection.
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<ByteStream>, TransportError>;

    /// Adds the secrets that this transport sends besides those in the request, such as a proxy's
    /// password, so that the core redacts them in what servers echo. Called once, when a client is
    /// built. A transport that wraps another one must forward this call.
    fn tell_secrets(&self, secrets: &mut Secrets) {
        let _ = secrets;
    }
}

/// A request extension: how long connecting (name lookup, TCP, proxy, TLS) may take. Without this
/// extension, a transport uses [`ConnectTimeout::DEFAULT`].
///
/// ```
/// use chatcore::ConnectTimeout;
/// use chatcore::http::Request;
///
/// /// How a transport finds it.
/// fn limit<T>(request: &Request<T>) -> ConnectTimeout {
///     request.extensions().get().copied().unwrap_or_default()
/// }
/// assert_eq!(limit(&Request::new(())), ConnectTimeout::DEFAULT);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectTimeout(pub Duration);

impl ConnectTimeout {
    /// Five seconds.
    pub const DEFAULT: Self = Self(Duration::from_secs(5));

    /// No limit: a year, which can be added to the time of any clock.
    pub const NONE: Self = Self(Duration::from_secs(365 * 24 * 60 * 60));
}

impl Default for ConnectTimeout {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The body of a response: a stream of chunks, boxed once per response.
///
/// ```
/// use chatcore::ByteStream;
/// use chatcore::http::Response;
///
/// let response = Response::new(ByteStream::from_bytes(r#"{"choices": []}"#));
/// # let _ = response;
/// ```
pub struct ByteStream(Pin<Box<dyn Stream<Item = Result<Bytes, TransportError>> + Send>>);

impl ByteStream {
    /// Wraps a stream of chunks.
    pub fn new(stream: impl Stream<Item = Result<Bytes, TransportError>> + Send + 'static) -> Self {
        Self(Box::pin(stream))
    }

    /// Creates a body from bytes that are already there, as one chunk.
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Self {
        Self::new(Once(Some(bytes.into())))
    }

    /// Creates an empty body.
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

/// What went wrong between the core and the server, apart from any HTTP status.
///
/// ```
/// use chatcore::TransportErrorKind;
///
/// assert!(TransportErrorKind::Dns.is_before_sending());
/// assert!(!TransportErrorKind::Reset.is_before_sending());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// The host name could not be resolved.
    Dns,
    /// No connection could be made (refused, unreachable).
    Connect,
    /// Connecting took longer than its limit.
    ConnectTimeout,
    /// The TLS handshake failed, for example because the certificate is not trusted.
    Tls,
    /// The proxy could not be reached, or could not connect to the server.
    Proxy,
    /// The proxy cannot be used as it is configured: its URL is not valid, or it refuses the user,
    /// the password or the destination. Another attempt does not help.
    ProxyRefused,
    /// The connection was lost before the response's headers had come.
    Reset,
    /// The headers came and the body was not complete: it ended before its length or its last
    /// chunk, or its connection was lost for any reason.
    Truncated,
    /// The response is not HTTP.
    Protocol,
    /// The response's headers, or a line of them, are larger than the transport allows.
    TooLarge,
    /// The request cannot be sent by this transport (an unknown scheme, a bad header).
    InvalidInput,
    /// The transport's own queue is full.
    QueueFull,
    /// The transport is shut down.
    Closed,
    /// Anything else.
    Other,
}

impl TransportErrorKind {
    /// Whether this kind of error from [`Transport::send`] means that no part of the request can
    /// have reached the server.
    pub fn is_before_sending(self) -> bool {
        matches!(
            self,
            Self::Dns
                | Self::Connect
                | Self::ConnectTimeout
                | Self::Tls
                | Self::Proxy
                | Self::ProxyRefused
                | Self::InvalidInput
                | Self::QueueFull
                | Self::Closed
        )
    }
}

/// An error of a [`Transport`]: a kind, a message, and the cause.
///
/// ```
/// use std::io;
/// use chatcore::{TransportError, TransportErrorKind};
///
/// let cause = io::Error::from(io::ErrorKind::ConnectionReset);
/// let error = TransportError::new(TransportErrorKind::Reset, "the connection was lost").with_source(cause);
/// assert_eq!(error.kind(), TransportErrorKind::Reset);
/// ```
#[derive(Debug)]
pub struct TransportError {
    kind: TransportErrorKind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl TransportError {
    /// Creates an error of `kind` with `message`. The message must hold no header and no key.
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
