//! One call, shared by its worker and its caller.
//!
//! ```text
//!  worker ── head, chunks (bounded), end ──► caller
//!  worker ◄── cancel: shuts the socket down ── caller
//! ```
//!
//! While a connection serves a call, the call holds a handle of its socket. ureq asks a connection
//! whether it is open before it puts the connection back into its pool; at that point the
//! connection detaches from the call (see [`connection`](super::connection)). Detaching and
//! cancelling take the same lock, so a cancelled call never shuts down a connection that serves
//! another call.

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

/// How many bytes of a body may wait for the reader before the worker stops reading the socket.
const MAX_BUFFERED: usize = 64 * 1024;
/// The same limit in chunks, because a small chunk costs more than its bytes.
const MAX_CHUNKS: usize = 256;

#[derive(Default)]
pub(super) struct Call {
    state: Mutex<State>,
    /// Where the worker waits until the reader makes room.
    room: Condvar,
    /// Whether the connection served another call before.
    reused: AtomicBool,
    /// Whether any byte of the answer has arrived.
    answered: AtomicBool,
    /// How many bytes arrived since the last content.
    silence: AtomicUsize,
    /// Whether the connection broke, instead of being closed in an orderly way.
    broken: AtomicBool,
    /// The secrets of the request, which ureq does not see.
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
    /// Whether the worker waits for room. Notifying it at other times would cost a system call per
    /// chunk.
    worker_waits: bool,
    cancelled: bool,
    pool_closes: bool,
}

/// The caller has cancelled the call.
#[derive(Debug)]
pub(super) struct Cancelled;

impl State {
    /// Takes the waker, to be called after the lock is released.
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

/// The caller's side.
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

    /// Cancels the call: the worker's next step fails, and a blocked worker is interrupted.
    pub(super) fn cancel(&self) {
        let mut state = lock(&self.state);
        state.cancelled = true;
        // Freed here, because the caller will not read it.
        let unread = std::mem::take(&mut state.chunks);
        state.buffered = 0;
        if let Some(socket) = state.socket.take().and_then(|socket| socket.upgrade()) {
            // Under the lock, so that the connection cannot pass to another call first. It does not
            // block.
            socket.shutdown();
        }
        drop(state);
        self.room.notify_one();
        drop(unread);
    }
}

/// The worker's side.
impl Call {
    pub(super) fn is_cancelled(&self) -> bool {
        lock(&self.state).cancelled
    }

    /// Makes `socket` serve this call from now on.
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
        // Whether an earlier connection broke does not matter for this one.
        self.broken.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// The socket no longer serves this call.
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

    /// Hands over a piece of the body. Waits until there is room for it.
    pub(super) fn chunk_came(&self, chunk: Bytes) -> Result<(), TransportError> {
        self.silence.store(0, Ordering::Relaxed);
        let mut state = lock(&self.state);
        while state.buffered >= MAX_BUFFERED || state.chunks.len() >= MAX_CHUNKS {
            if state.pool_closes {
                return Err(TransportError::new(
                    TransportErrorKind::Closed,
                    "the thread pool was closed before the body was read",
                ));
            }
            state.worker_waits = true;
            state = wait(&self.room, state);
            state.worker_waits = false;
        }
        if state.cancelled {
            // No caller sees this error; it only ends the worker's loop.
            return Err(TransportError::new(TransportErrorKind::Closed, "cancelled"));
        }
        state.buffered += chunk.len();
        state.chunks.push_back(chunk);
        let waker = state.changed();
        drop(state);
        wake(waker);
        Ok(())
    }

    /// Ends the call. The worker calls this last.
    pub(super) fn ended(&self, end: Result<(), TransportError>) {
        let waker = {
            let mut state = lock(&self.state);
            state.end = Some(end);
            state.changed()
        };
        wake(waker);
    }

    /// Keeps the secrets of the request that ureq must not see.
    pub(super) fn withhold(&self, withheld: Withheld) {
        self.withheld.get_or_init(|| withheld);
    }

    pub(super) fn withheld(&self) -> Option<&Withheld> {
        self.withheld.get()
    }

    pub(super) fn note_answered(&self) {
        self.answered.store(true, Ordering::Relaxed);
    }

    /// Counts bytes that arrived, and returns how many arrived since the last content.
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

    /// Whether the request may be sent again on a new connection: the connection was reused, and no
    /// byte of an answer arrived.
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

/// A call, shared by its worker, its caller and its connection.
pub(super) type SharedCall = Arc<Call>;
