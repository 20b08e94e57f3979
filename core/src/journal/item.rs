//! Items and their results.

use std::time::Duration;

use crate::chat::{ChatRequest, ChatResponse};
use crate::error::Error;

/// One item of a batch, as a journal hands it out.
#[derive(Clone, Debug)]
pub struct Item {
    /// The item's number in the input, from 1. In a file, it is the line number.
    pub place: u64,
    /// The item's name, which is unique in the input; OpenAI's `custom_id`.
    pub id: String,
    /// A value for the journal's own use. The worker returns it unchanged with the result.
    pub tag: u64,
    /// The request. An error if the input could not be read; the item is then recorded as failed
    /// with this error, and nothing is sent.
    pub request: Result<ChatRequest, Error>,
}

/// The result of an item.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The item's [`place`](Item::place).
    pub place: u64,
    /// The item's [`id`](Item::id).
    pub id: String,
    /// The item's [`tag`](Item::tag).
    pub tag: u64,
    /// The answer, or why there is none.
    pub result: Result<ChatResponse, Error>,
    /// How long the item took from when the worker started it, including the wait for the client's
    /// queue and rate limits, and all attempts.
    pub took: Duration,
}

/// How the journal handled a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// The result was recorded.
    First,
    /// The item already had a result, which was kept.
    Already,
}

/// The progress of a run, over all its workers and all its restarts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// All items, if their number is known.
    pub total: Option<u64>,
    /// Items that have an answer.
    pub done: u64,
    /// Items that have an error.
    pub failed: u64,
    /// Prompt tokens of the items that have an answer.
    pub input_tokens: u64,
    /// Output tokens of the items that have an answer.
    pub output_tokens: u64,
}

impl Counts {
    /// Adds one result.
    pub fn add(&mut self, result: &Result<ChatResponse, Error>) {
        match result {
            Ok(answer) => {
                self.done += 1;
                if let Some(usage) = &answer.usage {
                    self.input_tokens = self.input_tokens.saturating_add(usage.input_tokens);
                    self.output_tokens = self.output_tokens.saturating_add(usage.output_tokens);
                }
            }
            Err(_) => self.failed += 1,
        }
    }

    /// Items that have a result: an answer or an error.
    pub fn finished(&self) -> u64 {
        self.done + self.failed
    }
}
