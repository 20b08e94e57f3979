//! The kinds of error.

use http::StatusCode;

use crate::words::words;

/// The kind of an error. The documentation of each kind says whether chatcore retries it.
///
/// ```
/// use chatcore::ErrorKind;
///
/// assert!(ErrorKind::RateLimited.is_retryable());
/// assert!(!ErrorKind::InvalidInput.is_retryable());
/// assert_eq!(ErrorKind::BadRequest.as_str(), "bad_request");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A setting is missing or wrong. Nothing was sent. Not retried.
    Config,
    /// chatcore refused the caller's input before anything was sent. Not retried. A refusal by the
    /// provider is [`BadRequest`](Self::BadRequest).
    InvalidInput,
    /// The provider does not accept the key (401), or does not accept it for this request (403).
    /// Not retried, except once after a 401 if the [`Credentials`](crate::Credentials) renew
    /// themselves.
    Auth,
    /// The provider received the request and refused it (400, 413, 422 and other 4xx). Not retried,
    /// with one exception: if the provider refuses a default of chatcore's, one attempt without the
    /// default follows. A refusal by chatcore before sending is
    /// [`InvalidInput`](Self::InvalidInput).
    BadRequest,
    /// The model or the path does not exist (404). Not retried.
    NotFound,
    /// Too many requests or tokens in a period (429). Retried.
    RateLimited,
    /// The account has no money or quota left. Not retried.
    QuotaExceeded,
    /// The provider is overloaded (503, 529, `overloaded_error`). Retried.
    Overloaded,
    /// The provider failed (other 5xx, 408, 409). Retried.
    Server,
    /// No connection was made, or it was lost. Retried, unless a certificate is not trusted.
    Connection,
    /// A time limit ran out; [`Error::phase`](super::Error::phase) says which one. Retried if it
    /// ran out while connecting, or after bytes of the answer had arrived. Not retried if no bytes
    /// had arrived, because the provider may be working on the request. Not retried for the limits
    /// of the queue and of the whole call.
    Timeout,
    /// The answer ended before it was complete. Retried if nothing was handed over.
    Truncated,
    /// The model used up its tokens before it wrote any text, called a tool or declined. Usually it
    /// spent them on reasoning. The reasoning and the usage are in
    /// [`Error::partial`](super::Error::partial). Not retried.
    OutOfTokens,
    /// A typed answer, or the arguments of a tool call, does not fit its type or schema. Not
    /// retried; `JsonCall::repairs` lets the model correct it.
    InvalidOutput,
    /// A tool loop reached one of its limits (turns, tokens, cost, time) before the model answered.
    /// The conversation so far is in the error; see `UnfinishedLoop`. Not retried.
    LimitReached,
    /// The answer does not match the dialect: no HTTP, no JSON, or a web page. Not retried.
    Protocol,
    /// The answer, or a piece of it, exceeds the caps. Not retried.
    ResponseTooLarge,
    /// The queue is full. Not retried.
    QueueFull,
    /// The client is closed. Not retried.
    Closed,
    /// A batch's journal could not be read or written, for example because a disk is full or a
    /// database is lost. What was recorded is kept, and the batch can be resumed. Not retried.
    Journal,
    /// A bug in chatcore, or in a function that the caller passed to it. Not retried.
    Internal,
}

impl ErrorKind {
    /// Whether sending the same request again may help.
    pub fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::RateLimited
                | Self::Overloaded
                | Self::Server
                | Self::Connection
                | Self::Timeout
                | Self::Truncated
        )
    }

    /// The kind for an error status, if its body is not more specific.
    pub fn from_status(status: StatusCode) -> Self {
        match status.as_u16() {
            401 | 403 => Self::Auth,
            402 => Self::QuotaExceeded,
            404 => Self::NotFound,
            429 => Self::RateLimited,
            503 | 529 => Self::Overloaded,
            408 | 409 | 500..=599 => Self::Server,
            400..=499 => Self::BadRequest,
            _ => Self::Protocol,
        }
    }

    words! {
        /// The kind as one stable word in snake case, for logs and metric labels.
        Config = "config",
        InvalidInput = "invalid_input",
        Auth = "auth",
        BadRequest = "bad_request",
        NotFound = "not_found",
        RateLimited = "rate_limited",
        QuotaExceeded = "quota_exceeded",
        Overloaded = "overloaded",
        Server = "server",
        Connection = "connection",
        Timeout = "timeout",
        Truncated = "truncated",
        OutOfTokens = "out_of_tokens",
        InvalidOutput = "invalid_output",
        LimitReached = "limit_reached",
        Protocol = "protocol",
        ResponseTooLarge = "response_too_large",
        QueueFull = "queue_full",
        Closed = "closed",
        Journal = "journal",
        Internal = "internal",
    }

    /// What to do next, if the advice is the same for all errors of the kind.
    pub(super) fn advice(self) -> Option<&'static str> {
        Some(match self {
            Self::Auth => "check the key, and that it belongs to this base URL",
            Self::NotFound => "check the model's name (LLM_MODEL) and the base URL (LLM_BASE_URL)",
            Self::RateLimited => "wait, or lower LLM_ASYNC_WORKERS",
            Self::QuotaExceeded => "check the account's balance and billing at the provider",
            Self::Overloaded | Self::Server => "try again later",
            Self::Connection => "check the network, the proxy and the base URL (LLM_BASE_URL)",
            Self::Protocol => {
                "check that the base URL (LLM_BASE_URL) is that of the API, not of a web page"
            }
            Self::OutOfTokens => "raise max_tokens, or ask for less reasoning (reasoning_effort)",
            Self::QueueFull => {
                "let the call wait (`.when_full(WhenFull::Wait)`; `.patient()` for one call of \
                 many, or a BatchProcessor), or raise LLM_ASYNC_QUEUE_SIZE or LLM_ASYNC_WORKERS"
            }
            Self::Closed => "create a new one",
            _ => return None,
        })
    }
}
