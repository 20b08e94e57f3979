//! The events of a stream.

use super::{Extra, FinishReason, Part, Usage};
use crate::words::kinds;

/// One piece of an answer. A [`Fold`](super::Fold) of all events is the
/// [`ChatResponse`](super::ChatResponse).
///
/// ```
/// # async fn example(client: chatcore::LlmClient) -> Result<(), chatcore::Error> {
/// use chatcore::ChatEvent;
///
/// let mut stream = client.ask("Why is the sky blue?").stream();
/// while let Some(event) = stream.next().await {
///     match event? {
///         ChatEvent::Text(text) => print!("{text}"),
///         ChatEvent::Usage(usage) => println!("{} tokens", usage.total_tokens()),
///         _ => {}
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ChatEvent {
    /// The answer has begun. May be repeated as more becomes known; the first value of each field
    /// counts.
    Start {
        /// The provider's id of the answer.
        id: Option<String>,
        /// The model that answers.
        model: Option<String>,
    },
    /// More text.
    Text(String),
    /// More of the model's reasoning.
    Reasoning(String),
    /// The provider's signature of the reasoning before it.
    ReasoningSignature(String),
    /// More of the model's reason for declining.
    Refusal(String),
    /// A tool call begins.
    ToolCallStart {
        /// The call's index among the answer's tool calls, from 0.
        index: usize,
        /// The provider's id of the call. If it is empty, a later event with the same index may
        /// bring it.
        id: String,
        /// The tool's name.
        name: String,
    },
    /// More of a tool call's arguments.
    ToolCallArguments {
        /// The call's index among the answer's tool calls, from 0.
        index: usize,
        /// A piece of JSON text. The pieces with the same index, joined, are the arguments.
        fragment: String,
    },
    /// Fields of a tool call that must be sent back unchanged.
    ToolCallExtra {
        /// The call's index among the answer's tool calls, from 0.
        index: usize,
        /// The fields.
        extra: Extra,
    },
    /// A part that arrives in one piece. Boxed, because it is large and rare, and would make every
    /// other event as large.
    Part(Box<Part>),
    /// The current part is complete. The next piece begins another part.
    PartEnd,
    /// Unknown fields of the current part. Arrays of the same key are joined, also within objects.
    PartExtra(Extra),
    /// Fields of the message that must be sent back with it, such as thought signatures.
    MessageExtra(Extra),
    /// The usage of the answer so far. The last value counts.
    Usage(Usage),
    /// Unknown fields of the answer. The last value of each key counts. Arrays of the same key are
    /// joined, also within objects.
    Extra(Extra),
    /// The model stopped. This event comes once, as the last one, after the usage.
    Finish {
        /// The reason in chatcore's terms.
        reason: FinishReason,
        /// The provider's word for the reason.
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

    /// A part that arrives in one piece.
    pub fn part(part: impl Into<Part>) -> Self {
        Self::Part(Box::new(part.into()))
    }

    /// Whether the event is meaningful output. Such an event ends the wait for the first content,
    /// and after it was handed over the request is not retried.
    pub fn is_content(&self) -> bool {
        match self {
            Self::Text(text) | Self::Reasoning(text) | Self::Refusal(text) => !text.is_empty(),
            Self::ToolCallStart { .. } | Self::ToolCallArguments { .. } | Self::Part(_) => true,
            _ => false,
        }
    }

    /// The text, if the event is text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}
