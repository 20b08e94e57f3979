//! Converts a transport's errors.

use super::{Error, ErrorKind, Phase};
use crate::transport::{TransportError, TransportErrorKind};

impl From<TransportError> for Error {
    fn from(error: TransportError) -> Self {
        let kind = match error.kind() {
            TransportErrorKind::Truncated => ErrorKind::Truncated,
            TransportErrorKind::Protocol => ErrorKind::Protocol,
            TransportErrorKind::TooLarge => ErrorKind::ResponseTooLarge,
            TransportErrorKind::InvalidInput => ErrorKind::InvalidInput,
            TransportErrorKind::QueueFull => ErrorKind::QueueFull,
            TransportErrorKind::Closed => ErrorKind::Closed,
            TransportErrorKind::ConnectTimeout => ErrorKind::Timeout,
            _ => ErrorKind::Connection,
        };
        let mut converted = Self::new(kind, error.to_string());
        if kind == ErrorKind::Timeout {
            converted.0.phase = Some(Phase::Connect);
        }
        // The next attempt would find the same certificate, or the same wrong password. Some proxies
        // lock an account after a few of those.
        if matches!(
            error.kind(),
            TransportErrorKind::Tls | TransportErrorKind::ProxyRefused
        ) {
            converted.0.should_retry = Some(false);
        }
        converted.with_source(error)
    }
}
