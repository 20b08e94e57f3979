//! A whole answer.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::head::ResponseHead;

use super::{ChatEvent, Extra, FinishReason, Message, Part, Role, ToolCall, Usage};

/// A whole answer. `Display` writes its text.
///
/// ```
/// # async fn example(client: chatcore::LlmClient) -> Result<(), chatcore::Error> {
/// let answer = client.ask("Why is the sky blue?").await?;
/// println!("{answer}"); // its text
/// println!("{:?}, {:?}", answer.finish_reason, answer.usage);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChatResponse {
    /// The provider's id of the answer. Empty if the provider sent none.
    pub id: String,
    /// The model that answered. Empty if the provider did not name it.
    pub model: String,
    /// The answer as a message. Push it to the conversation to continue it.
    pub message: Message,
    /// Why the model stopped. `None` for a partial answer.
    pub finish_reason: Option<FinishReason>,
    /// The provider's word for why the model stopped. Empty for a partial answer.
    pub finish_reason_raw: String,
    /// The usage. `None` if the provider did not report it.
    pub usage: Option<Usage>,
    /// The provider's id of the request, from the response's headers.
    pub request_id: Option<String>,
    /// The head of the response, if [`keep_head`](crate::ChatCall::keep_head) asked for it. Not
    /// part of the JSON form.
    #[serde(skip)]
    pub head: Option<Box<ResponseHead>>,
    /// How many times the request was sent, the last attempt included.
    pub attempts: u32,
    /// How many events of the provider's stream were skipped because chatcore does not know them.
    pub skipped_events: u32,
    /// Unknown fields of the answer.
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
            head: None,
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

    /// The text of the answer, owned. Nothing is copied if the answer is a single text part.
    pub fn into_text(self) -> String {
        let mut parts = self.message.parts;
        match parts.as_mut_slice() {
            [Part::Text(text)] => std::mem::take(&mut text.text),
            _ => Message::new(Role::Assistant, parts).text().into_owned(),
        }
    }

    /// The model's reasoning.
    pub fn reasoning(&self) -> Cow<'_, str> {
        self.message.reasoning()
    }

    /// The tool calls of the answer.
    pub fn tool_calls(&self) -> impl Iterator<Item = &ToolCall> {
        self.message.tool_calls()
    }

    /// The model's reason for declining, if the provider separates it from the text.
    pub fn refusal(&self) -> Option<&str> {
        self.message.parts.iter().find_map(|part| match part {
            Part::Refusal(refusal) => Some(refusal.text.as_str()),
            _ => None,
        })
    }
}

impl ChatResponse {
    /// The events that a stream of this answer would consist of. A [`Fold`](super::Fold) of them
    /// has the same parts, finish reason and usage.
    pub fn to_events(&self) -> Vec<ChatEvent> {
        let some = |text: &String| (!text.is_empty()).then(|| text.clone());
        let mut events = vec![ChatEvent::Start {
            id: some(&self.id),
            model: some(&self.model),
        }];
        let mut calls = 0;
        for part in &self.message.parts {
            match part {
                Part::Text(text) if text.extra.is_empty() => {
                    events.extend([ChatEvent::Text(text.text.clone()), ChatEvent::PartEnd]);
                }
                Part::ToolCall(call) => {
                    push_call(call, calls, &mut events);
                    calls += 1;
                }
                part => events.push(ChatEvent::part(part.clone())),
            }
        }
        for (extra, event) in [
            (
                &self.message.extra,
                ChatEvent::MessageExtra as fn(Extra) -> ChatEvent,
            ),
            (&self.extra, ChatEvent::Extra),
        ] {
            if !extra.is_empty() {
                events.push(event(extra.clone()));
            }
        }
        events.extend(self.usage.clone().map(ChatEvent::Usage));
        if let Some(reason) = &self.finish_reason {
            events.push(ChatEvent::Finish {
                reason: reason.clone(),
                raw: self.finish_reason_raw.clone(),
            });
        }
        events
    }
}

fn push_call(call: &ToolCall, index: usize, events: &mut Vec<ChatEvent>) {
    events.extend([
        ChatEvent::ToolCallStart {
            index,
            id: call.id.clone(),
            name: call.name.clone(),
        },
        ChatEvent::ToolCallArguments {
            index,
            fragment: call.arguments.clone(),
        },
    ]);
    if !call.extra.is_empty() {
        let extra = call.extra.clone();
        events.push(ChatEvent::ToolCallExtra { index, extra });
    }
}

impl fmt::Display for ChatResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}
