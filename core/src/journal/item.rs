//! What a journal hands out, and what it takes back.

use std::time::Duration;

use crate::chat::{ChatRequest, ChatResponse};
use crate::error::Error;

/// One item of a batch, as a journal hands it out.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its number in the input, from 1; of a file, the number of its line.
    pub place: u64,
    /// Its name, which is unique in the input: OpenAI's `custom_id`.
    pub id: String,
    /// What the journal wants to know again when the result is recorded; the worker hands it back
    /// as it is.
    pub tag: u64,
    /// What to ask. An error where the input cannot be read: the item is then recorded as failed
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
    /// How long the item took, from when the worker began it: with its wait for the client's queue
    /// and rate limits, all attempts included.
    pub took: Duration,
}

/// What became of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It is the item's result.
    First,
    /// The item had a result already, which stays.
    Already,
}

/// How far a run is, over all its workers and all its lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Items in all, where that is known.
    pub total: Option<u64>,
    /// Items that have an answer.
    pub done: u64,
    /// Items that have an error.
    pub failed: u64,
    /// Tokens of the prompts of those that have an answer.
    pub input_tokens: u64,
    /// Tokens of the answers.
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

    /// Items that have a result, an answer or an error.
    pub fn finished(&self) -> u64 {
        self.done + self.failed
    }
}
