//! Why an answer ended.

use std::fmt;

use serde::{Deserialize, Serialize};

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

impl FinishReason {
    /// A short name: `stop`, `length`, `tool_calls`, `content_filter`, `refusal`, `pause`, or
    /// the provider's own.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::ToolCalls => "tool_calls",
            Self::ContentFilter => "content_filter",
            Self::Refusal => "refusal",
            Self::Pause => "pause",
            Self::Other(other) => other,
        }
    }
}

impl fmt::Display for FinishReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<String> for FinishReason {
    fn from(word: String) -> Self {
        match word.as_str() {
            "stop" => Self::Stop,
            "length" => Self::Length,
            "tool_calls" => Self::ToolCalls,
            "content_filter" => Self::ContentFilter,
            "refusal" => Self::Refusal,
            "pause" => Self::Pause,
            _ => Self::Other(word),
        }
    }
}

impl From<FinishReason> for String {
    fn from(word: FinishReason) -> Self {
        word.as_str().to_owned()
    }
}
