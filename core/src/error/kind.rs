//! The kinds of error.

use http::StatusCode;

use crate::words::words;

/// What kind of error it is; each says whether chatcore retries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A setting is missing or wrong: nothing was sent. Not retried.
    Config,
    /// What the caller asked for cannot be sent: chatcore refused it before anything was sent. Not
    /// retried. What the provider refuses is [`BadRequest`](Self::BadRequest).
    InvalidInput,
    /// The provider does not accept the key (401), or not for this (403). Not retried, except once
    /// after 401 where [`Credentials`](crate::Credentials) renew themselves.
    Auth,
    /// The provider received the request and refused it (400, 413, 422 and other 4xx). Not retried,
    /// except once without a default of chatcore's that it refuses. What chatcore refuses before
    /// sending is [`InvalidInput`](Self::InvalidInput).
    BadRequest,
    /// There is no such model or no such path (404). Not retried.
    NotFound,
    /// Too many requests or tokens in a time (429). Retried.
    RateLimited,
    /// The account has no money or quota left. Not retried.
    QuotaExceeded,
    /// The provider has too much to do (503, 529, `overloaded_error`). Retried.
    Overloaded,
    /// The provider failed (other 5xx, 408, 409). Retried.
    Server,
    /// No connection, or it was lost. Retried, except where a certificate is not trusted.
    Connection,
    /// A time limit ran out; [`Error::phase`](super::Error::phase) says which. Retried if it was
    /// that for connecting, or if bytes of the answer had come: not after silence, in which the
    /// provider may have been at work, and not for the limits of the queue and of the whole call.
    Timeout,
    /// The answer ended before it was complete. Retried as long as nothing was handed over.
    Truncated,
    /// The model used up its tokens before it wrote any text, called a tool or declined: mostly it
    /// reasoned. The reasoning and the usage are in [`Error::partial`](super::Error::partial). Not
    /// retried.
    OutOfTokens,
    /// The answer is not what the dialect speaks: no HTTP, no JSON, a web page. Not retried.
    Protocol,
    /// The answer, or a piece of it, is larger than the caps allow. Not retried.
    ResponseTooLarge,
    /// As many requests wait as may wait. Not retried.
    QueueFull,
    /// The client is closed. Not retried.
    Closed,
    /// A batch's journal could not be read or written: a full disk, a lost database. What was
    /// recorded stays, and the batch can be resumed. Not retried.
    Journal,
    /// A bug: in chatcore, or in a function that was given to it. Not retried.
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

    /// The kind of an error status, where its body says nothing more exact.
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
        /// The kind as one stable word in snake case, for logs and for the labels of metrics.
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
        Protocol = "protocol",
        ResponseTooLarge = "response_too_large",
        QueueFull = "queue_full",
        Closed = "closed",
        Journal = "journal",
        Internal = "internal",
    }

    /// What to do next, where that is always the same.
    pub(super) fn advice(self) -> Option<&'static str> {
        Some(match self {
            Self::Auth => "check the key, and that it belongs to this base URL",
            Self::NotFound => "check the model's name (LLM_MODEL) and the base URL (LLM_BASE_URL)",
            Self::RateLimited => "wait, or lower LLM_ASYNC_WORKERS",
            Self::QuotaExceeded => "check the account's balance and billing at the provider",
            Self::Overloaded | Self::Server => "try again later",
            Self::Connection => "check the network, the proxy and the base URL (LLM_BASE_URL)",
            Self::Protocol => {
                "check that the base URL (LLM_BASE_URL) is the API's, not a web page's"
            }
            Self::OutOfTokens => "raise max_tokens, or ask for less reasoning (reasoning_effort)",
            Self::QueueFull => {
                "let it wait for its place (`.when_full(WhenFull::Wait)`; `.patient()` for one call \
                 of many, or a BatchProcessor), or raise LLM_ASYNC_QUEUE_SIZE or LLM_ASYNC_WORKERS"
            }
            Self::Closed => "make a new one",
            _ => return None,
        })
    }
}
