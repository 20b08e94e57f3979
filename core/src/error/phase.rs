//! The time limits of one call.

use std::fmt;

use crate::words::words;

/// The time limit that ran out.
///
/// ```
/// use std::time::Duration;
/// use chatcore::{Error, Phase};
///
/// let error = Error::timeout(Phase::Connect, Duration::from_secs(5));
/// assert_eq!(error.phase(), Some(Phase::Connect));
/// assert_eq!(Phase::Connect.as_str(), "connect");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Waiting for a permit.
    Queue,
    /// Connecting.
    Connect,
    /// Waiting for the response's status and headers.
    Headers,
    /// Waiting for the first meaningful output.
    FirstContent,
    /// Waiting for any byte, keep-alives included.
    ByteIdle,
    /// Waiting for more meaningful output.
    ContentIdle,
    /// One attempt, from sending the request to the end of the answer.
    Attempt,
    /// The whole call over all its attempts, including its wait in the queue.
    Overall,
}

impl Phase {
    words! {
        /// The phase as one stable word in snake case, for logs and metric labels.
        Queue = "queue",
        Connect = "connect",
        Headers = "headers",
        FirstContent = "first_content",
        ByteIdle = "byte_idle",
        ContentIdle = "content_idle",
        Attempt = "attempt",
        Overall = "overall",
    }

    /// Whether another attempt may help.
    pub(crate) fn is_retryable(self) -> bool {
        !matches!(self, Self::Queue | Self::Overall)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Queue => "in the queue",
            Self::Connect => "while connecting",
            Self::Headers => "waiting for the response headers",
            Self::FirstContent => "waiting for the first content",
            Self::ByteIdle => "without a byte of the answer",
            Self::ContentIdle => "without new content",
            Self::Attempt => "in one attempt",
            Self::Overall => "over the whole call",
        })
    }
}
