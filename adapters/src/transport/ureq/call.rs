//! One call, as the worker and the caller share it: the answer goes one way, cancelling the other.
//!
//! ```text
//!  worker ── head, chunks (bounded), end ──► caller
//!  worker ◄── cancel: shuts the socket down ── caller
//! ```
//!
//! While a connection serves a call, the call knows its socket. ureq asks a connection whether
//! it is open before it puts it back into its pool, and there the two part (see
//! [`connect`](super::connect)), under the lock that cancelling takes too: so a cancelled call
//! never shuts down a connection that serves another one.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, Weak};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use chatcore::{TransportError, TransportErrorKind};
use http::response::Parts;
use ureq::unversioned::transport::ShutdownHandle;

use super::withheld::Withheld;
use crate::executor::threads::{OnClose, lock, wait};

/// How much of a body may wait for its reader before the worker stops reading the socket.
const MAX_BUFFERED: usize = 64 * 1024;
/// The same in chunks, since a small chunk costs more than its bytes.
const MAX_CHUNKS: usize = 256;

#[derive(Default)]
pub(super) struct Call {
    state: Mutex<State>,
    /// The worker waits here for the reader.
    room: Condvar,
    /// The connection had served another call before.
    reused: AtomicBool,
    /// A byte of the answer has come.
    answered: AtomicBool,
    /// How much has come since the last of the content.
    silence: AtomicUsize,
    /// The connection broke, instead of being closed in an orderly way.
    broken: AtomicBool,
    /// What ureq does not see of the request.
    withheld: OnceLock<Withheld>,
}

#[derive(Default)]
struct State {
    head: Option<Parts>,
    chunks: VecDeque<Bytes>,
    buffered: usize,
    end: Option<Result<(), TransportError>>,
    waker: Option<Waker>,
    socket: Option<Weak<dyn ShutdownHandle>>,
    /// The worker waits for room. Telling nobody would cost a system call for each chunk.
    worker_waits: bool,
    cancelled: bool,
    pool_closes: bool,
}

/// The caller has gone.
#[derive(Debug)]
pub(super) struct Cancelled;

impl State {
    /// Takes the waker out, to be called once the lock is gone.
    fn changed(&mut self) -> Option<Waker> {
        self.waker.take()
    }

    fn wait(&mut self, cx: &Context<'_>) {
        match &mut self.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            waker @ None => *waker = Some(cx.waker().clone()),
        }
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// What the caller does.
impl Call {
    pub(super) fn poll_head(&self, cx: &Context<'_>) -> Poll<Result<Parts, TransportError>> {
        let mut state = lock(&self.state);
        if let Some(head) = state.head.take() {
            return Poll::Ready(Ok(head));
        }
        if let Some(Err(error)) = state.end.take() {
            return Poll::Ready(Err(error));
        }
        state.wait(cx);
        Poll::Pending
    }

    pub(super) fn poll_chunk(
        &self,
        cx: &Context<'_>,
    ) -> Poll<Option<Result<Bytes, TransportError>>> {
        let mut state = lock(&self.state);
        if let Some(chunk) = state.chunks.pop_front() {
            state.buffered -= chunk.len();
            let worker_waits = state.worker_waits;
            drop(state);
            if worker_waits {
                self.room.notify_one();
            }
            return Poll::Ready(Some(Ok(chunk)));
        }
        match &mut state.end {
            Some(end) => match std::mem::replace(end, Ok(())) {
                Ok(()) => Poll::Ready(None),
                Err(error) => Poll::Ready(Some(Err(error))),
            },
            None => {
                state.wait(cx);
                Poll::Pending
            }
        }
    }

    /// Ends the call: the worker's next step fails, and one that is blocked is interrupted.
    pub(super) fn cancel(&self) {
        let mut state = lock(&self.state);
        state.cancelled = true;
        // What nobody will read need not wait for the worker.
        let unread = std::mem::take(&mut state.chunks);
        state.buffered = 0;
        if let Some(socket) = state.socket.take().and_then(|socket| socket.upgrade()) {
            // Under the lock, so that the connection cannot pass to another call before this.
            // It does not block.
            socket.shutdown();
        }
        drop(state);
        self.room.notify_one();
        drop(unread);
    }
}

/// What the worker does.
impl Call {
    pub(super) fn is_cancelled(&self) -> bool {
        lock(&self.state).cancelled
    }

    /// From now on `socket` serves this call.
    pub(super) fn attach(
        &self,
        socket: Option<Weak<dyn ShutdownHandle>>,
        reused: bool,
    ) -> Result<(), Cancelled> {
        let mut state = lock(&self.state);
        if state.cancelled {
            return Err(Cancelled);
        }
        state.socket = socket;
        self.reused.store(reused, Ordering::Relaxed);
        // What an earlier connection did says nothing about this one.
        self.broken.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// The socket serves this call no more.
    pub(super) fn detach(&self) {
        lock(&self.state).socket = None;
    }

    pub(super) fn head_came(&self, head: Parts) {
        self.silence.store(0, Ordering::Relaxed);
        let waker = {
            let mut state = lock(&self.state);
            state.head = Some(head);
            state.changed()
        };
        wake(waker);
    }

    /// Hands over a piece of the body, once there is room for it.
    pub(super) fn chunk_came(&self, chunk: Bytes) -> Result<(), TransportError> {
        self.silence.store(0, Ordering::Relaxed);
        let mut state = lock(&self.state);
        while state.buffered >= MAX_BUFFERED || state.chunks.len() >= MAX_CHUNKS {
            if state.pool_closes {
                return Err(TransportError::new(
                    TransportErrorKind::Closed,
                    "the thread pool was closed while the body waited for its reader",
                ));
            }
            state.worker_waits = true;
            state = wait(&self.room, state);
            state.worker_waits = false;
        }
        if state.cancelled {
            // Nobody is told; it ends the worker's loop.
            return Err(TransportError::new(TransportErrorKind::Closed, "cancelled"));
        }
        state.buffered += chunk.len();
        state.chunks.push_back(chunk);
        let waker = state.changed();
        drop(state);
        wake(waker);
        Ok(())
    }

    /// The worker's last word.
    pub(super) fn ended(&self, end: Result<(), TransportError>) {
        let waker = {
            let mut state = lock(&self.state);
            state.end = Some(end);
            state.changed()
        };
        wake(waker);
    }

    /// Keeps what ureq is not to see of the request.
    pub(super) fn withhold(&self, withheld: Withheld) {
        self.withheld.get_or_init(|| withheld);
    }

    pub(super) fn withheld(&self) -> Option<&Withheld> {
        self.withheld.get()
    }

    pub(super) fn note_answered(&self) {
        self.answered.store(true, Ordering::Relaxed);
    }

    /// Counts bytes that have come, and says how many there are since the last of the content.
    pub(super) fn note_silence(&self, came: usize) -> usize {
        self.silence.fetch_add(came, Ordering::Relaxed) + came
    }

    pub(super) fn note_broken(&self) {
        self.broken.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_answered(&self) -> bool {
        self.answered.load(Ordering::Relaxed)
    }

    pub(super) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    /// Whether the request may be sent again on a new connection: this one was an old one, and
    /// not one byte of an answer came.
    pub(super) fn may_replace_connection(&self) -> bool {
        self.reused.load(Ordering::Relaxed) && !self.is_answered() && !self.is_cancelled()
    }
}

impl OnClose for Call {
    fn pool_closes(&self) {
        lock(&self.state).pool_closes = true;
        self.room.notify_one();
    }
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Call")
    }
}

/// A call between its worker, its caller and its connection.
pub(super) type SharedCall = Arc<Call>;
