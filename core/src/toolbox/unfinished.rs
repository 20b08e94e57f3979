//! What is known of a loop that ended without an answer.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use super::limits::ToolLoopLimit;
use crate::chat::{Message, Usage};
use crate::error::Error;

/// What a loop had done when it ended with an error. It is a source of every error of a
/// [`ToolLoop`](super::ToolLoop): of a reached limit, and of a turn that failed.
///
/// The conversation can be sent again as it is, because each of its calls has a result.
///
/// ```
/// # async fn example(client: chatcore::LlmClient, tools: chatcore::Toolbox) -> Result<(), chatcore::Error> {
/// use chatcore::UnfinishedLoop;
///
/// let first = client.ask("Plan my week.").toolbox(&tools).max_turns(4).await;
/// let answer = match first {
///     Err(error) => match UnfinishedLoop::of(&error) {
///         // Goes on without tools, so that the model must answer.
///         Some(unfinished) => client.ask(&unfinished.messages).await?,
///         None => return Err(error),
///     },
///     Ok(answer) => answer.response,
/// };
/// # let _ = answer;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct UnfinishedLoop {
    /// The conversation so far: the messages of the call, every answer, and a result for every
    /// call. A call that the end of the loop stopped has an error as its result.
    pub messages: Vec<Message>,
    /// The limit that was reached. `None` if a turn failed.
    pub limit: Option<ToolLoopLimit>,
    /// The usage of all turns together. `None` if the provider never reported any.
    pub usage: Option<Usage>,
    /// The cost of all turns together. `None` without a [price](super::ToolLoop::price).
    pub cost: Option<f64>,
    /// How many answers the model has given.
    pub turns: u32,
    pub(super) source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl UnfinishedLoop {
    /// The state of the loop that an error ended.
    pub fn of(error: &Error) -> Option<&Self> {
        error.source()?.downcast_ref()
    }
}

impl fmt::Display for UnfinishedLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (turns, messages) = (self.turns, self.messages.len());
        write!(
            f,
            "the tool loop ended after {turns} answers, with {messages} messages"
        )?;
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

/// Without the conversation, because a printed error must not show what was said.
impl fmt::Debug for UnfinishedLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnfinishedLoop")
            .field("messages", &self.messages.len())
            .field("limit", &self.limit)
            .field("usage", &self.usage)
            .field("cost", &self.cost)
            .field("turns", &self.turns)
            .field("source", &self.source)
            .finish()
    }
}

impl StdError for UnfinishedLoop {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}
