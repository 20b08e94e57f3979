//! A whole answer.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::head::ResponseHead;

use super::{ChatEvent, Extra, FinishReason, Message, Part, Role, ToolCall, Usage};

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
    /// What the response said before its body, where
    /// [`keep_head`](crate::ChatCall::keep_head) asked for it. No part of the JSON form.
    #[serde(skip)]
    pub head: Option<Box<ResponseHead>>,
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

impl ChatResponse {
    /// The events that this answer is made of, as a stream would have brought them: a
    /// [`Fold`](super::Fold) of them has the same parts, finish and usage.
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
