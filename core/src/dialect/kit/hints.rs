//! Reads the response headers about limits and retries.

use std::time::Duration;

use http::header::{DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderName};

use super::date;
use super::response_headers::{Limit, REQUEST_ID, RETRY_AFTER_MS, X_REQUEST_ID, X_SHOULD_RETRY};
use crate::head::Quota;
use crate::time;

/// The longest time that a hint may name, in seconds. Longer times are ignored.
const LONGEST: f64 = 1e9;

/// The provider's id of the request: `x-request-id` or `request-id`.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<String> {
    text(headers, &X_REQUEST_ID)
        .or_else(|| text(headers, &REQUEST_ID))
        .map(str::to_owned)
}

/// The provider's own advice on whether to retry.
pub(crate) fn should_retry(headers: &HeaderMap) -> Option<bool> {
    match text(headers, &X_SHOULD_RETRY)? {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// How long the provider asks to wait. A date is compared with the response's `date` header.
/// Without that header a date is ignored, because the core has no wall clock to compare it with.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    // A number of seconds that no clock can hold is capped, so that it still means: too long to
    // wait.
    let capped = |value: f64| seconds(value.min(LONGEST));
    let milliseconds = text(headers, &RETRY_AFTER_MS).and_then(number);
    if let Some(wait) = milliseconds.and_then(|milliseconds| capped(milliseconds / 1000.0)) {
        return Some(wait);
    }
    let value = text(headers, &RETRY_AFTER)?;
    match number(value) {
        Some(value) => capped(value),
        None => since_date(headers, date::http_date(value)?),
    }
}

/// Reads a quota from its three headers. Azure has sent `-1` and `0` as the limit where it has
/// none; then the other two headers are ignored. Without the feature `limits` nothing uses a quota,
/// and none is read.
pub fn quota(headers: &HeaderMap, [limit, remaining, reset]: &Limit) -> Quota {
    if !cfg!(feature = "limits") {
        return Quota::default();
    }
    let count = |name| text(headers, name)?.parse().ok();
    if text(headers, limit)
        .and_then(number)
        .is_some_and(|limit| limit <= 0.0)
    {
        return Quota::default();
    }
    Quota {
        limit: count(limit),
        remaining: count(remaining),
        reset: text(headers, reset).and_then(|reset| match reset.contains('T') {
            true => since_date(headers, date::rfc3339(reset)?),
            false => duration(reset),
        }),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    // Not `HeaderMap::get`: a response has few headers, so that hashing is slower and takes more
    // code.
    let (_, value) = headers.iter().find(|(known, _)| known == name)?;
    Some(value.to_str().ok()?.trim())
}

fn number(text: &str) -> Option<f64> {
    crate::json::decimal(text)
}

fn seconds(seconds: f64) -> Option<Duration> {
    ((0.0..=LONGEST).contains(&seconds)).then(|| time::seconds(seconds))
}

/// The time from the response's `date` header to `until`.
fn since_date(headers: &HeaderMap, until: i64) -> Option<Duration> {
    let now = date::http_date(text(headers, &DATE)?)?;
    Some(Duration::from_secs((until - now).max(0).unsigned_abs()))
}

/// Parses `12ms`, `6m0s`, `1h2m3.5s`, or a number of seconds.
pub(crate) fn duration(mut text: &str) -> Option<Duration> {
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
                "ns" => 1e-9,
                "us" | "µs" => 1e-6,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|&(name, value)| {
            let value = http::HeaderValue::from_static(value);
            (http::HeaderName::from_static(name), value)
        });
        pairs.collect()
    }

    #[test]
    fn retry_after_in_all_its_forms() {
        let date = ("date", "Mon, 23 Nov 2026 10:00:00 GMT");
        for (given, expected) in [
            (&[("retry-after", "2")][..], Some(2000)),
            (&[("retry-after", "0.25")], Some(250)),
            (
                &[("retry-after-ms", "1500"), ("retry-after", "9")],
                Some(1500),
            ),
            (
                &[date, ("retry-after", "Mon, 23 Nov 2026 10:00:07 GMT")],
                Some(7000),
            ),
            (
                &[date, ("retry-after", "Mon, 23 Nov 2026 09:00:00 GMT")],
                Some(0),
            ),
            (&[("retry-after", "Mon, 23 Nov 2026 10:00:07 GMT")], None),
            (&[("retry-after", "-1")], None),
            (&[("retry-after", "NaN")], None),
            (&[("retry-after", "1e300")], Some(1_000_000_000_000)),
            (&[("retry-after", "soon")], None),
            (
                &[("retry-after-ms", "-1"), ("retry-after", "9")],
                Some(9000),
            ),
            (&[], None),
        ] {
            let expected = expected.map(Duration::from_millis);
            assert_eq!(retry_after(&headers(given)), expected, "{given:?}");
        }
    }

    #[test]
    fn durations() {
        for (text, expected) in [
            ("12ms", Some(12)),
            ("6m0s", Some(360_000)),
            ("1h2m3.5s", Some(3_723_500)),
            ("1.5", Some(1500)),
            ("0", Some(0)),
            ("-1", None),
            ("6x", None),
            ("6", Some(6000)),
            ("m", None),
        ] {
            assert_eq!(
                duration(text),
                expected.map(Duration::from_millis),
                "{text}"
            );
        }
    }

    #[cfg(feature = "limits")]
    #[test]
    fn quotas() {
        use super::super::response_headers::OPENAI;

        let quota = |limit, remaining, reset| {
            let headers = headers(&[
                ("x-ratelimit-limit-tokens", limit),
                ("x-ratelimit-remaining-tokens", remaining),
                ("x-ratelimit-reset-tokens", reset),
            ]);
            super::quota(&headers, &OPENAI[1])
        };
        let all = Quota {
            limit: Some(10),
            remaining: Some(0),
            reset: Some(Duration::from_millis(1500)),
        };
        assert_eq!(quota("10", "0", "1.5s"), all);
        for limit in ["-1", "0"] {
            assert_eq!(quota(limit, "0", "0"), Quota::default());
        }
        let headers = headers(&[
            ("date", "Mon, 23 Nov 2026 10:00:00 GMT"),
            ("x-ratelimit-reset-tokens", "2026-11-23T10:00:09Z"),
        ]);
        let reset = super::quota(&headers, &OPENAI[1]).reset;
        assert_eq!(reset, Some(Duration::from_secs(9)));
    }
}
