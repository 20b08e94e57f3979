//! The time limits of one call.

use std::time::Duration;

/// The time limits of one call. `None` means no such limit.
///
/// ```text
///  call ──► queue ──► connect ──► headers ──► first content ──► … content … ──► end
///  │        └ queue ┘ └ connect ┘           │                   │
///  │                  └────── headers ──────┤                   │
///  │                  └─────── first_content ──────┘            │
///  │                  └ byte_idle ┘ └ byte_idle ┘ └ byte_idle ┘ (any byte, keep-alives too)
///  │                                              └ content_idle ┘ (meaningful output only)
///  │                  └────────────────── attempt ──────────────────┘
///  └───────────────────────────── overall ─────────────────────────────┘
/// ```
///
/// For a stream `overall` runs until the first content, and the idle limits rule after it;
/// [`total`](Self::total) limits a stream as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// Waiting in the queue, for each attempt. Default none.
    pub queue: Option<Duration>,
    /// Making the connection. Default 5 s.
    pub connect: Option<Duration>,
    /// From the start of an attempt to the response's headers. Default none.
    pub headers: Option<Duration>,
    /// From the start of an attempt to the first meaningful output. Default none.
    pub first_content: Option<Duration>,
    /// Between any two bytes, keep-alives included, from the start of an attempt on. Default
    /// 60 s.
    pub byte_idle: Option<Duration>,
    /// Between two pieces of meaningful output. Default none.
    pub content_idle: Option<Duration>,
    /// One attempt. Default none.
    pub attempt: Option<Duration>,
    /// The whole call over all its attempts; for a stream, until its first content. Default
    /// 30 s, from `LLM_ASYNC_TIMEOUT`.
    pub overall: Option<Duration>,
    /// The whole call, for a stream too, from its start to its last event. Default none.
    pub total: Option<Duration>,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            queue: None,
            connect: Some(Duration::from_secs(5)),
            headers: None,
            first_content: None,
            byte_idle: Some(Duration::from_secs(60)),
            content_idle: None,
            attempt: None,
            overall: Some(Duration::from_secs(30)),
            total: None,
        }
    }
}
