//! What can happen to a batch and to its items.

use super::{Batch, Item};

/// What happens to an item of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ItemFate {
    /// It is answered: `echo: ` and its prompt.
    Answer,
    /// It is answered, and its line comes twice.
    AnswerTwice,
    /// It fails with this status.
    Status(u16),
    /// Its time is over before it runs.
    Expire,
    /// It has no line.
    Missing,
    /// Its line has so many bytes.
    Huge(usize),
    /// Its line is no JSON.
    Garbage,
}

/// What happens to a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BatchFault {
    /// Nothing.
    None,
    /// The creation is refused with this status, and there is no batch.
    Refused(u16),
    /// The batch is created, and the response is a 500.
    CreatedThen500,
    /// The batch ends before the second half of its items has run.
    Expired,
    /// The batch is refused as a whole, with this code; if there is a line, because of it.
    Failed {
        /// The code.
        code: String,
        /// The line, from 1.
        line: Option<u64>,
    },
    /// Until it ends, the batch is in a state that no client knows.
    UnknownState,
    /// Its results are said to be at another origin. Anthropic only.
    ResultsElsewhere,
}

/// What becomes of the item with this number in its batch, as one word.
pub(super) fn word(batch: &Batch, item: &Item, number: usize) -> &'static str {
    let is_in_half = number >= batch.items.len() / 2;
    match item.fate {
        _ if batch.is_cancelled && is_in_half => "cancelled",
        _ if batch.fault == Some(BatchFault::Expired) && is_in_half => "expired",
        ItemFate::Answer => "answer",
        ItemFate::AnswerTwice => "twice",
        ItemFate::Status(_) => "failed",
        ItemFate::Expire => "expired",
        ItemFate::Missing => "missing",
        ItemFate::Huge(_) => "huge",
        ItemFate::Garbage => "garbage",
    }
}
