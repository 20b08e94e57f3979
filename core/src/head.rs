//! The head of a response: status, headers and rate limits.

use std::time::Duration;

use http::header::SET_COOKIE;
use http::response::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};

/// The head of a response: its status, its headers, and the provider's rate limits from the
/// headers. It is kept only on request: see [`ChatCall::keep_head`](crate::ChatCall::keep_head).
///
/// If the server echoes one of the client's secrets in a header, the secret is removed from the
/// value. `Debug` shows no cookies.
///
/// ```
/// # async fn example(client: chatcore::LlmClient) -> Result<(), chatcore::Error> {
/// let answer = client.ask("Why is the sky blue?").keep_head(true).await?;
/// if let Some(head) = &answer.head {
///     println!("{:?}", head.headers.get("x-request-id"));
///     # #[cfg(feature = "limits")]
///     println!("{:?} requests are left", head.limits.requests.remaining);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResponseHead {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The provider's rate limits, which the dialect reads from the headers. Without the feature
    /// `limits` the dialects read none; the [`headers`](Self::headers) still have them.
    #[cfg(feature = "limits")]
    pub limits: LimitHints,
}

impl ResponseHead {
    /// Copies the head of a response. `redact` removes secrets from the value of a header.
    pub(crate) fn of(head: &Parts, redact: impl Fn(&mut String)) -> Self {
        let mut headers = head.headers.clone();
        for (name, value) in &mut headers {
            // Lossy, because the header may have non-ASCII bytes beside the secret.
            let text = String::from_utf8_lossy(value.as_bytes());
            let mut clean = text.clone().into_owned();
            redact(&mut clean);
            if clean != text {
                *value = HeaderValue::try_from(clean).unwrap_or(HeaderValue::from_static(""));
            }
            if name == SET_COOKIE {
                value.set_sensitive(true);
            }
        }
        Self {
            status: head.status,
            headers,
            #[cfg(feature = "limits")]
            limits: LimitHints::default(),
        }
    }
}

/// A provider's rate limits according to its headers. They are hints: they may tighten the client's
/// own limits, but never loosen them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitHints {
    /// The limit on requests.
    pub requests: Quota,
    /// The limit on tokens.
    pub tokens: Quota,
}

/// One rate limit and its current state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quota {
    /// The limit per period.
    pub limit: Option<u64>,
    /// How much is left of it.
    pub remaining: Option<u64>,
    /// How long until the whole limit is available again.
    pub reset: Option<Duration>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_taken_out_and_cookies_are_not_shown() {
        let response = http::Response::builder()
            .header("x-echo", "Bearer sk-1")
            .header("x-plain", "a")
            .header("x-bytes", &b"\xe9 sk-1"[..])
            .header("x-other", &b"\xe9"[..])
            .header("set-cookie", "session=1")
            .body(())
            .unwrap();
        let redact = |text: &mut String| *text = text.replace("sk-1", "[redacted]");
        let head = ResponseHead::of(&response.into_parts().0, redact);
        assert_eq!(head.headers["x-echo"], "Bearer [redacted]");
        assert_eq!(head.headers["x-plain"], "a");
        assert_eq!(head.headers["x-bytes"], "\u{fffd} [redacted]");
        assert_eq!(head.headers["x-other"].as_bytes(), b"\xe9");
        assert_eq!(head.headers["set-cookie"], "session=1");
        assert!(!format!("{head:?}").contains("session"));
    }
}
