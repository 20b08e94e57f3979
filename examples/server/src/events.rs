//! The messages of `/api/chat/stream`, `/api/chat/tools` and the WebSocket.

use chatcore::{ChatEvent, ChatResponse, Error, FinishReason, Message, Role, ToolLoopEvent, Usage};
use serde::Serialize;
use serde_json::Value;

use crate::errors::ApiError;

/// One message, as JSON with a `type`.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Told {
    /// More text.
    Delta { text: String },
    /// More of the model's reasoning.
    Reasoning { text: String },
    /// More of the model's refusal.
    Refusal { text: String },
    /// The model asks for a call of a tool.
    ToolCall {
        turn: u32,
        /// The call's index among the calls of its turn, from 0.
        index: usize,
        name: String,
        /// JSON, as the model wrote it.
        arguments: String,
    },
    /// The result of a call. It is sent to the model.
    ToolResult {
        turn: u32,
        index: usize,
        text: String,
        is_error: bool,
    },
    /// The answer is complete. The last message.
    Done {
        model: Option<String>,
        finish_reason: FinishReason,
        usage: Option<Cost>,
    },
    /// The chat failed. The last message.
    Error { error: Value },
    /// The client cancelled the chat. The last message, and only on a WebSocket.
    Cancelled,
}

/// The token usage of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Cost {
    input_tokens: u64,
    output_tokens: u64,
    total_tokens: u64,
}

impl From<&Usage> for Cost {
    fn from(usage: &Usage) -> Self {
        Self {
            input_tokens: usage.input_tokens,
            output_tokens: usage.output_tokens,
            total_tokens: usage.total_tokens(),
        }
    }
}

impl Told {
    pub(crate) fn error(error: impl Into<ApiError>) -> Self {
        let error = error.into().to_json();
        Self::Error {
            error: error["error"].clone(),
        }
    }

    /// The message as an SSE event.
    pub(crate) fn sse(&self) -> Vec<u8> {
        // Does not fail, because these types have only string keys.
        let json = serde_json::to_string(self).unwrap_or_default();
        format!("data: {json}\n\n").into_bytes()
    }
}

/// Converts the events of one answer to messages.
#[derive(Debug, Default)]
pub(crate) struct Teller {
    model: Option<String>,
    usage: Option<Cost>,
    /// For a loop: the turn, and why its answer ended.
    turn: u32,
    finish_reason: Option<FinishReason>,
}

impl Teller {
    /// The message for the next step of a loop over tools, if there is one.
    pub(crate) fn tell_step(&mut self, step: Result<ToolLoopEvent, ApiError>) -> Option<Told> {
        Some(match step {
            // Only the last answer of the loop is the end.
            Ok(ToolLoopEvent::Content(ChatEvent::Finish { reason, .. })) => {
                self.finish_reason = Some(reason);
                return None;
            }
            Ok(ToolLoopEvent::Content(event)) => return self.tell(Ok(event)),
            Ok(ToolLoopEvent::CallAsked { index, call }) => Told::ToolCall {
                turn: self.turn + 1,
                index,
                name: call.name,
                arguments: call.arguments,
            },
            Ok(ToolLoopEvent::CallResult { index, result }) => Told::ToolResult {
                turn: self.turn + 1,
                index,
                is_error: result.is_error,
                text: Message::new(Role::Tool, result.content).text().into_owned(),
            },
            Ok(ToolLoopEvent::TurnEnd {
                turn, total_usage, ..
            }) => {
                self.turn = turn;
                self.usage = total_usage.as_ref().map(Cost::from);
                return None;
            }
            Ok(ToolLoopEvent::Finish { .. }) => Told::Done {
                model: self.model.take(),
                finish_reason: self.finish_reason.take().unwrap_or(FinishReason::Stop),
                usage: self.usage,
            },
            Ok(_) => return None,
            Err(error) => Told::error(error),
        })
    }

    /// The message for the next event, if there is one.
    pub(crate) fn tell(&mut self, event: Result<ChatEvent, Error>) -> Option<Told> {
        Some(match event {
            Ok(ChatEvent::Text(text)) => Told::Delta { text },
            Ok(ChatEvent::Reasoning(text)) => Told::Reasoning { text },
            Ok(ChatEvent::Refusal(text)) => Told::Refusal { text },
            Ok(ChatEvent::Start { model, .. }) => {
                self.model = self.model.take().or(model);
                return None;
            }
            Ok(ChatEvent::Usage(usage)) => {
                self.usage = Some(Cost::from(&usage));
                return None;
            }
            Ok(ChatEvent::Finish { reason, .. }) => Told::Done {
                model: self.model.take(),
                finish_reason: reason,
                usage: self.usage,
            },
            Ok(_) => return None,
            Err(error) => Told::error(error),
        })
    }
}

/// A complete answer.
#[derive(Debug, Serialize)]
pub(crate) struct Whole {
    response: String,
    model: String,
    finish_reason: Option<FinishReason>,
    usage: Option<Cost>,
}

impl From<ChatResponse> for Whole {
    fn from(mut answer: ChatResponse) -> Self {
        Self {
            model: std::mem::take(&mut answer.model),
            finish_reason: answer.finish_reason.take(),
            usage: answer.usage.as_ref().map(Cost::from),
            response: answer.into_text(),
        }
    }
}
