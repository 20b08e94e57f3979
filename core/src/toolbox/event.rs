//! The steps of a loop, as events.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use serde_json::Value;

use crate::chat::{ChatEvent, ToolCall, ToolResult, Usage};
use crate::words::kinds;

/// One step of a [`ToolLoopStream`](super::ToolLoopStream).
///
/// ```text
///  TurnStart ─► Content … ─► CallAsked … ─► CallApproved or CallRefused ─► CallResult … ─► TurnEnd
///  TurnStart ─► Content … ─► TurnEnd ─► Finish
/// ```
///
/// A call is identified by its index among the calls of its turn, because some providers give calls
/// no ids. Each asked call gets exactly one result, in the order in which the calls end.
///
/// No example here: [`ToolLoopStream`](super::ToolLoopStream) has one.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ToolLoopEvent {
    /// A turn begins: the conversation is sent to the model.
    TurnStart {
        /// The number of the turn, from 1.
        turn: u32,
    },
    /// A piece of the model's answer.
    Content(ChatEvent),
    /// The model asks for a call.
    CallAsked {
        /// The call's index among the calls of its turn, from 0.
        index: usize,
        /// The call, as the model wrote it.
        call: ToolCall,
    },
    /// The call will run: the approval hook allows it, or there is none.
    CallApproved {
        /// The call's index among the calls of its turn, from 0.
        index: usize,
        /// The arguments with which it runs. The hook may have changed them.
        arguments: Value,
    },
    /// The approval hook refuses the call. Its result follows, an error with the reason.
    CallRefused {
        /// The call's index among the calls of its turn, from 0.
        index: usize,
        /// The reason, which the model reads.
        reason: String,
    },
    /// The result of a call, which is sent to the model. It is an error if the call was refused,
    /// could not begin, failed, or was stopped.
    CallResult {
        /// The call's index among the calls of its turn, from 0.
        index: usize,
        /// The result.
        result: ToolResult,
    },
    /// A turn ended: the model has answered, and each of its calls has a result.
    TurnEnd {
        /// The number of the turn, from 1.
        turn: u32,
        /// The usage of this turn. `None` if the provider did not report it.
        usage: Option<Usage>,
        /// The usage of all turns so far.
        total_usage: Option<Usage>,
        /// The cost of all turns so far. `None` without a [price](super::ToolLoop::price).
        cost: Option<f64>,
    },
    /// The model has answered, and the loop ends. This event comes once, as the last one.
    Finish {
        /// How many times the model was asked.
        turns: u32,
    },
}

impl ToolLoopEvent {
    kinds! {
        /// The kind as one stable word in snake case.
        Self::TurnStart { .. } = "turn_start",
        Self::Content(_) = "content",
        Self::CallAsked { .. } = "call_asked",
        Self::CallApproved { .. } = "call_approved",
        Self::CallRefused { .. } = "call_refused",
        Self::CallResult { .. } = "call_result",
        Self::TurnEnd { .. } = "turn_end",
        Self::Finish { .. } = "finish",
    }

    /// The text, if the event is a piece of the model's text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Content(event) => event.as_text(),
            _ => None,
        }
    }
}

/// The events that the loop has sent and nobody has taken yet. A loop that is awaited as a whole
/// sends none.
#[derive(Clone, Debug, Default)]
pub(super) struct Events(Option<Arc<Mutex<VecDeque<ToolLoopEvent>>>>);

impl Events {
    /// Events that a stream takes.
    pub(super) fn taken() -> Self {
        Self(Some(Arc::default()))
    }

    /// Whether anybody takes the events.
    pub(super) fn are_taken(&self) -> bool {
        self.0.is_some()
    }

    /// Sends an event, and waits until it is taken. The stream polls the loop only if no event is
    /// left to take, so nothing has to be woken.
    ///
    /// Only for the loop's own task: a future in a set of futures is polled only after a wake-up.
    pub(super) async fn send(&self, event: impl FnOnce() -> ToolLoopEvent) {
        let Some(queue) = &self.0 else { return };
        let lock = || queue.lock().unwrap_or_else(PoisonError::into_inner);
        lock().push_back(event());
        poll_fn(|_| match lock().is_empty() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
    }

    /// Takes the next event.
    pub(super) fn take(&self) -> Option<ToolLoopEvent> {
        let queue = self.0.as_ref()?;
        queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front()
    }
}
