//! What response headers say about limits and retries.

use std::time::Duration;

/// What a provider's headers say about its limits. Hints only: they may tighten limits of one's
/// own, never loosen them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitHints {
    /// Requests in a time.
    pub requests: Quota,
    /// Tokens in a time.
    pub tokens: Quota,
}

/// One limit: how much, how much is left, and when it is full again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quota {
    /// How much there is in all.
    pub limit: Option<u64>,
    /// How much is left.
    pub remaining: Option<u64>,
    /// How long until it is full again.
    pub reset: Option<Duration>,
}
pub(crate) fn request_id(_: &http::HeaderMap) -> Option<String> {
    None
}
