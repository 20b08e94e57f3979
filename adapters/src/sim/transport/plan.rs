//! Plans what a body does and when: an answer and its fault, before the first byte is sent.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use chatcore::TransportErrorKind;

use super::answer::{self, Answer, Stream};
use super::fault::Fault;

/// One step of a body.
#[derive(Debug)]
pub(super) enum Piece {
    /// Sends bytes that contain this many tokens.
    Data(Bytes, u64),
    /// Fails with this error.
    Fail(TransportErrorKind, &'static str),
    /// Sends these bytes again and again, at this interval.
    Repeat(Bytes, Duration),
    /// Does nothing more, although the answer is incomplete.
    Hang,
    /// Does nothing more, because the answer is complete.
    Linger,
}

/// The steps of a body, each after a wait. The body ends after the last step.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) pieces: VecDeque<(Duration, Piece)>,
}

impl Plan {
    /// A body that is available at once.
    pub(super) fn whole(body: impl Into<Bytes>, tokens: u64) -> Self {
        let mut plan = Self::default();
        plan.push(Duration::ZERO, Piece::Data(body.into(), tokens));
        plan
    }

    /// The body of a whole answer, broken by `fault` if there is one.
    pub(super) fn of_whole(answer: &Answer<'_>, fault: Option<Fault>) -> Self {
        let tokens = answer.tokens.len();
        let body = Bytes::from(answer.whole());
        if let Some(Fault::ErrorEvent { .. }) = fault {
            return Self::whole(answer::error(answer.ask.form, 500, ERROR), 0);
        }
        let mut plan = Self::default();
        match fault.and_then(after_tokens) {
            Some(after) => {
                // Never all of it, because a fault after the end would have no effect.
                let after = after.min(tokens);
                let bytes = body.len() * after / (tokens + 1);
                plan.push_data(Duration::ZERO, body.slice(..bytes), after as u64);
            }
            None => plan.push_data(Duration::ZERO, body, tokens as u64),
        }
        plan.push_fault(fault, &mut answer.stream(), Bytes::from_static(b"\n"));
        plan
    }

    /// The body of a streamed answer, broken by `fault` if there is one. `wait` returns the time
    /// before each token.
    pub(super) fn of_stream(
        answer: &Answer<'_>,
        fault: Option<Fault>,
        mut wait: impl FnMut(usize) -> Duration,
    ) -> Self {
        let mut plan = Self::default();
        let mut stream = answer.stream();
        plan.push_data(Duration::ZERO, answer.opening(&mut stream).into(), 0);
        let sent = fault.and_then(after_tokens).unwrap_or(usize::MAX);
        for (place, token) in answer.tokens.iter().take(sent).enumerate() {
            plan.push_data(wait(place), stream.token(token).into(), 1);
        }
        if fault.and_then(after_tokens).is_none() {
            plan.push_data(Duration::ZERO, answer.ending(&mut stream).into(), 0);
        }
        let keep_alive = Bytes::from_static(b": keep-alive\n\n");
        plan.push_fault(fault, &mut stream, keep_alive);
        plan
    }

    /// Whether the answer is complete, so that the provider no longer works on it.
    pub(super) fn is_said(&self) -> bool {
        matches!(self.pieces.front(), None | Some((_, Piece::Linger)))
    }

    fn push_fault(&mut self, fault: Option<Fault>, stream: &mut Stream, keep_alive: Bytes) {
        let piece = match fault {
            Some(Fault::Reset { .. }) => Piece::Fail(
                TransportErrorKind::Truncated,
                "the simulated connection was reset within the body",
            ),
            Some(Fault::Truncated { .. }) => Piece::Fail(
                TransportErrorKind::Truncated,
                "the simulated body was shorter than its length",
            ),
            Some(Fault::KeepAlives { every, .. }) => {
                Piece::Repeat(keep_alive, every.max(Duration::from_millis(1)))
            }
            Some(Fault::ErrorEvent { .. }) => Piece::Data(stream.error(ERROR).into(), 0),
            Some(Fault::Stalls { .. }) => Piece::Hang,
            Some(Fault::StaysOpen) => Piece::Linger,
            _ => return,
        };
        self.push(Duration::ZERO, piece);
    }

    fn push_data(&mut self, wait: Duration, bytes: Bytes, tokens: u64) {
        if !bytes.is_empty() {
            self.push(wait, Piece::Data(bytes, tokens));
        }
    }

    fn push(&mut self, wait: Duration, piece: Piece) {
        self.pieces.push_back((wait, piece));
    }
}

/// The message of an error with status 200.
const ERROR: &str = "a simulated failure within the answer";

/// After how many tokens a fault breaks the body; `None` if it leaves the body whole.
fn after_tokens(fault: Fault) -> Option<usize> {
    match fault {
        Fault::Reset { after_tokens }
        | Fault::Truncated { after_tokens }
        | Fault::EndsEarly { after_tokens }
        | Fault::Stalls { after_tokens }
        | Fault::KeepAlives { after_tokens, .. }
        | Fault::ErrorEvent { after_tokens } => Some(after_tokens),
        _ => None,
    }
}
