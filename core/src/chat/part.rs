//! The parts of a message.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Extra, ToolCall, ToolResult};
use crate::words::kinds;

/// One part of a message. Its JSON form has a `type`: `text`, `image`, `tool_call`,
/// `tool_result`, `reasoning`, `refusal` or `other`. It is read from OpenAI's form as well
/// (`image_url`); a part of any other type is an [`Other`](Self::Other).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Part {
    /// Text.
    Text(Text),
    /// A picture.
    Image(Image),
    /// A tool that the model asks to be called.
    ToolCall(ToolCall),
    /// What a tool that the model called gave back.
    ToolResult(ToolResult),
    /// What the model wrote while it reasoned.
    Reasoning(Reasoning),
    /// Why the model declines to answer, where the provider keeps that apart from its text.
    Refusal(Refusal),
    /// A block of the provider's own that chatcore has no name for, kept as it came and sent
    /// back as it is.
    Other {
        /// The block as JSON.
        value: Value,
    },
}

impl Part {
    kinds! {
        /// The kind as one stable word in snake case: the `type` of its JSON form.
        Self::Text(_) = "text",
        Self::Image(_) = "image",
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

    /// An image that the provider fetches from `url`.
    pub fn image_url(url: impl Into<String>) -> Self {
        Self::Image(Image::new(ImageSource::Url { url: url.into() }))
    }

    /// An image sent along: its media type (for example `image/png`) and its bytes in base64.
    pub fn image_base64(media_type: impl Into<String>, data: impl Into<String>) -> Self {
        Self::Image(Image::new(ImageSource::Base64 {
            media_type: media_type.into(),
            data: data.into(),
        }))
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

/// A picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Image {
    /// Where its bytes are.
    pub source: ImageSource,
    /// How closely the model should look (`low`, `high`, `auto`), where the provider asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Fields of the part that chatcore has no name for.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl Image {
    /// A picture from `source`.
    pub fn new(source: ImageSource) -> Self {
        Self {
            source,
            detail: None,
            extra: Extra::new(),
        }
    }
}

/// Where the bytes of an [`Image`] are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ImageSource {
    /// At a URL that the provider fetches.
    Url {
        /// The URL.
        url: String,
    },
    /// Here, in base64.
    Base64 {
        /// The media type, for example `image/png`.
        media_type: String,
        /// The bytes, in base64.
        data: String,
    },
}

impl ImageSource {
    kinds! {
        /// The kind as one stable word in snake case: the `type` of its JSON form.
        Self::Url { .. } = "url",
        Self::Base64 { .. } = "base64",
    }

    /// How many bytes it takes to write it.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Url { url } => url.len(),
            Self::Base64 { media_type, data } => media_type.len() + data.len(),
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
    pub fn with_signature(mut self, signature: impl Into<String>) -> Self {
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
}

impl Refusal {
    /// A refusal in these words.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into() }
    }
}

impl From<Text> for Part {
    fn from(text: Text) -> Self {
        Self::Text(text)
    }
}

impl From<Image> for Part {
    fn from(image: Image) -> Self {
        Self::Image(image)
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
