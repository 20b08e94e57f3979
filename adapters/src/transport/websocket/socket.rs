//! One socket, shared by its pump task and the calls on its lanes.
//!
//! ```text
//!  call ─ begin ──► outbox ──► pump ──►  the server
//!  call ◄─ inbox ─── lane ◄─── pump ◄──  (the answers of all lanes, mixed)
//! ```
//!
//! A lane has one call at a time. If a call is dropped, its lane stays busy until the rest of the
//! answer has arrived, which is discarded. When no call on the socket waits for an answer any more,
//! the socket is closed instead, so that the server stops.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use chatcore::Instant;

use super::connector::SocketClosed;
use super::create::Create;
use super::inbox::{End, Inbox};
use super::lanes::Lanes;
use super::message::{Meaning, Message};

/// One socket.
pub(super) struct Socket {
    state: Mutex<State>,
    born: Instant,
}

struct State {
    lanes: Lanes,
    outbox: VecDeque<String>,
    writer: Option<Waker>,
    /// Takes no new calls. The socket is closed when the calls in progress end.
    retired: bool,
    /// Tells the pump to close the socket.
    closing: bool,
    closed: Option<SocketClosed>,
    idle_since: Instant,
}

/// What the pump does next.
pub(super) enum Write {
    Text(String),
    Close,
}

/// What a message has freed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Freed {
    /// Nothing.
    None,
    /// One lane.
    Lane,
    /// Several lanes, because the server turned out to support them, or the place of the whole
    /// socket.
    All,
}

/// A call that was queued for sending.
pub(super) struct Begun {
    pub(super) inbox: Arc<Inbox>,
    /// The response that the call continues from, if the transport chose it.
    pub(super) known: Option<String>,
}

impl Socket {
    /// A socket opened at `now`. `has_lanes` is what another socket may have found out about the
    /// server.
    pub(super) fn new(now: Instant, has_lanes: Option<bool>) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                lanes: Lanes::new(has_lanes),
                outbox: VecDeque::new(),
                writer: None,
                retired: false,
                closing: false,
                closed: None,
                idle_since: now,
            }),
            born: now,
        })
    }

    /// Retires the socket if it is too old or has no lane left.
    pub(super) fn retire_if_spent(&self, now: Instant, age: Duration) {
        let mut state = self.lock();
        if now - self.born >= age || state.lanes.are_spent() {
            state.retired = true;
            state.close_if_over();
        }
    }

    /// Closes the socket if it carries no call. Returns whether it does.
    pub(super) fn close_if_idle(&self) -> bool {
        let mut state = self.lock();
        let is_idle = state.is_open() && state.lanes.in_flight() == 0;
        if is_idle {
            state.close();
        }
        is_idle
    }

    /// How well a call fits here: how many items of its input are known, and how many calls the
    /// socket carries. `None` if the socket cannot take the call.
    pub(super) fn fit(&self, create: &Create, max_lanes: usize) -> Option<(Option<usize>, usize)> {
        let state = self.lock();
        let fits = state.is_open() && state.lanes.have_room(max_lanes);
        fits.then(|| (state.lanes.known(create), state.lanes.in_flight()))
    }

    /// Puts a call on a lane and queues its message; with `whole`, its whole input. `None` if the
    /// socket was closed in the meantime.
    pub(super) fn begin(&self, create: &Create, whole: bool) -> Option<Begun> {
        let mut state = self.lock();
        if !state.is_open() {
            return None;
        }
        let inbox = Inbox::new();
        let beginning = state.lanes.begin(create, whole, inbox.clone())?;
        let known = beginning.known.as_ref().map(|(id, count)| (&**id, *count));
        let message = create.message(beginning.name.as_deref(), known);
        state.outbox.push_back(message);
        wake(&mut state.writer);
        Some(Begun {
            inbox,
            known: beginning.known.map(|(id, _)| id),
        })
    }

    /// The caller stops reading. Returns whether the socket takes no new calls because of it.
    pub(super) fn leave(&self, inbox: &Inbox) -> bool {
        inbox.end(End::Abandoned);
        let mut state = self.lock();
        // A socket on which nothing arrived may be dead without any notice.
        let is_silent = inbox.is_abandoned() && !inbox.is_answered();
        state.retired |= is_silent;
        let is_unread = state.lanes.in_flight() > 0 && !state.lanes.has_readers();
        if is_unread {
            state.close();
        }
        is_silent || is_unread
    }

    /// Makes the socket take no new calls.
    pub(super) fn retire(&self) {
        let mut state = self.lock();
        state.retired = true;
        state.close_if_over();
    }

    /// Drops the contexts that the server no longer has.
    pub(super) fn forget_contexts(&self) {
        self.lock().lanes.forget();
    }

    /// Whether the socket is closed or being closed.
    pub(super) fn is_closed(&self) -> bool {
        let state = self.lock();
        state.closing || state.closed.is_some()
    }

    /// Whether the socket takes no new calls.
    pub(super) fn is_retired(&self) -> bool {
        self.lock().retired
    }

    /// Whether the server supports lanes, if that is known.
    pub(super) fn has_lanes(&self) -> Option<bool> {
        self.lock().lanes.are_told_apart
    }

    /// Handles a message of the server.
    pub(super) fn receive(&self, text: Bytes, now: Instant) -> Freed {
        let message = Message::of(&text);
        let meaning = message.meaning();
        let mut state = self.lock();
        let Some(at) = state.lanes.find(&message) else {
            if meaning == Meaning::Error {
                // An error without a lane is about the whole connection.
                state.retired = true;
                state.close_if_over();
                return Freed::All;
            }
            if message.stream_id.is_none() {
                state.tell_all(&text);
            }
            return Freed::None;
        };
        let mut freed = Freed::None;
        if meaning != Meaning::Error && state.lanes.are_told_apart.is_none() {
            state.lanes.are_told_apart = Some(message.stream_id.is_some());
            freed = Freed::All;
        }
        let inbox = state.lanes.take_in(at, &message);
        if meaning == Meaning::Error && state.lanes.are_told_apart != Some(true) {
            // More messages about the failed request may follow, and could not be told from
            // others'.
            state.retired = true;
            freed = Freed::All;
        }
        if meaning != Meaning::Event {
            state.idle_since = now;
            state.close_if_over();
            if freed == Freed::None {
                freed = Freed::Lane;
            }
        }
        drop(state);
        if let Some(inbox) = inbox {
            inbox.push(text);
            if meaning != Meaning::Event {
                inbox.end(End::Complete);
            }
        }
        freed
    }

    /// Marks the socket as closed, and ends all calls in progress.
    pub(super) fn set_closed(&self, why: SocketClosed) {
        let mut state = self.lock();
        let why = state.closed.get_or_insert(why).clone();
        state.outbox = VecDeque::new();
        wake(&mut state.writer);
        for inbox in state.lanes.inboxes() {
            inbox.end(End::Closed(why.clone()));
        }
    }

    /// What the pump should write next.
    pub(super) fn poll_write(&self, cx: &mut Context<'_>) -> Poll<Write> {
        let mut state = self.lock();
        if state.closing || state.closed.is_some() {
            return Poll::Ready(Write::Close);
        }
        if let Some(text) = state.outbox.pop_front() {
            return Poll::Ready(Write::Text(text));
        }
        state.writer = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Closes the socket if it was idle for `limit`. Otherwise returns how long to wait before
    /// checking again.
    pub(super) fn expire(&self, now: Instant, limit: Duration) -> Option<Duration> {
        let mut state = self.lock();
        if state.lanes.in_flight() > 0 {
            return Some(limit);
        }
        let until = state.idle_since + limit;
        if until > now {
            return Some(until - now);
        }
        state.close();
        None
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that runs under this lock panics in the middle of a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_open(&self) -> bool {
        !self.retired && !self.closing && self.closed.is_none()
    }

    /// Passes a message without a lane to all calls that already had a message, because it shows
    /// that the server is alive.
    fn tell_all(&self, text: &Bytes) {
        for inbox in self.lanes.inboxes().filter(|inbox| inbox.is_answered()) {
            inbox.push(text.clone());
        }
    }

    fn close_if_over(&mut self) {
        if self.retired && self.lanes.in_flight() == 0 {
            self.close();
        }
    }

    fn close(&mut self) {
        self.closing = true;
        wake(&mut self.writer);
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}
