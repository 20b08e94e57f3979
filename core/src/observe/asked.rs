//! What observers and spans learn about a call and its answer.

use crate::chat::{FinishReason, Usage};
use crate::dialect::Mode;

/// The kind of a call.
///
/// ```
/// assert_eq!(chatcore::Operation::Chat.as_str(), "chat");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// A chat.
    Chat,
    /// Vectors for texts.
    Embeddings,
    /// The list of a provider's models.
    Models,
    /// A request of a provider's Batch API.
    ProviderBatch,
}

impl Operation {
    /// The operation's name: the one in OpenTelemetry's GenAI conventions, if they have one.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Embeddings => "embeddings",
            Self::Models => "list_models",
            Self::ProviderBatch => "provider_batch",
        }
    }
}

/// The parameters of a call.
#[cfg_attr(
    not(feature = "tracing"),
    expect(dead_code, reason = "only spans show all of it")
)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) operation: Operation,
    pub(crate) model: &'a str,
    pub(crate) mode: Mode,
    pub(crate) temperature: Option<f64>,
    pub(crate) top_p: Option<f64>,
    pub(crate) max_tokens: Option<u32>,
    pub(crate) seed: Option<i64>,
}

impl<'a> Asked<'a> {
    /// The parameters of a call that is no chat.
    #[cfg(feature = "jobs")]
    pub(crate) fn job(operation: Operation, model: &'a str) -> Self {
        Self {
            operation,
            model,
            mode: Mode::Whole,
            temperature: None,
            top_p: None,
            max_tokens: None,
            seed: None,
        }
    }
}

/// What an answer says about itself.
#[cfg_attr(
    not(feature = "tracing"),
    expect(dead_code, reason = "only spans show all of it")
)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Summary<'a> {
    pub(crate) request_id: Option<&'a str>,
    pub(crate) id: &'a str,
    pub(crate) model: &'a str,
    pub(crate) finish_reason: Option<&'a FinishReason>,
    pub(crate) usage: Option<&'a Usage>,
}

impl<'a> Summary<'a> {
    /// The summary of a chat's answer, as far as it has been read.
    pub(crate) fn of(answer: &'a crate::chat::ChatResponse) -> Self {
        Self {
            request_id: answer.request_id.as_deref(),
            id: &answer.id,
            model: &answer.model,
            finish_reason: answer.finish_reason.as_ref(),
            usage: answer.usage.as_ref(),
        }
    }
}
