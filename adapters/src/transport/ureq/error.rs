//! Converts ureq's errors to the core's.
//!
//! ureq reports a failed lookup, connect or handshake as a bare I/O error. The
//! [`connect`](super::connect) module knows in which step it happened, and wraps it in a
//! [`Failure`].

use std::error::Error as StdError;
use std::fmt;
use std::io;

use chatcore::{TransportError, TransportErrorKind};
use ureq::Error;

use crate::transport::certificate;

/// The settings that make a certificate trusted, for the advice in an error.
const TRUSTED_BY: &str = "`roots` or the system's store";

/// An error while connecting, with its kind.
#[derive(Debug)]
pub(super) struct Failure {
    kind: TransportErrorKind,
    source: Error,
}

impl Failure {
    /// Marks the errors of one connecting step with `kind`. Timeouts and errors that are already
    /// marked stay as they are.
    pub(super) fn mark(kind: TransportErrorKind) -> impl Fn(Error) -> Error {
        move |error| match error {
            Error::Timeout(_) => error,
            Error::Other(inner) if inner.is::<Failure>() => Error::Other(inner),
            source => Error::Other(Box::new(Self { kind, source })),
        }
    }

    /// The error's message, with advice if a certificate is the cause.
    fn explained(&self) -> String {
        match tls_cause(&self.source) {
            Some(cause) => format!("{self}: {}", certificate::explain(cause, TRUSTED_BY)),
            None => self.to_string(),
        }
    }

    /// Like `mark`, for the steps that connect to a proxy: every error there is the proxy's.
    pub(super) fn mark_proxy(error: Error) -> Error {
        match error {
            Error::Timeout(_) => error,
            source => Error::Other(Box::new(Self {
                kind: match is_refusal(&source) {
                    true => TransportErrorKind::ProxyRefused,
                    false => TransportErrorKind::Proxy,
                },
                source,
            })),
        }
    }
}

/// Whether the proxy refuses the user, the password or the destination, so that another attempt
/// would be refused too.
fn is_refusal(error: &Error) -> bool {
    match error {
        // ureq gives the status of an HTTP proxy in its message only.
        Error::ConnectProxyFailed(why) => {
            let status = why.split_once("responded ").map(|(_, status)| status);
            status.is_some_and(|status| {
                status.starts_with('4') && !status.starts_with("408") && !status.starts_with("429")
            })
        }
        // A wrong password, or the rules of a SOCKS proxy.
        Error::Io(error) => {
            error.kind() == io::ErrorKind::PermissionDenied
                || error.to_string() == "connection not allowed by ruleset"
        }
        _ => false,
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            TransportErrorKind::Dns => "the host name could not be resolved",
            TransportErrorKind::Connect => "no connection could be made",
            TransportErrorKind::Tls => "the TLS handshake failed",
            TransportErrorKind::Proxy => "the proxy could not be used",
            TransportErrorKind::ProxyRefused => "the proxy refused to connect",
            _ => "the connection failed",
        })
    }
}

impl StdError for Failure {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.source)
    }
}

/// The TLS error that caused `error`, if one did.
fn tls_cause(error: &Error) -> Option<&rustls::Error> {
    match error {
        Error::Rustls(cause) => Some(cause),
        Error::Io(error) => error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>()),
        _ => None,
    }
}

/// An error before the head of the response was complete.
pub(super) fn before_head(error: Error, answered: bool) -> TransportError {
    use TransportErrorKind as Kind;
    let (kind, message) = match &error {
        Error::Other(inner) => match inner.downcast_ref::<Failure>() {
            // A connection lost during the handshake says nothing about the certificate.
            Some(Failure {
                kind: Kind::Tls,
                source: Error::Io(source),
            }) if is_lost(source) => (
                Kind::Connect,
                "the connection was lost in the TLS handshake".into(),
            ),
            Some(failure) => (failure.kind, failure.explained()),
            None => (Kind::Other, "the request failed".into()),
        },
        // Only the connect timeout is set.
        Error::Timeout(_) => (
            Kind::ConnectTimeout,
            "connecting took longer than the connect timeout".into(),
        ),
        Error::Io(source) if is_lost(source) => (
            Kind::Reset,
            "the connection was lost before the answer".into(),
        ),
        Error::Io(source) if source.kind() == io::ErrorKind::InvalidData => {
            let why = tls_cause(&error).map(|cause| certificate::explain(cause, TRUSTED_BY));
            let why = why.map_or_else(String::new, |why| format!(": {why}"));
            (Kind::Tls, format!("the TLS connection failed{why}"))
        }
        Error::Io(_) => (
            Kind::Reset,
            "the connection failed before the answer".into(),
        ),
        // Before any byte of an answer arrived, a protocol error is about the request.
        Error::Protocol(what) if !answered => (
            Kind::InvalidInput,
            format!("the request cannot be sent: {what}"),
        ),
        Error::Protocol(ureq_proto::Error::HttpParseTooManyHeaders) => {
            (Kind::TooLarge, "the response has too many headers".into())
        }
        Error::Protocol(what) => (
            Kind::Protocol,
            format!("the answer is not HTTP/1.1: {what}"),
        ),
        Error::LargeResponseHeader(..) => (
            Kind::TooLarge,
            format!(
                "the response's headers are larger than {} bytes",
                super::MAX_HEAD
            ),
        ),
        Error::BodyExceedsLimit(_) => (
            Kind::TooLarge,
            "too many interim responses came before the answer".into(),
        ),
        Error::Http(_) | Error::BadUri(_) | Error::RequireHttpsOnly(_) => {
            (Kind::InvalidInput, "the request cannot be sent".into())
        }
        Error::HostNotFound => (Kind::Dns, "the host name has no address".into()),
        Error::InvalidProxyUrl | Error::ConnectProxyFailed(_) => {
            (Kind::Proxy, "the proxy could not be used".into())
        }
        Error::ConnectionFailed => (Kind::Connect, "no connection could be made".into()),
        Error::Tls(_) | Error::TlsRequired | Error::Rustls(_) | Error::Pem(_) => {
            (Kind::Tls, "the TLS connection failed".into())
        }
        _ => (Kind::Other, "the request failed".into()),
    };
    TransportError::new(kind, message).with_source(error)
}

/// An error while reading the body.
pub(super) fn in_body(error: io::Error) -> TransportError {
    use TransportErrorKind as Kind;
    let error = Error::from(error);
    let (kind, message) = match &error {
        Error::Io(source) if is_lost(source) => (
            Kind::Truncated,
            "the body ended before its length or its last chunk",
        ),
        Error::Io(source) if source.kind() == io::ErrorKind::InvalidData => {
            (Kind::Tls, "the TLS connection failed in the body")
        }
        Error::Io(_) => (Kind::Truncated, "the connection failed in the body"),
        Error::Protocol(_) | Error::BodyStalled => {
            (Kind::Protocol, "the body is not framed as HTTP says")
        }
        Error::BodyExceedsLimit(_) => (Kind::TooLarge, "the trailers of the body are too large"),
        _ => (Kind::Other, "the body could not be read"),
    };
    TransportError::new(kind, message).with_source(error)
}

/// For a body without a length: it ends when the connection is closed in order, but is truncated
/// when the connection breaks.
pub(super) fn broken_body() -> TransportError {
    TransportError::new(
        TransportErrorKind::Truncated,
        "the connection was lost before the end of a body without a length",
    )
}

/// Whether the connection was lost, as opposed to, for example, not permitted.
pub(super) fn is_lost(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::NotConnected
            | io::ErrorKind::WriteZero
    )
}
