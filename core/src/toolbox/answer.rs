//! What a loop returns.

use crate::chat::{ChatResponse, Message, Usage};

/// The answer of a [`ToolLoop`](super::ToolLoop), and what it took.
///
/// No example here: [`ToolLoop`](super::ToolLoop) has one.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ToolLoopAnswer {
    /// The last answer of the model. Its [`usage`](ChatResponse::usage) and
    /// [`attempts`](ChatResponse::attempts) are those of the last turn alone.
    pub response: ChatResponse,
    /// The whole conversation: the messages of the call, every answer, the results of every call,
    /// and the last answer. Add a message and ask again to go on.
    pub messages: Vec<Message>,
    /// The usage of all turns together. `None` if the provider never reported any.
    pub usage: Option<Usage>,
    /// The cost of all turns together. `None` without a [price](super::ToolLoop::price).
    pub cost: Option<f64>,
    /// How many times the model was asked.
    pub turns: u32,
    /// How many times a request was sent, with the retries of all turns.
    pub attempts: u32,
}

impl ToolLoopAnswer {
    /// The text of the answer.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        self.response.text()
    }
}

/// Writes the text of the answer.
impl std::fmt::Display for ToolLoopAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.response.fmt(f)
    }
}
