//! The names of the response headers that chatcore reads.

use http::HeaderName;

/// The names of the three headers for one limit: its size, what is left, and when it is reset.
pub(crate) type Limit = [&'static str; 3];

pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
pub(crate) const RETRY_AFTER_MS: HeaderName = HeaderName::from_static("retry-after-ms");
pub(crate) const X_SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// The response headers that chatcore reads in every dialect. A dialect names more of them in its
/// [`Facts`](crate::dialect::Facts). A transport may omit all others, which saves time if reading
/// each header is a call to the host.
pub static COMMON_RESPONSE_HEADERS: [&str; 7] = [
    "content-encoding",
    "date",
    "retry-after",
    "x-request-id",
    "request-id",
    "retry-after-ms",
    "x-should-retry",
];

/// OpenAI's limits: on requests and on tokens.
pub(crate) static OPENAI: [Limit; 2] = [
    [
        "x-ratelimit-limit-requests",
        "x-ratelimit-remaining-requests",
        "x-ratelimit-reset-requests",
    ],
    [
        "x-ratelimit-limit-tokens",
        "x-ratelimit-remaining-tokens",
        "x-ratelimit-reset-tokens",
    ],
];

/// Anthropic's limits: on requests, all tokens, input tokens and output tokens.
#[cfg(feature = "anthropic")]
pub(crate) static ANTHROPIC: [Limit; 4] = [
    [
        "anthropic-ratelimit-requests-limit",
        "anthropic-ratelimit-requests-remaining",
        "anthropic-ratelimit-requests-reset",
    ],
    [
        "anthropic-ratelimit-tokens-limit",
        "anthropic-ratelimit-tokens-remaining",
        "anthropic-ratelimit-tokens-reset",
    ],
    [
        "anthropic-ratelimit-input-tokens-limit",
        "anthropic-ratelimit-input-tokens-remaining",
        "anthropic-ratelimit-input-tokens-reset",
    ],
    [
        "anthropic-ratelimit-output-tokens-limit",
        "anthropic-ratelimit-output-tokens-remaining",
        "anthropic-ratelimit-output-tokens-reset",
    ],
];

#[cfg(test)]
mod tests {
    use http::header::{CONTENT_ENCODING, DATE, RETRY_AFTER};

    use super::*;

    #[test]
    fn the_common_ones_are_those_that_are_read() {
        let read = [
            CONTENT_ENCODING,
            DATE,
            RETRY_AFTER,
            X_REQUEST_ID,
            REQUEST_ID,
            RETRY_AFTER_MS,
            X_SHOULD_RETRY,
        ];
        assert_eq!(read, COMMON_RESPONSE_HEADERS);
    }
}
