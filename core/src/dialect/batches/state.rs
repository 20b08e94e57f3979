//! A batch at a provider: its state, its counts, and where its results are.

use crate::error::Error;

/// The state of a provider's batch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BatchState {
    /// The provider checks the batch, or keeps it waiting.
    Waiting,
    /// The provider works on it, or writes its results.
    Running,
    /// It is being cancelled. Some of its requests may still be answered.
    Cancelling,
    /// Every request has a result.
    Completed,
    /// The provider refused the batch as a whole.
    Failed,
    /// Its time was over. Some of its requests may have an answer.
    Expired,
    /// It was cancelled. Some of its requests may have an answer.
    Cancelled,
    /// A word that chatcore does not know. The batch counts as not ended.
    Other(String),
}

impl BatchState {
    /// Whether nothing about the batch will change any more.
    pub fn is_ended(&self) -> bool {
        matches!(
            self,
            Self::Completed | Self::Failed | Self::Expired | Self::Cancelled
        )
    }

    /// The state as one word.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Cancelling => "cancelling",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Other(word) => word,
        }
    }
}

/// How many requests of a batch are where, as the provider counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchCounts {
    /// All requests, if the provider reports them.
    pub total: Option<u64>,
    /// Requests with an answer.
    pub done: u64,
    /// Requests that failed, expired or were cancelled.
    pub failed: u64,
}

/// What is wrong with one line of a batch that was refused as a whole.
#[derive(Clone, Debug)]
pub struct LineError {
    /// The line, from 1. `None` if the error is about the whole batch.
    pub line: Option<u64>,
    /// What is wrong.
    pub error: Error,
}

/// A batch at a provider.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProviderBatch {
    /// The provider's id.
    pub id: String,
    /// The name that it was created with, if the provider keeps names.
    pub name: Option<String>,
    /// Its state.
    pub state: BatchState,
    /// How many requests are where.
    pub counts: BatchCounts,
    /// The path of its requests, if the provider reports it.
    pub endpoint: Option<String>,
    /// Where its results are. Empty until there are any.
    pub results: Vec<String>,
    /// Its results, if the provider sends them with the state, each the JSON of one line.
    pub inline: Vec<String>,
    /// Why the provider refused the batch.
    pub errors: Vec<LineError>,
}

impl ProviderBatch {
    /// A batch with this id and state, and nothing else.
    pub fn new(id: impl Into<String>, state: BatchState) -> Self {
        Self {
            id: id.into(),
            name: None,
            state,
            counts: BatchCounts::default(),
            endpoint: None,
            results: Vec::new(),
            inline: Vec::new(),
            errors: Vec::new(),
        }
    }
}
