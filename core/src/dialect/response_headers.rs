//! The response headers that the core reads, by name.

use http::HeaderName;
use http::header::{DATE, RETRY_AFTER};

/// The names of the three headers that tell of one limit.
pub(super) struct Limit {
    pub(super) limit: HeaderName,
    pub(super) remaining: HeaderName,
    pub(super) reset: HeaderName,
}

const fn limit(limit: &'static str, remaining: &'static str, reset: &'static str) -> Limit {
    Limit {
        limit: HeaderName::from_static(limit),
        remaining: HeaderName::from_static(remaining),
        reset: HeaderName::from_static(reset),
    }
}

pub(super) static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
pub(super) static REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
pub(super) static RETRY_AFTER_MS: HeaderName = HeaderName::from_static("retry-after-ms");
pub(super) static X_SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

pub(super) static OPENAI_REQUESTS: Limit = limit(
    "x-ratelimit-limit-requests",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-reset-requests",
);
pub(super) static OPENAI_TOKENS: Limit = limit(
    "x-ratelimit-limit-tokens",
    "x-ratelimit-remaining-tokens",
    "x-ratelimit-reset-tokens",
);
pub(super) static ANTHROPIC_REQUESTS: Limit = limit(
    "anthropic-ratelimit-requests-limit",
    "anthropic-ratelimit-requests-remaining",
    "anthropic-ratelimit-requests-reset",
);
pub(super) static ANTHROPIC_TOKENS: Limit = limit(
    "anthropic-ratelimit-tokens-limit",
    "anthropic-ratelimit-tokens-remaining",
    "anthropic-ratelimit-tokens-reset",
);
pub(super) static ANTHROPIC_INPUT: Limit = limit(
    "anthropic-ratelimit-input-tokens-limit",
    "anthropic-ratelimit-input-tokens-remaining",
    "anthropic-ratelimit-input-tokens-reset",
);
pub(super) static ANTHROPIC_OUTPUT: Limit = limit(
    "anthropic-ratelimit-output-tokens-limit",
    "anthropic-ratelimit-output-tokens-remaining",
    "anthropic-ratelimit-output-tokens-reset",
);

const fn named(name: &'static str) -> (&'static str, HeaderName) {
    (name, HeaderName::from_static(name))
}

/// All of them, each with its text: for a transport to whose host every header is another crossing
/// of a border, so that it gives only these.
pub static RESPONSE_HEADERS: [(&str, HeaderName); 24] = [
    ("date", DATE),
    ("retry-after", RETRY_AFTER),
    named("x-request-id"),
    named("request-id"),
    named("retry-after-ms"),
    named("x-should-retry"),
    named("x-ratelimit-limit-requests"),
    named("x-ratelimit-remaining-requests"),
    named("x-ratelimit-reset-requests"),
    named("x-ratelimit-limit-tokens"),
    named("x-ratelimit-remaining-tokens"),
    named("x-ratelimit-reset-tokens"),
    named("anthropic-ratelimit-requests-limit"),
    named("anthropic-ratelimit-requests-remaining"),
    named("anthropic-ratelimit-requests-reset"),
    named("anthropic-ratelimit-tokens-limit"),
    named("anthropic-ratelimit-tokens-remaining"),
    named("anthropic-ratelimit-tokens-reset"),
    named("anthropic-ratelimit-input-tokens-limit"),
    named("anthropic-ratelimit-input-tokens-remaining"),
    named("anthropic-ratelimit-input-tokens-reset"),
    named("anthropic-ratelimit-output-tokens-limit"),
    named("anthropic-ratelimit-output-tokens-remaining"),
    named("anthropic-ratelimit-output-tokens-reset"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_are_read_are_listed() {
        let limits = [
            &OPENAI_REQUESTS,
            &OPENAI_TOKENS,
            &ANTHROPIC_REQUESTS,
            &ANTHROPIC_TOKENS,
            &ANTHROPIC_INPUT,
            &ANTHROPIC_OUTPUT,
        ];
        let mut read = vec![&DATE, &RETRY_AFTER];
        read.extend([&X_REQUEST_ID, &REQUEST_ID, &RETRY_AFTER_MS, &X_SHOULD_RETRY]);
        read.extend(
            limits
                .iter()
                .flat_map(|all| [&all.limit, &all.remaining, &all.reset]),
        );
        let listed: Vec<_> = RESPONSE_HEADERS.iter().map(|(_, header)| header).collect();
        assert_eq!(read.len(), listed.len());
        assert!(read.iter().all(|header| listed.contains(header)));
        assert!(RESPONSE_HEADERS.iter().all(|(name, header)| header == name));
    }
}
