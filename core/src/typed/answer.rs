//! A typed answer.

use crate::chat::{ChatResponse, Usage};

/// The value of a typed answer, and the response that it was read from.
///
/// No example here: [`ChatCall::json_schema`](crate::ChatCall::json_schema) has one.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct JsonAnswer<T> {
    /// The value.
    pub value: T,
    /// The whole answer. If the model had to correct itself, it is the last answer, and its
    /// [`usage`](ChatResponse::usage) and [`attempts`](ChatResponse::attempts) count all of them.
    pub response: ChatResponse,
}

impl<T> JsonAnswer<T> {
    pub(super) fn new(value: T, response: ChatResponse) -> Self {
        Self { value, response }
    }

    /// The value alone.
    pub fn into_value(self) -> T {
        self.value
    }
}

/// The attempts and the usage of several answers to one call.
#[derive(Debug, Default)]
pub(super) struct Spent {
    pub(super) attempts: u32,
    usage: Option<Usage>,
}

impl Spent {
    /// Adds an answer, then sets its attempts and usage to the totals so far.
    pub(super) fn add(&mut self, answer: &mut ChatResponse) {
        self.attempts = self.attempts.saturating_add(answer.attempts);
        if let Some(usage) = &mut answer.usage {
            if let Some(before) = &self.usage {
                usage.add(before);
            }
            self.usage = Some(usage.clone());
        }
        answer.usage.clone_from(&self.usage);
        answer.attempts = self.attempts;
    }
}
