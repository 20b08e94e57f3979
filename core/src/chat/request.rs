//! Chat requests.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Extra, Message, Tool, ToolChoice};
use crate::words::open_words;

/// A request to a model: a conversation, and how to continue it.
///
/// A field that is `None` is not sent, so that the provider's default applies. Unknown fields go
/// into [`extra`](Self::extra). A prompt, a message, and arrays, slices and vectors of messages
/// convert into a request.
///
/// ```
/// use chatcore::{ChatRequest, Message};
///
/// let request = ChatRequest::new([Message::system("Be brief."), Message::user("Why is the sky blue?")])
///     .temperature(0.2)
///     .max_tokens(100);
/// assert_eq!(request.messages.len(), 2);
///
/// let short = ChatRequest::from("Why is the sky blue?").system_prompt("Be brief.");
/// assert_eq!(short.messages, request.messages);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ChatRequest {
    /// The model. `None` uses the provider's default.
    pub model: Option<String>,
    /// The conversation. System messages may be anywhere in it; dialects with a single system
    /// prompt join them.
    pub messages: Vec<Message>,
    /// The sampling temperature, 0 to 2.
    pub temperature: Option<f64>,
    /// The most tokens that the answer may have, its reasoning included.
    pub max_tokens: Option<u32>,
    /// Sample only from the most likely tokens that together have this probability, 0 to 1.
    pub top_p: Option<f64>,
    /// Texts that end the answer.
    pub stop: Vec<String>,
    /// A seed, for providers that can reproduce an answer.
    pub seed: Option<i64>,
    /// The tools that the model may call.
    pub tools: Vec<Tool>,
    /// Whether the model must call a tool, and which one.
    pub tool_choice: Option<ToolChoice>,
    /// How much the model should reason.
    pub reasoning_effort: Option<ReasoningEffort>,
    /// The form that the answer must have.
    pub response_format: Option<ResponseFormat>,
    /// Fields for the provider that chatcore does not know, sent as they are. They replace
    /// chatcore's fields of the same name.
    pub extra: Extra,
}

impl ChatRequest {
    /// A request for the next message of a conversation.
    pub fn new<M: Into<Message>>(messages: impl IntoIterator<Item = M>) -> Self {
        Self {
            messages: messages.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }

    /// Sets the model.
    #[must_use]
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Adds a message to the end of the conversation.
    #[must_use]
    pub fn message(mut self, message: impl Into<Message>) -> Self {
        self.messages.push(message.into());
        self
    }

    /// Puts a system message before the conversation.
    #[must_use]
    pub fn system_prompt(mut self, prompt: impl Into<String>) -> Self {
        self.messages.insert(0, Message::system(prompt));
        self
    }

    /// Sets the sampling temperature, 0 to 2 (Anthropic: 0 to 1). `None` leaves it to the provider.
    #[must_use]
    pub fn temperature(mut self, temperature: impl Into<Option<f64>>) -> Self {
        self.temperature = temperature.into();
        self
    }

    /// Sets the most tokens that the answer may have, its reasoning included. `None` leaves it to
    /// the provider.
    #[must_use]
    pub fn max_tokens(mut self, max_tokens: impl Into<Option<u32>>) -> Self {
        self.max_tokens = max_tokens.into();
        self
    }

    /// Samples only from the most likely tokens that together have this probability, 0 to 1.
    #[must_use]
    pub fn top_p(mut self, top_p: impl Into<Option<f64>>) -> Self {
        self.top_p = top_p.into();
        self
    }

    /// Sets the texts that end the answer.
    #[must_use]
    pub fn stop<S: Into<String>>(mut self, stop: impl IntoIterator<Item = S>) -> Self {
        self.stop = stop.into_iter().map(Into::into).collect();
        self
    }

    /// Sets a seed, for providers that can reproduce an answer.
    #[must_use]
    pub fn seed(mut self, seed: impl Into<Option<i64>>) -> Self {
        self.seed = seed.into();
        self
    }

    /// Adds a tool that the model may call.
    #[must_use]
    pub fn tool(mut self, tool: Tool) -> Self {
        self.tools.push(tool);
        self
    }

    /// Sets whether the model must call a tool, and which one.
    #[must_use]
    pub fn tool_choice(mut self, choice: impl Into<Option<ToolChoice>>) -> Self {
        self.tool_choice = choice.into();
        self
    }

    /// Sets how much the model should reason.
    #[must_use]
    pub fn reasoning_effort(mut self, effort: impl Into<Option<ReasoningEffort>>) -> Self {
        self.reasoning_effort = effort.into();
        self
    }

    /// Sets the form that the answer must have.
    #[must_use]
    pub fn response_format(mut self, format: impl Into<Option<ResponseFormat>>) -> Self {
        self.response_format = format.into();
        self
    }

    /// Adds a field for the provider that chatcore does not know. It is sent as it is.
    #[must_use]
    pub fn extra(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.extra.insert(name.into(), value.into());
        self
    }
}

/// Converts text types into a request with one user message.
macro_rules! from_text {
    ($($text:ty),+) => {
        $(impl From<$text> for ChatRequest {
            fn from(prompt: $text) -> Self {
                Self::new([Message::user(prompt)])
            }
        })+
    };
}

from_text!(&str, &String, String, Cow<'_, str>, Box<str>);

impl From<Message> for ChatRequest {
    fn from(message: Message) -> Self {
        Self::new([message])
    }
}

impl<M: Into<Message>> From<Vec<M>> for ChatRequest {
    fn from(messages: Vec<M>) -> Self {
        Self::new(messages)
    }
}

impl<M: Into<Message>, const N: usize> From<[M; N]> for ChatRequest {
    fn from(messages: [M; N]) -> Self {
        Self::new(messages)
    }
}

impl<M: Into<Message> + Clone> From<&[M]> for ChatRequest {
    fn from(messages: &[M]) -> Self {
        Self::new(messages.iter().cloned())
    }
}

impl<M: Into<Message> + Clone> From<&Vec<M>> for ChatRequest {
    fn from(messages: &Vec<M>) -> Self {
        messages.as_slice().into()
    }
}

impl<M: Into<Message> + Clone, const N: usize> From<&[M; N]> for ChatRequest {
    fn from(messages: &[M; N]) -> Self {
        messages.as_slice().into()
    }
}

impl<M: Into<Message>> FromIterator<M> for ChatRequest {
    fn from_iter<I: IntoIterator<Item = M>>(messages: I) -> Self {
        Self::new(messages)
    }
}

/// How much a model should reason before it answers.
///
/// ```
/// # async fn example(client: chatcore::LlmClient) -> Result<(), chatcore::Error> {
/// use chatcore::chat::ReasoningEffort;
///
/// let answer = client.ask("Is 7,919 prime?").reasoning_effort(ReasoningEffort::Low).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum ReasoningEffort {
    /// No reasoning.
    None,
    /// The least reasoning that the model can do.
    Minimal,
    /// Little reasoning.
    Low,
    /// A medium amount of reasoning.
    Medium,
    /// Much reasoning.
    High,
    /// Very much reasoning.
    Xhigh,
    /// The most reasoning that the model can do.
    Max,
    /// Another word that the provider knows.
    Other(String),
}

open_words! {
    ReasoningEffort:
    /// The word on the wire.
    None = "none",
    Minimal = "minimal",
    Low = "low",
    Medium = "medium",
    High = "high",
    Xhigh = "xhigh",
    Max = "max",
}

/// The form that an answer must have.
///
/// ```
/// # async fn example(client: chatcore::LlmClient) -> Result<(), Box<dyn std::error::Error>> {
/// use chatcore::chat::ResponseFormat;
/// use chatcore::serde_json::{self, Value, json};
///
/// let format = ResponseFormat::JsonSchema {
///     name: "city".into(),
///     schema: json!({
///         "type": "object",
///         "properties": {"name": {"type": "string"}, "people": {"type": "integer"}},
///         "required": ["name", "people"],
///         "additionalProperties": false,
///     }),
///     strict: true,
/// };
/// let answer = client.ask("The largest city of Portugal.").response_format(format).await?;
/// let city: Value = serde_json::from_str(&answer.text())?;
/// println!("{}", city["name"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ResponseFormat {
    /// Plain text.
    Text,
    /// Any JSON object.
    JsonObject,
    /// JSON that matches a schema.
    JsonSchema {
        /// A name for the schema: letters, digits, `_` and `-`.
        name: String,
        /// The JSON Schema.
        schema: Value,
        /// Whether the provider must enforce the schema. In JSON, a missing value is `false`.
        #[serde(default)]
        strict: bool,
    },
}
