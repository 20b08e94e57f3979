//! Why an answer ended.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::words::open_words;

/// Why the model stopped, in chatcore's terms. [`ChatResponse::finish_reason_raw`] keeps the
/// provider's word.
///
/// [`ChatResponse::finish_reason_raw`]: super::ChatResponse::finish_reason_raw
///
/// ```
/// # async fn example(client: chatcore::LlmClient) -> Result<(), chatcore::Error> {
/// use chatcore::FinishReason;
///
/// let answer = client.ask("Why is the sky blue?").max_tokens(1_000).await?;
/// if answer.finish_reason == Some(FinishReason::Length) {
///     println!("the answer is cut");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum FinishReason {
    /// The model was done, or reached a stop sequence.
    Stop,
    /// The answer reached `max_tokens`, or the end of the model's context window.
    Length,
    /// The model asks for tools to be called.
    ToolCalls,
    /// The provider's filter withheld content.
    ContentFilter,
    /// The model declined to answer.
    Refusal,
    /// The provider paused a long turn. Send the answer back to continue it.
    Pause,
    /// Another reason, in the provider's word.
    Other(String),
}

open_words! {
    FinishReason:
    /// The reason as a short word: `stop`, `length`, `tool_calls`, `content_filter`, `refusal`,
    /// `pause`, or the provider's own.
    Stop = "stop",
    Length = "length",
    ToolCalls = "tool_calls",
    ContentFilter = "content_filter",
    Refusal = "refusal",
    Pause = "pause",
}

impl fmt::Display for FinishReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
