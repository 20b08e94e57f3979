//! The queue between the task that reads the socket and one call.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

use super::connector::SocketClosed;

/// How many bytes of one answer may wait to be read. A call beyond that is abandoned, so that it
/// does not hold up other lanes.
pub(super) const MAX_WAITING: usize = 32 << 20;

/// The messages for one call.
#[derive(Debug, Default)]
pub(super) struct Inbox(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    messages: VecDeque<Bytes>,
    /// The total size of `messages` in bytes.
    waiting: usize,
    reader: Option<Waker>,
    /// Whether any message has arrived.
    answered: bool,
    end: Option<End>,
}

/// Why no more messages arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The answer is complete.
    Complete,
    /// The caller did not read the answer, and more than `MAX_WAITING` bytes had arrived.
    TooMuch,
    /// The socket was closed before the answer ended.
    Closed(SocketClosed),
    /// The caller has dropped the call.
    Abandoned,
}

impl Inbox {
    pub(super) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Adds a message.
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

    /// Ends the queue. Only the first end counts.
    pub(super) fn end(&self, end: End) {
        let mut state = self.lock();
        if end == End::Abandoned {
            state.messages = VecDeque::new();
        }
        state.end.get_or_insert(end);
        state.wake();
    }

    /// Whether the caller no longer reads.
    pub(super) fn is_abandoned(&self) -> bool {
        matches!(self.lock().end, Some(End::Abandoned | End::TooMuch))
    }

    /// Whether any message has arrived.
    pub(super) fn is_answered(&self) -> bool {
        self.lock().answered
    }

    /// The next message, or why there are no more.
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
        // No code that runs under this lock panics in the middle of a change.
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
