//! A provider's rate limits: requests and tokens per minute, kept together.

use std::time::Duration;

use super::window::{Fit, Started, Window};
use crate::dialect::LimitHints;
use crate::error::{Error, ErrorKind};
use crate::time::Instant;

/// What a limit "per minute" is counted over: a hundredth more than a minute. Two requests sent a
/// minute apart may arrive a little closer than that, and this is room for it: 0.6 seconds. The
/// price is a hundredth of the limit.
const SPAN: Duration = Duration::from_millis(60_600);

/// How many requests and tokens per minute a provider grants. Default: no limits.
///
/// They hold for any 60 seconds, wherever these begin, so a provider that keeps the same limits
/// refuses nothing, whether it counts by the clock's minutes, by a sliding minute, or by a token
/// bucket as large as the limit. Requests wait in the order in which they came: a large one at
/// the head is not overtaken by small ones. What the headers of answers say about limits only
/// tightens them.
///
/// A provider that keeps its limit over shorter times too (60 per minute as one per second, say)
/// wants a smaller burst.
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
    /// whose estimate is more than that is an error.
    pub tokens_per_minute: Option<u64>,
    /// How many requests may go at once, before they are spread over the minute. Default: all.
    pub request_burst: Option<u32>,
    /// How many tokens may go at once, before they are spread over the minute. Default: all. A
    /// request whose estimate is more than that is an error.
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

    /// Sets how many requests may go at once.
    #[must_use]
    pub fn request_burst(mut self, requests: u32) -> Self {
        self.request_burst = Some(requests);
        self
    }

    /// Sets how many tokens may go at once.
    #[must_use]
    pub fn token_burst(mut self, tokens: u64) -> Self {
        self.token_burst = Some(tokens);
        self
    }
}

/// What [`Rate::reserve`] answers.
#[derive(Debug)]
pub(crate) enum Reserve {
    /// It is reserved.
    Ready,
    /// Ask again at this moment, or when something was started, settled or released; without a
    /// moment only then.
    Wait(Option<Instant>),
    /// It never can be.
    TooLarge(Error),
}

/// The state of the limits. A pure state machine: it knows no clock, and no queue.
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

/// What was started in both windows.
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

    /// At most `calls` in any `period`, `burst` of them at once, to the nanosecond.
    pub(crate) fn calls(calls: u32, period: Duration, burst: u32) -> Self {
        Self {
            requests: Some(Window::new(calls.into(), burst.into(), period)),
            tokens: None,
        }
    }

    /// Whether `tokens` are more than can ever be reserved.
    pub(crate) fn check(&self, tokens: u64) -> Result<(), Error> {
        match &self.tokens {
            Some(window) if tokens > window.most() => Err(too_large(tokens, window.most())),
            _ => Ok(()),
        }
    }

    /// Reserves one request and `tokens` tokens, if both are there.
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

    /// Gives back what was reserved and is not sent.
    pub(crate) fn release(&mut self, now: Instant, tokens: u64) {
        for (window, amount) in self.both(tokens) {
            window.release(now, amount);
        }
    }

    /// What was reserved is sent now.
    pub(crate) fn start(&mut self, now: Instant, tokens: u64) -> Sent {
        Sent {
            requests: self.requests.as_mut().map(|window| window.start(now, 1)),
            tokens: (self.tokens.as_mut()).map(|window| window.start(now, tokens)),
        }
    }

    /// What was sent used so many tokens.
    pub(crate) fn settle(&mut self, now: Instant, sent: &mut Sent, tokens: u64) {
        if let (Some(window), Some(started)) = (&mut self.tokens, &mut sent.tokens) {
            window.settle(now, started, tokens);
        }
    }

    /// What was to be sent never left: it counts for nothing.
    pub(crate) fn undo(&mut self, now: Instant, sent: &mut Sent) {
        self.settle(now, sent, 0);
        if let (Some(window), Some(started)) = (&mut self.requests, &mut sent.requests) {
            window.settle(now, started, 0);
        }
    }

    /// What the headers of the answer say.
    pub(crate) fn hint(&mut self, now: Instant, sent: &Sent, hints: &LimitHints) {
        if let (Some(window), Some(started)) = (&mut self.requests, &sent.requests) {
            window.hint(now, started, &hints.requests);
        }
        if let (Some(window), Some(started)) = (&mut self.tokens, &sent.tokens) {
            window.hint(now, started, &hints.tokens);
        }
    }

    /// Requests and tokens that could be reserved, were there no hints: for tests.
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
