//! The hooks for metrics, logs and traces.

mod asked;
#[cfg_attr(not(feature = "tracing"), path = "span_off.rs")]
mod span;

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use crate::chat::Usage;
use crate::dialect::Mode;
use crate::error::Error;
pub use asked::Operation;
pub(crate) use asked::{Asked, Summary};
pub(crate) use span::CallSpan;

/// Hears of every call: for metrics, logs and traces. A call for embeddings or for the list of
/// models that needs several requests is told as so many calls.
///
/// It is called where the call runs, between two of its steps, so it should be quick; what takes
/// longer belongs in a channel. (Spans for a tracing backend come without one, by the feature
/// `tracing`.) It never sees a prompt, an answer or a key.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use chatcore::{CallEvent, CallInfo, Observer};
///
/// #[derive(Debug, Default)]
/// struct Tokens(AtomicU64);
///
/// impl Observer for Tokens {
///     fn observe(&self, _: &CallInfo, event: &CallEvent<'_>) {
///         if let CallEvent::Succeeded { usage: Some(usage), .. } = event {
///             self.0.fetch_add(usage.total_tokens(), Ordering::Relaxed);
///         }
///     }
/// }
/// ```
pub trait Observer: Debug + Send + Sync + 'static {
    /// Something happened to a call.
    fn observe(&self, call: &CallInfo, event: &CallEvent<'_>);
}

/// Which call it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallInfo {
    /// A number of its own among the calls of one client.
    pub id: u64,
    /// What the call does.
    pub operation: Operation,
    /// The provider's name.
    pub provider: Arc<str>,
    /// The model that is asked; empty for the list of models.
    pub model: String,
    /// Whether it is streamed.
    pub mode: Mode,
}

/// What happened to a call. Each ends in exactly one of [`Succeeded`](Self::Succeeded),
/// [`Failed`](Self::Failed) and [`Cancelled`](Self::Cancelled). All times are since the call
/// began.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CallEvent<'a> {
    /// It joined the queue, for its first attempt or for another.
    Queued {
        /// Time since the call began.
        elapsed: Duration,
    },
    /// It got its place, and is being sent.
    Started {
        /// The number of the attempt, from 1.
        attempt: u32,
        /// Time since the call began.
        elapsed: Duration,
    },
    /// An attempt failed, and there will be another.
    Retrying {
        /// The number of the attempt that failed, from 1.
        attempt: u32,
        /// How it failed.
        error: &'a Error,
        /// How long until the next one.
        wait: Duration,
        /// Time since the call began.
        elapsed: Duration,
    },
    /// The first meaningful output of a stream is there.
    FirstContent {
        /// Time since the call began.
        elapsed: Duration,
    },
    /// The whole answer was handed over.
    Succeeded {
        /// How often it was sent.
        attempts: u32,
        /// What it cost, where the provider said so.
        usage: Option<&'a Usage>,
        /// Time since the call began.
        elapsed: Duration,
    },
    /// It ended with an error.
    Failed {
        /// The error that the caller gets; its key, if a server sent it back, is taken out.
        error: &'a Error,
        /// Time since the call began.
        elapsed: Duration,
    },
    /// Its future or stream was dropped before its end.
    Cancelled {
        /// Time since the call began.
        elapsed: Duration,
    },
}
