//! The parts of a message.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Audio, Extra, File, Image, ToolCall, ToolResult};
use crate::words::kinds;

/// One part of a message. Its JSON form has a `type`: `text`, `image`, `file`, `audio`,
/// `tool_call`, `tool_result`, `reasoning`, `refusal` or `other`. It is read from OpenAI's form as
/// well (`image_url`, `file`, `input_audio`); a part of any other type is an
/// [`Other`](Self::Other).
///
/// An `extra` field whose name is that of a dialect, for example `anthropic`, is an object of what
/// only that dialect understands; the others leave it out.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Part {
    /// Text.
    Text(Text),
    /// A picture.
    Image(Image),
    /// A document.
    File(File),
    /// Sound.
    Audio(Audio),
    /// A tool that the model asks to be called.
    ToolCall(ToolCall),
    /// What a tool that the model called gave back.
    ToolResult(ToolResult),
    /// What the model wrote while it reasoned.
    Reasoning(Reasoning),
    /// Why the model declines to answer, where the provider keeps that apart from its text.
    Refusal(Refusal),
    /// A block that chatcore has no name for, kept as it came and sent back as it is.
    Other {
        /// The dialect it came from, by its short name: the encoders of other dialects leave it
        /// out. A block without one goes with every dialect.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dialect: Option<String>,
        /// The block as JSON.
        value: Value,
    },
}

impl Part {
    kinds! {
        /// The kind as one stable word in snake case: the `type` of its JSON form.
        Self::Text(_) = "text",
        Self::Image(_) = "image",
        Self::File(_) = "file",
        Self::Audio(_) = "audio",
        Self::ToolCall(_) = "tool_call",
        Self::ToolResult(_) = "tool_result",
        Self::Reasoning(_) = "reasoning",
        Self::Refusal(_) = "refusal",
        Self::Other { .. } = "other",
    }

    /// A text part.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(Text::new(text))
    }
}

/// Text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Text {
    /// The text.
    pub text: String,
    /// Fields of the part that chatcore has no name for, such as citations or `cache_control`.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl Text {
    /// Plain text.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            extra: Extra::new(),
        }
    }
}

/// What the model wrote while it reasoned.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reasoning {
    /// The text; empty where the provider keeps it back.
    pub text: String,
    /// The provider's proof that the text is its own; must go back unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// Reasoning that the provider encrypts (Anthropic's `redacted_thinking`); must go back
    /// unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encrypted: Option<String>,
    /// Fields of the part that chatcore has no name for.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl Reasoning {
    /// Reasoning without a signature.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    /// Adds the provider's signature.
    #[must_use]
    pub fn signature(mut self, signature: impl Into<String>) -> Self {
        self.signature = Some(signature.into());
        self
    }

    /// Reasoning of which only the encrypted form is known.
    pub fn encrypted(data: impl Into<String>) -> Self {
        Self {
            encrypted: Some(data.into()),
            ..Self::default()
        }
    }
}

/// Why the model declines to answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Refusal {
    /// Its words.
    pub text: String,
    /// Fields of the part that chatcore has no name for.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl Refusal {
    /// A refusal in these words.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            extra: Extra::new(),
        }
    }
}

impl From<Text> for Part {
    fn from(text: Text) -> Self {
        Self::Text(text)
    }
}

impl From<ToolCall> for Part {
    fn from(call: ToolCall) -> Self {
        Self::ToolCall(call)
    }
}

impl From<ToolResult> for Part {
    fn from(result: ToolResult) -> Self {
        Self::ToolResult(result)
    }
}

impl From<Reasoning> for Part {
    fn from(reasoning: Reasoning) -> Self {
        Self::Reasoning(reasoning)
    }
}

impl From<Refusal> for Part {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}
