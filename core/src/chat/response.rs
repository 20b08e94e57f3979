//! A whole answer.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Extra, FinishReason, Message, Part, Role, ToolCall, Usage};

/// A whole answer. `Display` writes its text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChatResponse {
    /// The provider's id of the answer; empty where it gave none.
    pub id: String,
    /// The model that answered; empty where the provider did not say.
    pub model: String,
    /// The answer as a message: push it to the conversation to go on.
    pub message: Message,
    /// Why the model stopped; `None` for a partial answer.
    pub finish_reason: Option<FinishReason>,
    /// Why the model stopped, in the provider's own word; empty for a partial answer.
    pub finish_reason_raw: String,
    /// What it cost; `None` where the provider did not say.
    pub usage: Option<Usage>,
    /// The provider's id of the request, from the response's headers.
    pub request_id: Option<String>,
    /// How often the request was sent, this time included.
    pub attempts: u32,
    /// How many events of the provider's stream chatcore did not know and passed over.
    pub skipped_events: u32,
    /// Fields of the answer that chatcore has no name for.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl Default for ChatResponse {
    fn default() -> Self {
        Self {
            id: String::new(),
            model: String::new(),
            message: Message::new(Role::Assistant, []),
            finish_reason: None,
            finish_reason_raw: String::new(),
            usage: None,
            request_id: None,
            attempts: 1,
            skipped_events: 0,
            extra: Extra::new(),
        }
    }
}

impl ChatResponse {
    /// The text of the answer.
    pub fn text(&self) -> Cow<'_, str> {
        self.message.text()
    }

    /// The text of the answer, owned; copies nothing where it came in one part.
    pub fn into_text(self) -> String {
        let mut parts = self.message.parts;
        match parts.as_mut_slice() {
            [Part::Text(text)] => std::mem::take(&mut text.text),
            _ => Message::new(Role::Assistant, parts).text().into_owned(),
        }
    }

    /// What the model wrote while it reasoned.
    pub fn reasoning(&self) -> Cow<'_, str> {
        self.message.reasoning()
    }

    /// The tools that the model asks to be called.
    pub fn tool_calls(&self) -> impl Iterator<Item = &ToolCall> {
        self.message.tool_calls()
    }

    /// Why the model declined, where the provider keeps that apart from its text.
    pub fn refusal(&self) -> Option<&str> {
        self.message.parts.iter().find_map(|part| match part {
            Part::Refusal(refusal) => Some(refusal.text.as_str()),
            _ => None,
        })
    }
}

impl fmt::Display for ChatResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}
