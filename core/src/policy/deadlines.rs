//! Computes which time limit of a call ends first.

use std::sync::Arc;
use std::time::Duration;

use crate::dialect::Mode;
use crate::error::{Error, Phase};
use crate::policy::plan::Plan;
use crate::policy::timeouts::{self, Timeouts};
use crate::time::Instant;

/// The moment at which a time limit ends, and the limit itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deadline {
    pub(crate) at: Instant,
    pub(crate) phase: Phase,
    pub(crate) limit: Duration,
    /// Whether another attempt may follow, if the phase allows it. False after silence, because the
    /// provider may have been at work and charge for it.
    pub(crate) again: bool,
}

impl Deadline {
    /// The error to return once this deadline has passed.
    pub(crate) fn error(&self) -> Error {
        let error = Error::timeout(self.phase, self.limit);
        match self.again {
            true => error,
            false => error.with_should_retry(Some(false)),
        }
    }
}

/// The time limits of one call, and how far the call has come.
#[derive(Clone, Debug)]
pub(crate) struct Deadlines {
    limits: Arc<Timeouts>,
    mode: Mode,
    called: Instant,
    /// When the overall limit starts. `None` while the call waits for a permit, if the limit starts
    /// only then.
    begins: Option<Instant>,
    attempt: Attempt,
}

/// How far an attempt has come.
#[derive(Clone, Copy, Debug)]
struct Attempt {
    started: Instant,
    last_byte: Instant,
    has_headers: bool,
    /// Whether any byte of the body has come.
    has_bytes: bool,
    first_content: Option<Instant>,
    last_content: Option<Instant>,
}

impl Attempt {
    fn starting(now: Instant) -> Self {
        Self {
            started: now,
            last_byte: now,
            has_headers: false,
            has_bytes: false,
            first_content: None,
            last_content: None,
        }
    }
}

impl Deadlines {
    pub(crate) fn new(limits: Arc<Timeouts>, mode: Mode, now: Instant) -> Self {
        Self {
            limits,
            mode,
            called: now,
            begins: Some(now),
            attempt: Attempt::starting(now),
        }
    }

    /// Makes a default overall limit start only when the call gets its permit.
    pub(crate) fn begin_at_place(&mut self) {
        if self.limits.is_default() {
            self.begins = None;
        }
    }

    /// The call got its permit.
    pub(crate) fn got_place(&mut self, now: Instant) {
        self.begins.get_or_insert(now);
    }

    /// Fits the limits again, because the call asks for more than was planned.
    pub(crate) fn fit(&mut self, plan: &Plan, patient: bool) {
        timeouts::fit(&mut self.limits, plan, patient);
    }

    /// How long the transport may take to connect.
    pub(crate) fn connect(&self) -> Option<Duration> {
        self.limits.connect
    }

    /// Starts an attempt, and with it the limits of an attempt.
    pub(crate) fn start_attempt(&mut self, now: Instant) {
        self.attempt = Attempt::starting(now);
    }

    /// The response's headers have come.
    pub(crate) fn saw_headers(&mut self, now: Instant) {
        self.attempt.has_headers = true;
        self.attempt.last_byte = now;
    }

    /// Bytes of the body have come.
    pub(crate) fn saw_bytes(&mut self, now: Instant) {
        self.attempt.has_bytes = true;
        self.attempt.last_byte = now;
    }

    /// The bytes that came last held content.
    pub(crate) fn saw_content(&mut self) {
        let attempt = &mut self.attempt;
        attempt.first_content.get_or_insert(attempt.last_byte);
        attempt.last_content = Some(attempt.last_byte);
    }

    /// When the attempt's first content came.
    pub(crate) fn first_content(&self) -> Option<Instant> {
        self.attempt.first_content
    }

    /// Whether the caller wants a stream or a whole answer.
    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    /// The first limit that ends while the call backs off.
    pub(crate) fn in_backoff(&self) -> Option<Deadline> {
        let mut first = First(None, true);
        self.of_call(self.limits.overall, &mut first);
        first.0
    }

    /// The first limit that ends while the call waits in the queue, which it joined at `joined`.
    pub(crate) fn in_queue(&self, joined: Instant) -> Option<Deadline> {
        let mut first = First(None, true);
        first.see(joined, self.limits.queue, Phase::Queue);
        self.of_call(self.limits.overall, &mut first);
        first.0
    }

    /// The first limit that ends while an attempt runs.
    pub(crate) fn in_attempt(&self) -> Option<Deadline> {
        let limits = &self.limits;
        let attempt = &self.attempt;
        // Of limits that end at the same moment, the narrowest is checked first and named in the
        // error.
        let mut first = First(None, attempt.has_bytes);
        if !attempt.has_headers {
            first.see(attempt.started, limits.headers, Phase::Headers);
        }
        match attempt.last_content {
            Some(last) => first.see(last, limits.content_idle, Phase::ContentIdle),
            None => first.see(attempt.started, limits.first_content, Phase::FirstContent),
        }
        if attempt.has_bytes || limits.idles_from_start() {
            first.see(attempt.last_byte, limits.byte_idle, Phase::ByteIdle);
        }
        first.see(attempt.started, limits.attempt, Phase::Attempt);
        let streams = self.mode == Mode::Stream && attempt.last_content.is_some();
        self.of_call(limits.overall.filter(|_| !streams), &mut first);
        first.0
    }

    /// Adds the limits of the whole call.
    fn of_call(&self, overall: Option<Duration>, first: &mut First) {
        if let Some(begins) = self.begins {
            first.see(begins, overall, Phase::Overall);
        }
        first.see(self.called, self.limits.total, Phase::Overall);
    }
}

/// The first of several deadlines, and whether another attempt may follow it. Of deadlines at the
/// same moment, the one that was added first wins.
struct First(Option<Deadline>, bool);

impl First {
    fn see(&mut self, from: Instant, limit: Option<Duration>, phase: Phase) {
        let Some(limit) = limit else {
            return;
        };
        let at = from + limit;
        if self.0.is_none_or(|first| at < first.at) {
            let again = self.1;
            self.0 = Some(Deadline {
                at,
                phase,
                limit,
                again,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_epoch(Duration::from_secs(seconds))
    }

    fn limits() -> Timeouts {
        Timeouts {
            queue: Some(Duration::from_secs(2)),
            headers: Some(Duration::from_secs(3)),
            first_content: Some(Duration::from_secs(6)),
            byte_idle: Some(Duration::from_secs(4)),
            content_idle: Some(Duration::from_secs(5)),
            attempt: None,
            overall: Some(Duration::from_secs(20)),
            ..Timeouts::default()
        }
    }

    fn next(deadlines: &Deadlines) -> (Phase, Instant) {
        let deadline = deadlines.in_attempt().unwrap();
        (deadline.phase, deadline.at)
    }

    #[test]
    fn each_phase_has_its_limit() {
        let mut deadlines = Deadlines::new(limits().into(), Mode::Stream, at(0));
        let queue = deadlines.in_queue(at(0)).unwrap();
        assert_eq!((queue.phase, queue.at), (Phase::Queue, at(2)));

        deadlines.start_attempt(at(1));
        assert_eq!(next(&deadlines), (Phase::Headers, at(4)));
        deadlines.saw_headers(at(2));
        assert_eq!(next(&deadlines), (Phase::ByteIdle, at(6)));
        // A keep-alive extends the limit between bytes, and not the one for content.
        deadlines.saw_bytes(at(5));
        assert_eq!(next(&deadlines), (Phase::FirstContent, at(7)));
        deadlines.saw_bytes(at(6));
        deadlines.saw_content();
        assert_eq!(next(&deadlines), (Phase::ByteIdle, at(10)));
        deadlines.saw_bytes(at(9));
        assert_eq!(next(&deadlines), (Phase::ContentIdle, at(11)));
    }

    #[test]
    fn overall_ends_with_a_streams_first_content_and_not_before() {
        let only_overall = Timeouts {
            byte_idle: None,
            overall: Some(Duration::from_secs(20)),
            ..Timeouts::default()
        };
        for (mode, ends) in [(Mode::Stream, true), (Mode::Whole, false)] {
            let mut deadlines = Deadlines::new(only_overall.clone().into(), mode, at(0));
            deadlines.start_attempt(at(5));
            assert_eq!(next(&deadlines), (Phase::Overall, at(20)));
            deadlines.saw_content();
            assert_eq!(deadlines.in_attempt().is_none(), ends);
        }
    }

    #[test]
    fn a_new_attempt_has_what_is_left_of_the_whole() {
        let mut deadlines = Deadlines::new(limits().into(), Mode::Whole, at(0));
        deadlines.start_attempt(at(18));
        assert_eq!(next(&deadlines), (Phase::Overall, at(20)));
    }
    #[test]
    fn silence_before_the_first_byte_is_the_attempts_own_limit() {
        let overall = Timeouts::default().overall(Duration::from_secs(180));
        let mut deadlines = Deadlines::new(overall.into(), Mode::Whole, at(0));
        deadlines.start_attempt(at(0));
        assert_eq!(next(&deadlines), (Phase::Overall, at(180)));
        deadlines.saw_headers(at(1));
        assert_eq!(next(&deadlines), (Phase::Overall, at(180)));
        deadlines.saw_bytes(at(2));
        assert_eq!(next(&deadlines), (Phase::ByteIdle, at(62)));
    }

    #[test]
    fn nothing_is_sent_again_after_silence() {
        let mut deadlines = Deadlines::new(limits().into(), Mode::Whole, at(0));
        deadlines.start_attempt(at(0));
        let again = |deadlines: &Deadlines| deadlines.in_attempt().unwrap().error().is_retryable();
        assert!(!again(&deadlines));
        deadlines.saw_headers(at(1));
        assert!(!again(&deadlines));
        deadlines.saw_bytes(at(2));
        assert!(again(&deadlines));
        deadlines.start_attempt(at(3));
        assert!(!again(&deadlines));
        assert!(!deadlines.in_queue(at(0)).unwrap().error().is_retryable());
    }
}
