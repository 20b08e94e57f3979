//! The parts of a message.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Audio, Extra, File, Image, ToolCall, ToolResult};
use crate::words::kinds;

/// One part of a message. Its JSON form has a `type`: `text`, `image`, `file`, `audio`,
/// `tool_call`, `tool_result`, `reasoning`, `refusal` or `other`. OpenAI's form can be read too
/// (`image_url`, `file`, `input_audio`). A part of any other type is an [`Other`](Self::Other).
///
/// An `extra` field with the name of a dialect, for example `anthropic`, is an object that only
/// that dialect understands. The other dialects leave it out.
///
/// ```
/// use chatcore::chat::{Image, MediaSource};
/// use chatcore::{Message, Part};
///
/// let picture = Image::new(MediaSource::base64("image/png", "iVBORw0KGgo="));
/// let message = Message::user("What is this?").part(picture);
/// assert!(matches!(message.parts[..], [Part::Text(_), Part::Image(_)]));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Part {
    /// Text.
    Text(Text),
    /// An image.
    Image(Image),
    /// A document.
    File(File),
    /// Audio.
    Audio(Audio),
    /// A call of a tool.
    ToolCall(ToolCall),
    /// The result of a tool call.
    ToolResult(ToolResult),
    /// The model's reasoning.
    Reasoning(Reasoning),
    /// The model's reason for declining to answer, if the provider separates it from the text.
    Refusal(Refusal),
    /// A block of an unknown type. It is kept as it came, and sent back unchanged.
    Other {
        /// The short name of the dialect that the block came from. Other dialects leave the block
        /// out. A block without a dialect is sent in every dialect.
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
///
/// ```
/// use chatcore::Part;
///
/// assert_eq!(Part::text("hi").kind(), "text");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Text {
    /// The text.
    pub text: String,
    /// Unknown fields of the part, such as citations or `cache_control`.
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

/// The model's reasoning.
///
/// ```
/// use chatcore::chat::Reasoning;
/// use chatcore::{Message, Part, Role};
///
/// let thought = Reasoning::new("2 + 2 is 4.").signature("EqQB…");
/// let message = Message::new(Role::Assistant, [thought.into(), Part::text("4")]);
/// assert_eq!(message.reasoning(), "2 + 2 is 4.");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reasoning {
    /// The text. Empty if the provider withholds it.
    pub text: String,
    /// The provider's signature of the text. It must be sent back unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// Reasoning that the provider encrypts (Anthropic's `redacted_thinking`). It must be sent back
    /// unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encrypted: Option<String>,
    /// Unknown fields of the part.
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

    /// Sets the provider's signature.
    #[must_use]
    pub fn signature(mut self, signature: impl Into<String>) -> Self {
        self.signature = Some(signature.into());
        self
    }

    /// Reasoning with only an encrypted form.
    pub fn encrypted(data: impl Into<String>) -> Self {
        Self {
            encrypted: Some(data.into()),
            ..Self::default()
        }
    }
}

/// The model's reason for declining to answer.
///
/// ```
/// # async fn example(client: chatcore::LlmClient) -> Result<(), chatcore::Error> {
/// let answer = client.ask("Why is the sky blue?").await?;
/// if let Some(why) = answer.refusal() {
///     println!("declined: {why}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Refusal {
    /// The text.
    pub text: String,
    /// Unknown fields of the part.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl Refusal {
    /// A refusal with this text.
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
