//! The limits that the provider keeps, exactly.

mod meter;

use std::time::Duration;

use http::{HeaderMap, HeaderValue};

use meter::Meter;

/// How a provider counts "per minute".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Window {
    /// A bucket as large as the limit, full at the start, refilled evenly.
    #[default]
    TokenBucket,
    /// By the clock's minutes, from the start of the simulation on.
    Fixed,
    /// Any 60 seconds.
    Sliding,
}

/// How a refusal says when to come again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RetryAfter {
    /// `retry-after`, in whole seconds, rounded up.
    #[default]
    Seconds,
    /// `retry-after-ms`, in whole milliseconds, rounded up.
    Millis,
    /// Not at all.
    Omitted,
}

/// The limits that the simulated provider keeps. Default: none.
///
/// A request counts when it arrives, with the words of its prompt and of its answer as its
/// tokens. Refused requests do not count. A rate refusal is a 429 that says when to come again;
/// a refusal for concurrency says nothing, as a hidden limit does not.
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

    /// Sets how many requests are worked on at once, and the status for those beyond (429 or
    /// 503, say). One is worked on from its arrival until the last byte of its answer is
    /// read, or it is dropped.
    #[must_use]
    pub fn concurrency(mut self, requests: usize, status: u16) -> Self {
        self.concurrency = Some((requests, status));
        self
    }

    /// Sets how a rate refusal says when to come again.
    #[must_use]
    pub fn retry_after(mut self, retry_after: RetryAfter) -> Self {
        self.retry_after = retry_after;
        self
    }
}

/// What the limits say to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Accepted,
    /// Too many at once.
    TooMany {
        status: u16,
    },
    /// Too many in a minute.
    TooFast {
        wait: Duration,
    },
}

/// The limits at work.
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

    /// Lets a request in, and counts it, or says why not. `working` are worked on already.
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

    /// What the refusal says about when to come again, rounded as it is said.
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

    /// What every answer says about the limits.
    pub(super) fn describe(&mut self, anthropic: bool, now: Duration, headers: &mut HeaderMap) {
        let meters = [
            ("requests", &mut self.requests),
            ("tokens", &mut self.tokens),
        ];
        for (what, meter) in meters {
            let Some(meter) = meter else { continue };
            let mut set = |name: &str, value: String| {
                // Anthropic's resets are dates, and a simulation has no date.
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
