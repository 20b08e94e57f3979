//! The time limits of one call.

use std::sync::Arc;
use std::time::Duration;

use super::plan::Plan;

/// The overall limit of a default call.
const OVERALL: Duration = Duration::from_secs(30);
/// The limit between two bytes.
const BYTE_IDLE: Duration = Duration::from_secs(60);
/// The tokens that fit into [`OVERALL`].
pub(crate) const DEFAULT_TOKENS: u32 = 256;
/// How many tokens are expected of an answer without a token limit.
const UNLIMITED_TOKENS: u32 = 4_096;
/// The expected time per token: 128,000 tokens in an hour, as in Anthropic's SDKs
/// (`calculateNonstreamingTimeout` in `anthropic-sdk-typescript`, `client.ts`, 2026-11-28).
const TOKEN: Duration = Duration::from_micros(28_125);
/// The longest limit that follows from the expected tokens: ten minutes, as in Anthropic's SDKs and
/// as OpenAI's SDKs have it by default.
const LONGEST: Duration = Duration::from_secs(600);

/// The time limits of one call. `None` means no limit.
///
/// ```text
///  call ──► queue ──► connect ──► headers ──► first content ──► … content … ──► end
///  │        └ queue ┘ └ connect ┘           │                   │
///  │                  └────── headers ──────┤                   │
///  │                  └─────── first_content ──────┘            │
///  │                  └ byte_idle ┘ └ byte_idle ┘ └ byte_idle ┘ (any byte, keep-alives too)
///  │                                              └ content_idle ┘ (meaningful output only)
///  │                  └────────────────── attempt ──────────────────┘
///  └───────────────────────────── overall ─────────────────────────────┘
/// ```
///
/// For a stream, `overall` ends at the first content. After that the idle limits end a stalled
/// stream, and [`total`](Self::total) limits the whole stream.
///
/// # Defaults fit the work
/// A default call has 30 s. A call that may have more than 256 tokens, or whose model reasons, gets
/// 28.125 ms more for each token above 256, up to 10 min: 4,096 tokens have 138 s, and reasoning
/// without a token limit has 10 min. An overall limit that the call, the client or
/// `LLM_ASYNC_TIMEOUT` sets replaces this. A longer one than `byte_idle` also raises `byte_idle` to
/// the same length, unless `byte_idle` was set. A limit that differs from its default counts as
/// set.
///
/// # Retries
/// If a limit runs out after the request was sent and before the first byte of the answer, there is
/// no other attempt, because the provider may be at work and charges for it. Once the finish reason
/// has come, the answer is complete: chatcore waits at most two seconds for what may follow, such
/// as the usage, and a limit that runs out during that wait is not an error.
///
/// ```
/// use std::time::Duration;
/// use chatcore::Timeouts;
///
/// let limits = Timeouts::default()
///     .first_content(Duration::from_secs(20))
///     .connect(None); // no limit
/// assert_eq!(limits.connect, None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// Waiting in the queue, per attempt. Default: none.
    pub queue: Option<Duration>,
    /// Connecting. Default 5 s.
    pub connect: Option<Duration>,
    /// From the start of an attempt to the response's headers. Default: none.
    pub headers: Option<Duration>,
    /// From the start of an attempt to the first content. Default: none.
    pub first_content: Option<Duration>,
    /// Between any two bytes, keep-alives included. Default 60 s, from the first byte of the answer
    /// on: before that byte the provider is at work, and the other limits apply. A limit that was
    /// set applies from the start of an attempt on.
    pub byte_idle: Option<Duration>,
    /// Between two pieces of content. Default: none.
    pub content_idle: Option<Duration>,
    /// One attempt. Default: none.
    pub attempt: Option<Duration>,
    /// The whole call over all its attempts; for a stream, until its first content. Default 30 s,
    /// and more for a call that asks for more, or `LLM_ASYNC_TIMEOUT`.
    pub overall: Option<Duration>,
    /// The whole call from its start to its last event, for a stream, too. Default: none.
    pub total: Option<Duration>,
    /// Where `overall` comes from, if its value does not tell.
    pub(crate) origin: Origin,
    /// Whether `byte_idle` follows `overall`: it was not set, although it differs from its default.
    pub(crate) idle_follows: bool,
}

/// Where the overall limit comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The default, unless the value differs from it.
    Field,
    /// Set, possibly to the default value.
    Set,
    /// Derived from the work of a call.
    Work,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            queue: None,
            connect: Some(Duration::from_secs(5)),
            headers: None,
            first_content: None,
            byte_idle: Some(BYTE_IDLE),
            content_idle: None,
            attempt: None,
            overall: Some(OVERALL),
            total: None,
            origin: Origin::Field,
            idle_follows: false,
        }
    }
}

impl Timeouts {
    /// Sets how long an attempt may wait in the queue.
    #[must_use]
    pub fn queue(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.queue = limit.into();
        self
    }

    /// Sets how long connecting may take.
    #[must_use]
    pub fn connect(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.connect = limit.into();
        self
    }

    /// Sets how long the response's headers may take.
    #[must_use]
    pub fn headers(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.headers = limit.into();
        self
    }

    /// Sets how long the first content may take.
    #[must_use]
    pub fn first_content(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.first_content = limit.into();
        self
    }

    /// Sets the longest silence between two bytes, from the start of an attempt on.
    #[must_use]
    pub fn byte_idle(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.byte_idle = limit.into();
        self
    }

    /// Sets the longest time between two pieces of content.
    #[must_use]
    pub fn content_idle(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.content_idle = limit.into();
        self
    }

    /// Sets how long one attempt may take.
    #[must_use]
    pub fn attempt(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.attempt = limit.into();
        self
    }

    /// Sets how long a call may take over all its attempts, whatever it asks for.
    #[must_use]
    pub fn overall(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.set_overall(limit.into());
        self
    }

    /// Sets how long a call may take up to its last event, a stream included.
    #[must_use]
    pub fn total(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.total = limit.into();
        self
    }

    pub(crate) fn set_overall(&mut self, limit: Option<Duration>) {
        self.overall = limit;
        self.origin = Origin::Set;
        if self.idle_follows {
            self.byte_idle = Some(BYTE_IDLE);
            self.idle_follows = false;
        }
    }

    /// Raises a `byte_idle` that was not set to an overall limit that was set and is longer.
    pub(crate) fn let_idle_follow(&mut self) {
        if self.idle_is_to_follow() {
            self.byte_idle = self.overall;
            self.idle_follows = true;
        }
    }

    fn idle_is_to_follow(&self) -> bool {
        self.byte_idle == Some(BYTE_IDLE)
            && !self.is_default()
            && self.origin != Origin::Work
            && self.overall.is_some_and(|overall| overall > BYTE_IDLE)
    }

    /// Whether the overall limit is a default.
    pub(crate) fn is_default(&self) -> bool {
        match self.origin {
            Origin::Field => self.overall == Some(OVERALL),
            Origin::Set => false,
            Origin::Work => true,
        }
    }

    /// Whether `byte_idle` also limits the silence before the first byte.
    pub(crate) fn idles_from_start(&self) -> bool {
        self.byte_idle != Some(BYTE_IDLE) && !self.idle_follows
    }
}

/// Fits the limits to what a call asks for. A `patient` call waits for a permit without a limit,
/// and its overall limit applies to each attempt instead.
pub(crate) fn fit(limits: &mut Arc<Timeouts>, plan: &Plan, patient: bool) {
    let is_small = plan
        .max_tokens
        .is_some_and(|tokens| tokens <= DEFAULT_TOKENS);
    let grows = !is_small && limits.is_default();
    if !grows && !patient && !limits.idle_is_to_follow() {
        return;
    }
    let limits = Arc::make_mut(limits);
    limits.let_idle_follow();
    if grows {
        limits.overall = Some(expected(plan));
        limits.origin = Origin::Work;
    }
    if patient {
        limits.attempt = match (limits.attempt, limits.overall) {
            (Some(attempt), Some(overall)) => Some(attempt.min(overall)),
            (attempt, overall) => attempt.or(overall),
        };
        limits.overall = None;
        limits.origin = Origin::Set;
    }
}

/// The default overall limit of a call with this plan.
fn expected(plan: &Plan) -> Duration {
    let tokens = match (plan.max_tokens, plan.reasons) {
        (Some(tokens), _) => tokens,
        (None, false) => UNLIMITED_TOKENS,
        (None, true) => return LONGEST,
    };
    let more = TOKEN.saturating_mul(tokens.saturating_sub(DEFAULT_TOKENS));
    OVERALL.saturating_add(more).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::defaults::Wishes;

    fn plan(max_tokens: Option<u32>, reasons: bool) -> Plan {
        Plan::with(Wishes::default(), max_tokens, reasons)
    }

    fn fitted(limits: Timeouts, max_tokens: Option<u32>, reasons: bool) -> Timeouts {
        let mut limits = Arc::new(limits);
        fit(&mut limits, &plan(max_tokens, reasons), false);
        Arc::unwrap_or_clone(limits)
    }

    fn seconds(seconds: u64) -> Option<Duration> {
        Some(Duration::from_secs(seconds))
    }

    #[test]
    fn defaults_grow_with_the_work() {
        for (max_tokens, reasons, expected) in [
            (Some(256), false, 30.0),
            (Some(1), false, 30.0),
            (Some(1_256), false, 58.125),
            (Some(4_096), false, 138.0),
            (None, false, 138.0),
            (Some(25_256), true, 600.0),
            (Some(u32::MAX), false, 600.0),
            (None, true, 600.0),
            // A limit on the tokens of reasoning also limits its time.
            (Some(256), true, 30.0),
        ] {
            let limits = fitted(Timeouts::default(), max_tokens, reasons);
            let expected = Some(Duration::from_secs_f64(expected));
            assert_eq!(limits.overall, expected, "{max_tokens:?} {reasons}");
            assert_eq!(limits.byte_idle, seconds(60));
            assert!(!limits.idles_from_start());
        }
    }

    #[test]
    fn what_is_set_wins() {
        let by_field = Timeouts {
            overall: seconds(5),
            ..Timeouts::default()
        };
        for (limits, expected) in [
            (by_field, seconds(5)),
            (Timeouts::default().overall(OVERALL), Some(OVERALL)),
            (Timeouts::default().overall(None), None),
        ] {
            let limits = fitted(limits, Some(8_000), true);
            assert_eq!(limits.overall, expected);
            assert_eq!(limits.byte_idle, seconds(60));
        }
    }

    #[test]
    fn the_limit_between_bytes_follows_a_longer_one() {
        let patient = Timeouts::default().overall(Duration::from_secs(180));
        let limits = fitted(patient.clone(), Some(256), false);
        assert_eq!(limits.byte_idle, seconds(180));
        assert!(!limits.idles_from_start());
        let limits = limits.overall(Duration::from_secs(40));
        assert_eq!(limits.byte_idle, seconds(60));
        let set = Timeouts {
            byte_idle: seconds(7),
            ..patient
        };
        let limits = fitted(set, Some(256), false);
        assert_eq!(limits.byte_idle, seconds(7));
        assert!(limits.idles_from_start());
    }

    #[test]
    fn a_patient_calls_limit_is_its_attempts() {
        let mut limits = Arc::new(Timeouts::default());
        fit(&mut limits, &plan(Some(4_096), false), true);
        assert_eq!((limits.attempt, limits.overall), (seconds(138), None));
        let mut limits = Arc::new(Timeouts {
            attempt: seconds(9),
            ..Timeouts::default()
        });
        fit(&mut limits, &plan(Some(256), false), true);
        assert_eq!((limits.attempt, limits.overall), (seconds(9), None));
        // A second fit, to more work, changes nothing.
        fit(&mut limits, &plan(None, true), true);
        assert_eq!((limits.attempt, limits.overall), (seconds(9), None));
    }
}
