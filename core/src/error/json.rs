//! Converts errors of the JSON reader.

use super::{Error, ErrorKind};
use crate::json::JsonError;

/// [`Truncated`](ErrorKind::Truncated) if the JSON ends too early, otherwise
/// [`Protocol`](ErrorKind::Protocol).
impl From<JsonError> for Error {
    fn from(error: JsonError) -> Self {
        match error.is_cut {
            true => Self::new(
                ErrorKind::Truncated,
                "the answer's JSON ends before it is complete",
            ),
            false => Self::new(
                ErrorKind::Protocol,
                format!("the answer is not what the dialect expects: {error}"),
            ),
        }
    }
}
