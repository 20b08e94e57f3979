//! An answer on its way to the caller, and the account of it.

use std::task::{Context, Poll, ready};

use super::attempt::Attempt;
use super::{Asked, Outcome};
use crate::chat::{ChatEvent, ChatResponse};
use crate::error::Error;

/// An answer whose first content is there, or all of it.
pub(crate) struct Answer {
    outcome: Outcome,
    attempt: Box<Attempt>,
    asked: Asked,
    /// Whether there is nothing more to hand over.
    ended: bool,
}

impl Answer {
    pub(super) fn new(outcome: Outcome, mut attempt: Box<Attempt>, asked: Asked) -> Self {
        attempt.set_attempts(outcome.attempts());
        Self {
            outcome,
            attempt,
            asked,
            ended: false,
        }
    }

    /// The next event to hand over; `None` at the end, and after an error.
    pub(crate) fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<ChatEvent, Error>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let attempt = &mut self.attempt;
        match ready!(self.outcome.span().enter(|| attempt.poll_next(cx))) {
            Ok(Some(event)) => {
                // Who drops the stream now has the whole answer.
                if matches!(event, ChatEvent::Finish { .. }) {
                    self.settle();
                }
                Poll::Ready(Some(Ok(event)))
            }
            Ok(None) => {
                self.ended = true;
                self.settle();
                Poll::Ready(None)
            }
            Err(error) => {
                self.ended = true;
                let found = self.asked.plan.found_in(&error);
                self.outcome.learn(self.asked.named.as_deref(), found);
                Poll::Ready(Some(Err(self.outcome.failed(error))))
            }
        }
    }

    fn settle(&mut self) {
        self.outcome.succeeded(self.attempt.partial());
    }

    /// What was handed over so far.
    pub(crate) fn partial(&self) -> &ChatResponse {
        self.attempt.partial()
    }

    /// The answer, once all of it was read.
    pub(crate) fn into_response(mut self) -> ChatResponse {
        self.settle();
        self.attempt.take_response()
    }
}
