//! The messages for one call, between the task that reads the socket and the call.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

use super::connector::SocketClosed;

/// How much of one answer may wait to be read. A call whose answer waits longer is given up, so
/// that it holds up no other lane.
pub(super) const MAX_WAITING: usize = 32 << 20;

/// The messages for one call.
#[derive(Debug, Default)]
pub(super) struct Inbox(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    messages: VecDeque<Bytes>,
    /// How many bytes they have.
    waiting: usize,
    reader: Option<Waker>,
    /// Whether a message has come.
    answered: bool,
    end: Option<End>,
}

/// Why no more messages come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The answer is complete.
    Complete,
    /// Nobody read it, and too much had come.
    TooMuch,
    /// The socket was closed first.
    Closed(SocketClosed),
    /// The caller has left.
    Abandoned,
}

impl Inbox {
    pub(super) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Takes in a message.
    pub(super) fn push(&self, message: Bytes) {
        let mut state = self.lock();
        state.answered = true;
        if state.end.is_some() {
            return;
        }
        state.waiting += message.len();
        state.messages.push_back(message);
        if state.waiting > MAX_WAITING {
            state.messages = VecDeque::new();
            state.end = Some(End::TooMuch);
        }
        state.wake();
    }

    /// No more will come. The first end counts.
    pub(super) fn end(&self, end: End) {
        let mut state = self.lock();
        if end == End::Abandoned {
            state.messages = VecDeque::new();
        }
        state.end.get_or_insert(end);
        state.wake();
    }

    /// Whether nobody reads any more.
    pub(super) fn is_abandoned(&self) -> bool {
        matches!(self.lock().end, Some(End::Abandoned | End::TooMuch))
    }

    /// Whether a message has come.
    pub(super) fn is_answered(&self) -> bool {
        self.lock().answered
    }

    /// The next message, or why there is none.
    pub(super) fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Result<Bytes, End>> {
        let mut state = self.lock();
        if let Some(message) = state.messages.pop_front() {
            state.waiting -= message.len();
            return Poll::Ready(Ok(message));
        }
        if let Some(end) = &state.end {
            return Poll::Ready(Err(end.clone()));
        }
        state.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics half-way through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}
