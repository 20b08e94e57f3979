//! What `/api/chat/stream` and the WebSocket tell of an answer, piece by piece.

use chatcore::{ChatEvent, ChatResponse, Error, FinishReason, Usage};
use serde::Serialize;
use serde_json::Value;

use crate::errors::ApiError;

/// One piece, as JSON with a `type`.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Told {
    /// More text.
    Delta { text: String },
    /// More of what the model writes while it reasons.
    Reasoning { text: String },
    /// More of why the model declines.
    Refusal { text: String },
    /// The answer is whole: the last piece.
    Done {
        model: Option<String>,
        finish_reason: FinishReason,
        usage: Option<Cost>,
    },
    /// It failed: the last piece.
    Error { error: Value },
    /// The client took it back: the last piece. Only on a WebSocket.
    Cancelled,
}

/// What an answer cost.
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

    /// As an event of SSE.
    pub(crate) fn sse(&self) -> Vec<u8> {
        // The types here have string keys only, so that this does not fail.
        let json = serde_json::to_string(self).unwrap_or_default();
        format!("data: {json}\n\n").into_bytes()
    }
}

/// Turns the events of one answer into what is told of them.
#[derive(Debug, Default)]
pub(crate) struct Teller {
    model: Option<String>,
    usage: Option<Cost>,
}

impl Teller {
    /// What to tell of the next event, if anything.
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

/// A whole answer.
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
