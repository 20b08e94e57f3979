//! The provider's limits, kept exactly.

mod meter;

use std::time::Duration;

use http::{HeaderMap, HeaderValue};

use meter::Meter;

/// How the provider counts "per minute".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Window {
    /// A bucket with the size of the limit. It is full at the start and refills evenly.
    #[default]
    TokenBucket,
    /// In whole minutes since the start of the simulation.
    Fixed,
    /// In any 60 seconds.
    Sliding,
}

/// How a refusal tells the client when to retry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RetryAfter {
    /// `retry-after`, in whole seconds, rounded up.
    #[default]
    Seconds,
    /// `retry-after-ms`, in whole milliseconds, rounded up.
    Millis,
    /// No header.
    Omitted,
}

/// The limits of the simulated provider. By default there are none.
///
/// A request counts when it arrives; its tokens are the words of its prompt and of its answer.
/// Refused requests do not count. A refusal by a rate limit is a 429 with the time to retry; a
/// refusal for concurrency has no such time, like a hidden limit.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    requests_per_minute: Option<u64>,
    tokens_per_minute: Option<u64>,
    window: Window,
    concurrency: Option<(usize, u16)>,
    retry_after: RetryAfter,
}

impl Limits {
    /// No limits.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the requests per minute.
    #[must_use]
    pub fn requests_per_minute(mut self, requests: u64) -> Self {
        self.requests_per_minute = Some(requests);
        self
    }

    /// Sets the tokens per minute, input and output together.
    #[must_use]
    pub fn tokens_per_minute(mut self, tokens: u64) -> Self {
        self.tokens_per_minute = Some(tokens);
        self
    }

    /// Sets how a minute is counted.
    #[must_use]
    pub fn window(mut self, window: Window) -> Self {
        self.window = window;
        self
    }

    /// Sets how many requests are worked on at once, and the status for requests beyond that (for
    /// example 429 or 503). A request is worked on from its arrival until the last byte of its
    /// answer is read or it is dropped.
    #[must_use]
    pub fn concurrency(mut self, requests: usize, status: u16) -> Self {
        self.concurrency = Some((requests, status));
        self
    }

    /// Sets how a refusal by a rate limit tells the client when to retry.
    #[must_use]
    pub fn retry_after(mut self, retry_after: RetryAfter) -> Self {
        self.retry_after = retry_after;
        self
    }
}

/// The limits' decision about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Accepted,
    /// Too many requests at once.
    TooMany {
        status: u16,
    },
    /// Too many requests or tokens in a minute.
    TooFast {
        wait: Duration,
    },
}

/// The limits with their current counts.
#[derive(Debug)]
pub(super) struct Gate {
    requests: Option<Meter>,
    tokens: Option<Meter>,
    concurrency: Option<(usize, u16)>,
    retry_after: RetryAfter,
}

impl Gate {
    pub(super) fn new(limits: &Limits) -> Self {
        let meter = |limit: Option<u64>| limit.map(|limit| Meter::new(limit, limits.window));
        Self {
            requests: meter(limits.requests_per_minute),
            tokens: meter(limits.tokens_per_minute),
            concurrency: limits.concurrency,
            retry_after: limits.retry_after,
        }
    }

    /// Admits and counts a request, or returns why not. `working` requests are being worked on.
    pub(super) fn admit(&mut self, working: usize, tokens: u64, now: Duration) -> Verdict {
        if let Some((limit, status)) = self.concurrency
            && working >= limit
        {
            return Verdict::TooMany { status };
        }
        let mut meters = [(&mut self.requests, 1), (&mut self.tokens, tokens)];
        let wait = meters
            .iter_mut()
            .filter_map(|(meter, cost)| meter.as_mut()?.wait(*cost, now))
            .max();
        if let Some(wait) = wait {
            return Verdict::TooFast { wait };
        }
        for (meter, cost) in meters {
            if let Some(meter) = meter {
                meter.charge(cost, now);
            }
        }
        Verdict::Accepted
    }

    /// Writes the time to retry into `headers`, and returns it as it was rounded.
    pub(super) fn announce(&self, wait: Duration, headers: &mut HeaderMap) -> Option<Duration> {
        let unit = match self.retry_after {
            RetryAfter::Seconds => 1_000_000_000,
            RetryAfter::Millis => 1_000_000,
            RetryAfter::Omitted => return None,
        };
        let units = wait.as_nanos().div_ceil(unit) as u64;
        let (name, unit) = match self.retry_after {
            RetryAfter::Millis => ("retry-after-ms", Duration::from_millis(1)),
            _ => ("retry-after", Duration::from_secs(1)),
        };
        headers.insert(name, units.into());
        Some(unit * u32::try_from(units).unwrap_or(u32::MAX))
    }

    /// Writes the limits into the headers of an answer.
    pub(super) fn describe(&mut self, anthropic: bool, now: Duration, headers: &mut HeaderMap) {
        let meters = [
            ("requests", &mut self.requests),
            ("tokens", &mut self.tokens),
        ];
        for (what, meter) in meters {
            let Some(meter) = meter else { continue };
            let mut set = |name: &str, value: String| {
                // Anthropic sends resets as dates, and a simulation has no date.
                let name = match (anthropic, name) {
                    (true, "reset") => return,
                    (true, _) => format!("anthropic-ratelimit-{what}-{name}"),
                    (false, _) => format!("x-ratelimit-{name}-{what}"),
                };
                if let (Ok(name), Ok(value)) = (
                    http::HeaderName::try_from(name),
                    HeaderValue::try_from(value),
                ) {
                    headers.insert(name, value);
                }
            };
            set("limit", meter.limit().to_string());
            set("remaining", meter.remaining(now).to_string());
            let reset = meter.until_full(now).as_nanos().div_ceil(1_000_000);
            set("reset", format!("{reset}ms"));
        }
    }
}
