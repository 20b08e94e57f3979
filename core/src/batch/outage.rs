//! The rule that ends a run when the provider cannot be reached, so that an outage does not turn every
//! item into an error.
//!
//! A request is *unanswered* if no connection was made, or if the connection was dropped before any
//! content came. Its item pauses and is sent again, until its cause is clear:
//!
//! ```text
//!  unanswered ─► pause ─► again ─┬─► answered: the item's result
//!                 ▲              ├─► others were answered meanwhile: the error is the item's own
//!                 └──────────────┼─► unanswered, and so are the others: the run ends
//!                                └─► unanswered for the last time: the error is the item's own
//! ```

use std::error::Error as _;
use std::time::Duration;

use crate::chat::ChatResponse;
use crate::error::{Error, ErrorKind};
use crate::transport::TransportError;

/// The run ends after this many unanswered requests in a row for each item in flight.
const ROUNDS: usize = 3;

/// How many items in a row must lose their connections until the run ends, if the provider answered
/// before. A few items may each make the server fail, for example by their size.
const ITEMS: usize = 5;

/// How many tries an item has at most. The pauses between them take more than half a minute.
const TRIES: u32 = 8;

/// The pause before the second and third try. Each later pause is twice as long.
const PAUSE: Duration = Duration::from_secs(1);

/// What a run knows about the provider.
#[derive(Debug, Default)]
pub(super) struct Outage {
    has_answered: bool,
    /// How many requests were not answered.
    unanswered: u64,
    /// A request that was sent after this many of them was answered. An answer to an older request
    /// says nothing about the provider now.
    answered_after: u64,
    /// The first unanswered request of each item since then.
    items: Vec<u64>,
}

/// The unanswered tries of one item.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tries {
    count: u32,
    /// [`Outage::unanswered`] at the last one.
    last: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The error is the result of the item.
    Own,
    /// The item is sent again after this pause. It keeps its place among the items in flight, or
    /// lets another item run meanwhile.
    Again { after: Duration, keeps_place: bool },
    /// The provider cannot be reached: the run ends.
    Ended,
}

impl Outage {
    /// How many requests were not answered until now. A request carries this number, so that its
    /// answer shows since when the provider can be reached.
    pub(super) fn unanswered(&self) -> u64 {
        self.unanswered
    }

    /// Counts an answer, and errors that only a provider can give, to a request that was sent after
    /// `sent_after` unanswered ones.
    pub(super) fn ended(&mut self, result: &Result<ChatResponse, Error>, sent_after: u64) {
        if !is_answered(result) {
            return;
        }
        self.has_answered = true;
        if sent_after > self.answered_after {
            self.answered_after = sent_after;
            self.items.retain(|&first| first > sent_after);
        }
    }

    /// Decides about an unanswered request of an item, while `in_flight` items are in flight.
    pub(super) fn judge(&mut self, tries: &mut Tries, error: &Error, in_flight: usize) -> Verdict {
        self.unanswered += 1;
        // Whether the item's error before this one came while the provider could be reached.
        let is_own = tries.count > 0 && self.answered_after >= tries.last;
        if tries.count == 0 || is_own {
            self.items.push(self.unanswered);
        }
        tries.count += 1;
        tries.last = self.unanswered;
        // Every item would find the same certificate.
        if is_unreached(error) && !error.is_retryable() {
            return Verdict::Ended;
        }
        if is_own {
            return Verdict::Own;
        }
        // An item cannot be the reason that no connection is made.
        let concerns_all = is_unreached(error) || self.items.len() >= ITEMS || !self.has_answered;
        let in_a_row = self.unanswered - self.answered_after;
        if in_a_row >= (ROUNDS * in_flight.max(1)) as u64 && concerns_all {
            return Verdict::Ended;
        }
        if tries.count >= TRIES {
            return Verdict::Own;
        }
        let doublings = tries.count.saturating_sub(ROUNDS as u32 - 1);
        Verdict::Again {
            after: PAUSE * (1 << doublings),
            keeps_place: tries.count < ROUNDS as u32,
        }
    }
}

/// The error of a run that ends because of `cause`.
pub(super) fn unreachable(cause: &Error) -> Error {
    let what = match is_unreached(cause) {
        true => "nothing connects any more",
        false => "the server drops every connection without an answer",
    };
    let why = format!("{what}, so the batch was stopped: {}", cause.message());
    Error::new(cause.kind(), why)
        .with_code(Some("unreachable".to_owned()))
        .with_source(cause.clone())
}

/// Whether nothing of an answer came.
pub(super) fn is_unanswered(error: &Error) -> bool {
    let is_dropped = matches!(error.kind(), ErrorKind::Connection | ErrorKind::Truncated)
        && error.status().is_none()
        && error.partial().is_none();
    is_dropped || is_unreached(error)
}

/// Whether no connection was made.
fn is_unreached(error: &Error) -> bool {
    let of_connecting = matches!(error.kind(), ErrorKind::Connection | ErrorKind::Timeout);
    let source = error.source().and_then(|source| source.downcast_ref());
    of_connecting && source.is_some_and(|source: &TransportError| source.kind().is_before_sending())
}

/// Whether the provider answered. An error that was found before sending says nothing about it, and
/// neither does a time limit.
fn is_answered(result: &Result<ChatResponse, Error>) -> bool {
    match result {
        Ok(_) => true,
        Err(error) => {
            error.status().is_some()
                || error.partial().is_some()
                || matches!(error.kind(), ErrorKind::Protocol | ErrorKind::OutOfTokens)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::TransportErrorKind;

    fn error(kind: TransportErrorKind) -> Error {
        TransportError::new(kind, "no connection").into()
    }

    const AGAIN: Verdict = Verdict::Again {
        after: PAUSE,
        keeps_place: true,
    };

    #[test]
    fn nothing_that_connects_ends_the_run_after_three_rounds() {
        let mut outage = Outage::default();
        outage.ended(&Ok(ChatResponse::default()), outage.unanswered());
        let mut tries = [Tries::default(); 2];
        let refused = error(TransportErrorKind::Connect);
        for round in 1..=ROUNDS {
            for (number, tries) in tries.iter_mut().enumerate() {
                let verdict = outage.judge(tries, &refused, 2);
                match (round, number) {
                    (3, 1) => assert_eq!(verdict, Verdict::Ended),
                    (3, 0) => assert!(matches!(verdict, Verdict::Again { .. })),
                    _ => assert_eq!(verdict, AGAIN),
                }
            }
        }
        // An untrusted certificate is not retried.
        let mut first = Tries::default();
        let tls = error(TransportErrorKind::Tls);
        assert_eq!(Outage::default().judge(&mut first, &tls, 5), Verdict::Ended);
    }

    #[test]
    fn an_error_is_the_items_own_if_others_are_answered() {
        for kind in [TransportErrorKind::Connect, TransportErrorKind::Reset] {
            let (mut outage, mut tries) = (Outage::default(), Tries::default());
            assert_eq!(outage.judge(&mut tries, &error(kind), 5), AGAIN);
            outage.ended(&Ok(ChatResponse::default()), outage.unanswered());
            let verdict = outage.judge(&mut tries, &error(kind), 5);
            assert_eq!(verdict, Verdict::Own);
        }
    }

    #[test]
    fn an_answer_to_an_older_request_says_nothing() {
        let (mut outage, mut tries) = (Outage::default(), Tries::default());
        let refused = error(TransportErrorKind::Connect);
        let sent_after = outage.unanswered();
        assert_eq!(outage.judge(&mut tries, &refused, 1), AGAIN);
        outage.ended(&Ok(ChatResponse::default()), sent_after);
        assert_eq!(outage.judge(&mut tries, &refused, 1), AGAIN);
        assert_eq!(outage.judge(&mut tries, &refused, 1), Verdict::Ended);
    }

    #[test]
    fn dropped_connections_end_the_run_only_if_several_items_lose_them() {
        let dropped = error(TransportErrorKind::Reset);
        let mut outage = Outage::default();
        let mut tries = Tries::default();
        let verdicts = (0..ROUNDS).map(|_| outage.judge(&mut tries, &dropped, 1));
        assert_eq!(
            verdicts.last(),
            Some(Verdict::Ended),
            "nothing was ever answered"
        );

        let mut outage = Outage::default();
        outage.ended(&Ok(ChatResponse::default()), outage.unanswered());
        let (mut tries, mut paused) = (Tries::default(), Duration::ZERO);
        while let Verdict::Again { after, keeps_place } = outage.judge(&mut tries, &dropped, 1) {
            paused += after;
            assert_eq!(keeps_place, tries.count < 3);
        }
        assert_eq!(tries.count, TRIES, "one item ends as an error");
        assert!(paused > Duration::from_secs(30), "{paused:?}");
        let others: Vec<_> = (2..=ITEMS)
            .map(|_| outage.judge(&mut Tries::default(), &dropped, 1))
            .collect();
        assert_eq!(others, [AGAIN, AGAIN, AGAIN, Verdict::Ended]);
    }

    #[test]
    fn what_was_answered_is_told_from_what_was_not() {
        let part = Error::new(ErrorKind::Truncated, "cut").with_partial(ChatResponse::default());
        let status = Error::new(ErrorKind::Server, "no").with_status(http::StatusCode::BAD_GATEWAY);
        for answered in [part, status, Error::new(ErrorKind::OutOfTokens, "x")] {
            assert!(!is_unanswered(&answered));
            assert!(is_answered(&Err(answered)));
        }
        for kind in [
            TransportErrorKind::Reset,
            TransportErrorKind::Truncated,
            TransportErrorKind::Dns,
        ] {
            assert!(is_unanswered(&error(kind)));
            assert!(!is_answered(&Err(error(kind))));
        }
        let late = Error::timeout(crate::error::Phase::FirstContent, PAUSE);
        assert!(!is_unanswered(&late) && !is_answered(&Err(late)));
    }
}
