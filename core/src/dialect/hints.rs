//! What response headers say about limits and retries.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};

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

/// The longest time that a hint may name; more is no hint.
const LONGEST: f64 = 1e9;

/// The provider's id of the request.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<String> {
    ["x-request-id", "request-id"]
        .iter()
        .find_map(|name| text(headers, name))
        .map(str::to_owned)
}

/// Whether the provider itself says that a retry helps.
pub(super) fn should_retry(headers: &HeaderMap) -> Option<bool> {
    match text(headers, "x-should-retry")? {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// How long the provider asks to wait. A date counts from the response's own date: without one it
/// says nothing, for whose clock would it be?
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    if let Some(milliseconds) = text(headers, "retry-after-ms").and_then(number) {
        return seconds(milliseconds / 1000.0);
    }
    let value = text(headers, RETRY_AFTER.as_str())?;
    match number(value) {
        Some(value) => seconds(value),
        None => since_date(headers, httpdate::parse_http_date(value).ok()?),
    }
}

/// A quota by the names of its three headers. `-1` and the like say nothing.
pub(super) fn quota(headers: &HeaderMap, limit: &str, remaining: &str, reset: &str) -> Quota {
    let count = |name| text(headers, name)?.parse().ok();
    Quota {
        limit: count(limit).filter(|&limit| limit > 0),
        remaining: count(remaining),
        reset: text(headers, reset).and_then(duration),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    Some(headers.get(name)?.to_str().ok()?.trim())
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok()
}

fn seconds(seconds: f64) -> Option<Duration> {
    ((0.0..=LONGEST).contains(&seconds)).then(|| Duration::from_secs_f64(seconds))
}

fn since_date(headers: &HeaderMap, until: SystemTime) -> Option<Duration> {
    let now = httpdate::parse_http_date(text(headers, DATE.as_str())?).ok()?;
    Some(until.duration_since(now).unwrap_or_default())
}

/// `12ms`, `6m0s`, `1h2m3.5s`, or seconds.
fn duration(mut text: &str) -> Option<Duration> {
    if let Some(value) = number(text) {
        return seconds(value);
    }
    let mut total = 0.0;
    while !text.is_empty() {
        let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let value = number(&text[..digits])?;
        let rest = &text[digits..];
        let unit = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        total += value
            * match &rest[..unit] {
                "ms" => 0.001,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3600.0,
                "d" => 86_400.0,
                _ => return None,
            };
        text = &rest[unit..];
    }
    seconds(total)
}
