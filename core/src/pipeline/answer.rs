//! An answer on its way to the caller, and the account of it.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::attempt::Attempt;
use super::{Core, Outcome};
use crate::chat::{ChatEvent, ChatResponse};
use crate::error::Error;

/// An answer whose first content is there, or all of it.
pub(crate) struct Answer {
    core: Arc<Core>,
    outcome: Outcome,
    attempt: Attempt,
    attempts: u32,
}

impl Answer {
    pub(super) fn new(core: Arc<Core>, outcome: Outcome, attempt: Attempt, attempts: u32) -> Self {
        Self {
            core,
            outcome,
            attempt,
            attempts,
        }
    }

    /// The next event to hand over; `None` at the end, and after an error.
    pub(crate) fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<ChatEvent, Error>>> {
        if self.outcome.is_settled() {
            return Poll::Ready(None);
        }
        match ready!(self.attempt.poll_next(cx)) {
            Ok(Some(event)) => Poll::Ready(Some(Ok(event))),
            Ok(None) => {
                self.outcome.succeeded();
                Poll::Ready(None)
            }
            Err(error) => {
                self.outcome.failed();
                let error = self.core.finish_error(error, self.attempts);
                Poll::Ready(Some(Err(error)))
            }
        }
    }

    /// What was handed over so far.
    pub(crate) fn partial(&self) -> &ChatResponse {
        self.attempt.partial()
    }

    /// The answer, once all of it was read.
    pub(crate) fn into_response(mut self) -> ChatResponse {
        self.outcome.succeeded();
        let mut response = self.attempt.take_response();
        response.attempts = self.attempts;
        response
    }
}
