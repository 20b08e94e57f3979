//! What a response says before its body.

use std::time::Duration;

use http::header::SET_COOKIE;
use http::response::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};

/// What a response said before its body: its status, its headers, and the provider's rate limits in
/// them. Kept on request: see [`ChatCall::keep_head`](crate::ChatCall::keep_head).
///
/// A value in which the server echoes a secret that the client was given is changed: the secret is
/// taken out of it. `Debug` shows no cookies.
///
/// ```
/// # async fn example(client: chatcore::LlmClient) -> Result<(), chatcore::Error> {
/// let answer = client.ask("Why is the sky blue?").keep_head(true).await?;
/// if let Some(head) = &answer.head {
///     println!("{:?}", head.headers.get("x-request-id"));
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
    /// What the headers say about the provider's rate limits, read by the dialect.
    pub limits: LimitHints,
}

impl ResponseHead {
    /// The head of a response; `redact` takes secrets out of the value of a header.
    pub(crate) fn of(head: &Parts, limits: LimitHints, redact: impl Fn(&mut String)) -> Self {
        let mut headers = head.headers.clone();
        for (name, value) in &mut headers {
            // A header may have bytes that are not ASCII beside the secret.
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
            limits,
        }
    }
}

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
        let head = ResponseHead::of(&response.into_parts().0, LimitHints::default(), redact);
        assert_eq!(head.headers["x-echo"], "Bearer [redacted]");
        assert_eq!(head.headers["x-plain"], "a");
        assert_eq!(head.headers["x-bytes"], "\u{fffd} [redacted]");
        assert_eq!(head.headers["x-other"].as_bytes(), b"\xe9");
        assert_eq!(head.headers["set-cookie"], "session=1");
        assert!(!format!("{head:?}").contains("session"));
    }
}
