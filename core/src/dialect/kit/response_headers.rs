//! The names of the response headers that chatcore reads.

use http::HeaderName;
use http::header::{CONTENT_ENCODING, DATE, RETRY_AFTER};

/// The names of the three headers for one limit: its size, what is left, and when it is reset.
pub(crate) type Limit = [HeaderName; 3];

pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
pub(crate) const RETRY_AFTER_MS: HeaderName = HeaderName::from_static("retry-after-ms");
pub(crate) const X_SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// The response headers that chatcore reads in every dialect. A dialect names more of them in its
/// [`Facts`](crate::dialect::Facts). A transport may omit all others, which saves time if reading
/// each header is a call to the host.
pub static COMMON_RESPONSE_HEADERS: [HeaderName; 7] = [
    CONTENT_ENCODING,
    DATE,
    RETRY_AFTER,
    X_REQUEST_ID,
    REQUEST_ID,
    RETRY_AFTER_MS,
    X_SHOULD_RETRY,
];

/// OpenAI's limits: on requests and on tokens.
pub(crate) static OPENAI: [Limit; 2] = [
    [
        HeaderName::from_static("x-ratelimit-limit-requests"),
        HeaderName::from_static("x-ratelimit-remaining-requests"),
        HeaderName::from_static("x-ratelimit-reset-requests"),
    ],
    [
        HeaderName::from_static("x-ratelimit-limit-tokens"),
        HeaderName::from_static("x-ratelimit-remaining-tokens"),
        HeaderName::from_static("x-ratelimit-reset-tokens"),
    ],
];

/// Anthropic's limits: on requests, all tokens, input tokens and output tokens.
#[cfg(feature = "anthropic")]
pub(crate) static ANTHROPIC: [Limit; 4] = [
    [
        HeaderName::from_static("anthropic-ratelimit-requests-limit"),
        HeaderName::from_static("anthropic-ratelimit-requests-remaining"),
        HeaderName::from_static("anthropic-ratelimit-requests-reset"),
    ],
    [
        HeaderName::from_static("anthropic-ratelimit-tokens-limit"),
        HeaderName::from_static("anthropic-ratelimit-tokens-remaining"),
        HeaderName::from_static("anthropic-ratelimit-tokens-reset"),
    ],
    [
        HeaderName::from_static("anthropic-ratelimit-input-tokens-limit"),
        HeaderName::from_static("anthropic-ratelimit-input-tokens-remaining"),
        HeaderName::from_static("anthropic-ratelimit-input-tokens-reset"),
    ],
    [
        HeaderName::from_static("anthropic-ratelimit-output-tokens-limit"),
        HeaderName::from_static("anthropic-ratelimit-output-tokens-remaining"),
        HeaderName::from_static("anthropic-ratelimit-output-tokens-reset"),
    ],
];
