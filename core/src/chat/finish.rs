//! Why an answer ended.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::words::open_words;

/// Why the model stopped, in chatcore's words. [`ChatResponse::finish_reason_raw`] keeps the
/// provider's own.
///
/// [`ChatResponse::finish_reason_raw`]: super::ChatResponse::finish_reason_raw
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum FinishReason {
    /// It was done, or reached a stop sequence.
    Stop,
    /// It reached `max_tokens`, or the end of its context window.
    Length,
    /// It asks for tools to be called.
    ToolCalls,
    /// The provider's filter held something back.
    ContentFilter,
    /// It declined to answer.
    Refusal,
    /// The provider paused a long turn; send the answer back to go on.
    Pause,
    /// Another reason, in the provider's word.
    Other(String),
}

open_words! {
    FinishReason:
    /// A short name: `stop`, `length`, `tool_calls`, `content_filter`, `refusal`, `pause`, or
    /// the provider's own.
    Stop = "stop",
    Length = "length",
    ToolCalls = "tool_calls",
    ContentFilter = "content_filter",
    Refusal = "refusal",
    Pause = "pause",
}

impl fmt::Display for FinishReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
