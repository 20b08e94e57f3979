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
        // An untrusted certificate will not be trusted for the next attempt either.
        if error.kind() == TransportErrorKind::Tls {
            converted.0.should_retry = Some(false);
        }
        converted.with_source(error)
    }
}
