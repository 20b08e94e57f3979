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

/// Receives the events of every call, for metrics, logs and traces. A call for embeddings or for
/// the list of models that needs several requests is reported as that many calls.
///
/// The pipeline calls the observer on the task that runs the call, between two steps. So it must be
/// quick; send slow work to a channel. The observer never sees a prompt, an answer or a key. Spans
/// for a tracing backend need no observer: enable the feature `tracing`.
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
    /// Called for each event of a call.
    fn observe(&self, call: &CallInfo, event: &CallEvent<'_>);
}

/// Identifies a call.
///
/// ```
/// use chatcore::{CallInfo, Operation};
///
/// fn label(call: &CallInfo) -> String {
///     let what = match call.operation {
///         Operation::Chat => "chat",
///         _ => "other",
///     };
///     format!("{}/{}/{what}", call.provider, call.model)
/// }
/// # let _ = label;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallInfo {
    /// A number that is unique among the calls of one client.
    pub id: u64,
    /// The kind of the call.
    pub operation: Operation,
    /// The provider's name.
    pub provider: Arc<str>,
    /// The model; empty for the list of models.
    pub model: String,
    /// Whether the caller streams the answer.
    pub mode: Mode,
}

/// An event of a call. Each call ends with exactly one of [`Succeeded`](Self::Succeeded),
/// [`Failed`](Self::Failed) and [`Cancelled`](Self::Cancelled). All times are since the call began.
///
/// ```
/// use chatcore::{CallEvent, CallInfo, Observer};
///
/// /// Prints what each call cost.
/// #[derive(Debug)]
/// struct Costs;
///
/// impl Observer for Costs {
///     fn observe(&self, call: &CallInfo, event: &CallEvent<'_>) {
///         if let CallEvent::Succeeded { usage: Some(usage), elapsed, .. } = event {
///             println!("{}: {} tokens in {elapsed:?}", call.model, usage.total_tokens());
///         }
///     }
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CallEvent<'a> {
    /// The call joined the queue, for its first attempt or another one.
    Queued {
        /// Time since the call began.
        elapsed: Duration,
    },
    /// The call got a permit, and an attempt begins.
    Started {
        /// The number of the attempt, from 1.
        attempt: u32,
        /// Time since the call began.
        elapsed: Duration,
    },
    /// An attempt failed, and there will be another one.
    Retrying {
        /// The number of the attempt that failed, from 1.
        attempt: u32,
        /// The error of the attempt.
        error: &'a Error,
        /// How long until the next attempt.
        wait: Duration,
        /// Time since the call began.
        elapsed: Duration,
    },
    /// The first content of a stream has come. If a whole answer is fetched as a stream, this is told
    /// when the answer is complete.
    FirstContent {
        /// Time from when the call began until the content came.
        elapsed: Duration,
    },
    /// The whole answer was handed over.
    Succeeded {
        /// How many attempts were made.
        attempts: u32,
        /// The usage, if the provider reported it.
        usage: Option<&'a Usage>,
        /// Time since the call began.
        elapsed: Duration,
    },
    /// The call ended with an error.
    Failed {
        /// The error that the caller gets. If a server echoed the key, the key is redacted.
        error: &'a Error,
        /// Time since the call began.
        elapsed: Duration,
    },
    /// The call's future or stream was dropped before its end.
    Cancelled {
        /// Time since the call began.
        elapsed: Duration,
    },
}
