//! A provider's rate limits: requests and tokens per minute, reserved together.

use std::time::Duration;

use super::window::{Fit, Started, Window};
use crate::dialect::LimitHints;
use crate::error::{Error, ErrorKind};
use crate::time::Instant;

/// The window that a limit "per minute" is counted over: one percent more than a minute. Two
/// requests sent a minute apart may arrive up to 0.6 seconds closer than that. The price is one
/// percent of the limit.
const SPAN: Duration = Duration::from_millis(60_600);

/// How many requests and tokens per minute the client sends. Default: no limits.
///
/// The limits hold for any 60 seconds, wherever these begin. So a provider with the same limits
/// refuses nothing, whether it counts by clock minutes, by a sliding minute, or by a token bucket
/// as large as the limit. Requests are sent in the order in which they came: small ones do not
/// overtake a large one. Limits in response headers can only tighten these.
///
/// Set a smaller burst for a provider that enforces its limit over shorter times (60 per minute as
/// one per second, for example).
///
/// ```
/// use chatcore::RateLimits;
///
/// let limits = RateLimits::default()
///     .requests_per_minute(600)
///     .request_burst(10)
///     .tokens_per_minute(200_000);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimits {
    /// Requests per minute; 0 counts as 1. Default: no limit.
    pub requests_per_minute: Option<u32>,
    /// Tokens per minute, input and output together; 0 counts as 1. Default: no limit. A request
    /// whose estimate is higher than this fails.
    pub tokens_per_minute: Option<u64>,
    /// How many requests may be sent at once before they are spread over the minute. Default: all.
    pub request_burst: Option<u32>,
    /// How many tokens may be sent at once before they are spread over the minute. Default: all. A
    /// request whose estimate is higher than this fails.
    pub token_burst: Option<u64>,
}

impl RateLimits {
    /// Sets the requests per minute.
    #[must_use]
    pub fn requests_per_minute(mut self, requests: u32) -> Self {
        self.requests_per_minute = Some(requests);
        self
    }

    /// Sets the tokens per minute, input and output together.
    #[must_use]
    pub fn tokens_per_minute(mut self, tokens: u64) -> Self {
        self.tokens_per_minute = Some(tokens);
        self
    }

    /// Sets how many requests may be sent at once.
    #[must_use]
    pub fn request_burst(mut self, requests: u32) -> Self {
        self.request_burst = Some(requests);
        self
    }

    /// Sets how many tokens may be sent at once.
    #[must_use]
    pub fn token_burst(mut self, tokens: u64) -> Self {
        self.token_burst = Some(tokens);
        self
    }
}

/// The result of [`Rate::reserve`].
#[derive(Debug)]
pub(crate) enum Reserve {
    /// The amount is reserved.
    Ready,
    /// Ask again at this moment, or earlier if something is started, settled or released. `None`:
    /// ask again only then.
    Wait(Option<Instant>),
    /// The amount can never be reserved.
    TooLarge(Error),
}

/// The state of the rate limits: a pure state machine without a clock or a queue.
///
/// ```text
///  reserve ──► (held) ──► start ──► (started) ──► settle, hint
///                │
///                └─ release
/// ```
#[derive(Debug)]
pub(crate) struct Rate {
    requests: Option<Window>,
    tokens: Option<Window>,
}

/// The entries of one request in both windows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sent {
    requests: Option<Started>,
    tokens: Option<Started>,
}

impl Rate {
    pub(crate) fn per_minute(limits: &RateLimits) -> Self {
        let requests = limits.requests_per_minute.map(u64::from);
        let burst = limits.request_burst.map(u64::from);
        Self {
            requests: requests.map(|limit| Window::new(limit, burst.unwrap_or(limit), SPAN)),
            tokens: limits
                .tokens_per_minute
                .map(|limit| Window::new(limit, limits.token_burst.unwrap_or(limit), SPAN)),
        }
    }

    /// Allows at most `calls` in any `period`, and `burst` of them at once, exact to the
    /// nanosecond.
    pub(crate) fn calls(calls: u32, period: Duration, burst: u32) -> Self {
        Self {
            requests: Some(Window::new(calls.into(), burst.into(), period)),
            tokens: None,
        }
    }

    /// Returns an error if `tokens` is more than can ever be reserved.
    pub(crate) fn check(&self, tokens: u64) -> Result<(), Error> {
        match &self.tokens {
            Some(window) if tokens > window.most() => Err(too_large(tokens, window.most())),
            _ => Ok(()),
        }
    }

    /// Reserves one request and `tokens` tokens, if both are available.
    pub(crate) fn reserve(&mut self, now: Instant, tokens: u64) -> Reserve {
        let mut until = None;
        for (window, amount) in self.both(tokens) {
            match window.fits(now, amount) {
                Fit::Now => {}
                Fit::At(at) => until = until.max(Some(at)),
                Fit::Later => return Reserve::Wait(None),
                Fit::Never(most) => return Reserve::TooLarge(too_large(amount, most)),
            }
        }
        if until.is_some() {
            return Reserve::Wait(until);
        }
        for (window, amount) in self.both(tokens) {
            window.hold(now, amount);
        }
        Reserve::Ready
    }

    /// Releases a reservation whose request will not be sent.
    pub(crate) fn release(&mut self, now: Instant, tokens: u64) {
        for (window, amount) in self.both(tokens) {
            window.release(now, amount);
        }
    }

    /// Starts a reservation: its request is sent now.
    pub(crate) fn start(&mut self, now: Instant, tokens: u64) -> Sent {
        Sent {
            requests: self.requests.as_mut().map(|window| window.start(now, 1)),
            tokens: (self.tokens.as_mut()).map(|window| window.start(now, tokens)),
        }
    }

    /// Replaces the estimate of a sent request by the `tokens` it used.
    pub(crate) fn settle(&mut self, now: Instant, sent: &mut Sent, tokens: u64) {
        if let (Some(window), Some(started)) = (&mut self.tokens, &mut sent.tokens) {
            window.settle(now, started, tokens);
        }
    }

    /// Removes a started request that was never sent, so that it counts for nothing.
    pub(crate) fn undo(&mut self, now: Instant, sent: &mut Sent) {
        self.settle(now, sent, 0);
        if let (Some(window), Some(started)) = (&mut self.requests, &mut sent.requests) {
            window.settle(now, started, 0);
        }
    }

    /// Takes in the limits in the response's headers.
    pub(crate) fn hint(&mut self, now: Instant, sent: &Sent, hints: &LimitHints) {
        if let (Some(window), Some(started)) = (&mut self.requests, &sent.requests) {
            window.hint(now, started, &hints.requests);
        }
        if let (Some(window), Some(started)) = (&mut self.tokens, &sent.tokens) {
            window.hint(now, started, &hints.tokens);
        }
    }

    /// How many requests and tokens could be reserved if there were no hints. For tests.
    #[cfg(test)]
    pub(crate) fn balance(&mut self, now: Instant) -> [Option<u64>; 2] {
        [&mut self.requests, &mut self.tokens]
            .map(|window| window.as_mut().map(|window| window.balance(now)))
    }

    fn both(&mut self, tokens: u64) -> impl Iterator<Item = (&mut Window, u64)> {
        let both = [(&mut self.requests, 1), (&mut self.tokens, tokens)];
        both.into_iter()
            .filter_map(|(window, amount)| Some((window.as_mut()?, amount)))
    }
}

fn too_large(tokens: u64, most: u64) -> Error {
    Error::new(
        ErrorKind::InvalidInput,
        format!(
            "the request needs an estimated {tokens} tokens, and the rate limit allows {most} at \
             once; shorten it, lower max_tokens, or raise tokens_per_minute or token_burst"
        ),
    )
}
