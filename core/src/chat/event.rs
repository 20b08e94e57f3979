//! What a stream hands over.

use super::{Extra, FinishReason, Part, Usage};
use crate::words::kinds;

/// One piece of an answer. A [`Fold`](super::Fold) of all of them is the
/// [`ChatResponse`](super::ChatResponse).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ChatEvent {
    /// The answer has begun. May come again as more becomes known; the first value of each
    /// field stays.
    Start {
        /// The provider's id of the answer.
        id: Option<String>,
        /// The model that answers.
        model: Option<String>,
    },
    /// More text.
    Text(String),
    /// More of what the model writes while it reasons.
    Reasoning(String),
    /// The provider's proof of the reasoning before it.
    ReasoningSignature(String),
    /// More of why the model declines.
    Refusal(String),
    /// A tool call begins.
    ToolCallStart {
        /// Its place among the answer's tool calls, from 0.
        index: usize,
        /// The provider's id of the call; a later event of the same index may bring it when it
        /// is empty here.
        id: String,
        /// The tool's name.
        name: String,
    },
    /// More of a tool call's arguments.
    ToolCallArguments {
        /// Its place among the answer's tool calls, from 0.
        index: usize,
        /// A piece of JSON text; the pieces of one index, joined, are the arguments.
        fragment: String,
    },
    /// Fields of a tool call that must go back unchanged.
    ToolCallExtra {
        /// Its place among the answer's tool calls, from 0.
        index: usize,
        /// The fields.
        extra: Extra,
    },
    /// A part that comes whole. Boxed, because it is rare and large: every other event would take
    /// as much room.
    Part(Box<Part>),
    /// The part that was being built is complete; the next piece begins another.
    PartEnd,
    /// Fields of the part being built that chatcore has no name for. Arrays of one key are
    /// joined, also inside of objects.
    PartExtra(Extra),
    /// Fields of the message that must go back with it, such as thought signatures.
    MessageExtra(Extra),
    /// What the answer has cost so far; the last one counts.
    Usage(Usage),
    /// Fields of the answer that chatcore has no name for; the last value of each key counts,
    /// and arrays of one key are joined, also inside of objects.
    Extra(Extra),
    /// The model stopped. It comes once and last: what the answer cost comes before it.
    Finish {
        /// Why, in chatcore's words.
        reason: FinishReason,
        /// Why, in the provider's.
        raw: String,
    },
}

impl ChatEvent {
    kinds! {
        /// The kind as one stable word in snake case: the `type` of its JSON in the npm package.
        Self::Start { .. } = "start",
        Self::Text(_) = "text",
        Self::Reasoning(_) = "reasoning",
        Self::ReasoningSignature(_) = "reasoning_signature",
        Self::Refusal(_) = "refusal",
        Self::ToolCallStart { .. } = "tool_call_start",
        Self::ToolCallArguments { .. } = "tool_call_arguments",
        Self::ToolCallExtra { .. } = "tool_call_extra",
        Self::Part(_) = "part",
        Self::PartEnd = "part_end",
        Self::PartExtra(_) = "part_extra",
        Self::MessageExtra(_) = "message_extra",
        Self::Usage(_) = "usage",
        Self::Extra(_) = "extra",
        Self::Finish { .. } = "finish",
    }

    /// A part that comes whole.
    pub fn part(part: impl Into<Part>) -> Self {
        Self::Part(Box::new(part.into()))
    }

    /// Whether this is meaningful output: what ends the wait for the first content, and what
    /// rules a retry out once it was handed over.
    pub fn is_content(&self) -> bool {
        match self {
            Self::Text(text) | Self::Reasoning(text) | Self::Refusal(text) => !text.is_empty(),
            Self::ToolCallStart { .. } | Self::ToolCallArguments { .. } | Self::Part(_) => true,
            _ => false,
        }
    }

    /// The text, if this is text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}
