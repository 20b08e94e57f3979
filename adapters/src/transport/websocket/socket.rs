//! One socket, shared by the task that pumps it and by the calls on its lanes.
//!
//! ```text
//!  call ─ begin ──► outbox ──► pump ──►  the server
//!  call ◄─ inbox ─── lane ◄─── pump ◄──  (the answers of all lanes, mixed)
//! ```
//!
//! A lane has one call at a time. A call that is dropped leaves its lane to the rest of its answer,
//! which nobody reads; once that has ended, the lane is free. Where nobody waits for an answer any
//! more, the socket is closed instead, so that the server stops.

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
    /// No new call may come; the socket is closed when those on it are over.
    retired: bool,
    /// The pump is to close the socket.
    closing: bool,
    closed: Option<SocketClosed>,
    idle_since: Instant,
}

/// What the pump does next.
pub(super) enum Write {
    Text(String),
    Close,
}

/// What a message has made free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Freed {
    /// Nothing.
    None,
    /// One lane.
    Lane,
    /// All lanes but one, since the server turned out to have lanes; or the whole socket.
    All,
}

/// A call that was sent.
pub(super) struct Begun {
    pub(super) inbox: Arc<Inbox>,
    /// The response that it goes on from, of which this side knows.
    pub(super) known: Option<String>,
}

impl Socket {
    /// A socket that was opened at `now`. Whether its server tells lanes apart may be known from
    /// another socket.
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

    /// Retires a socket that takes no more calls because of its age, or because it has no lane left.
    pub(super) fn retire_if_spent(&self, now: Instant, age: Duration) {
        let mut state = self.lock();
        if now - self.born >= age || state.lanes.are_spent() {
            state.retired = true;
            state.close_if_over();
        }
    }

    /// Closes the socket if no call is on it. Whether it does.
    pub(super) fn close_if_idle(&self) -> bool {
        let mut state = self.lock();
        let is_idle = state.is_open() && state.lanes.in_flight() == 0;
        if is_idle {
            state.close();
        }
        is_idle
    }

    /// How well a call fits here: how many items of its input are known, and how many calls are on
    /// the socket. `None` where it cannot come.
    pub(super) fn fit(&self, create: &Create, max_lanes: usize) -> Option<(Option<usize>, usize)> {
        let state = self.lock();
        let fits = state.is_open() && state.lanes.have_room(max_lanes);
        fits.then(|| (state.lanes.known(create), state.lanes.in_flight()))
    }

    /// Puts a call on a lane and sends it; with `whole`, its whole input. `None` where the socket
    /// was closed meanwhile.
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

    /// The caller of a call reads no more. Whether no new call comes to this socket for that.
    pub(super) fn leave(&self, inbox: &Inbox) -> bool {
        inbox.end(End::Abandoned);
        let mut state = self.lock();
        // A socket on which nothing came may be dead without anybody's knowing.
        let is_silent = inbox.is_abandoned() && !inbox.is_answered();
        state.retired |= is_silent;
        let is_unread = state.lanes.in_flight() > 0 && !state.lanes.has_readers();
        if is_unread {
            state.close();
        }
        is_silent || is_unread
    }

    /// No new call comes to this socket.
    pub(super) fn retire(&self) {
        let mut state = self.lock();
        state.retired = true;
        state.close_if_over();
    }

    /// The contexts that this side believed in are lost.
    pub(super) fn forget_contexts(&self) {
        self.lock().lanes.forget();
    }

    /// Whether nothing comes through here any more.
    pub(super) fn is_closed(&self) -> bool {
        let state = self.lock();
        state.closing || state.closed.is_some()
    }

    /// Whether no new call may come.
    pub(super) fn is_retired(&self) -> bool {
        self.lock().retired
    }

    /// Whether the server tells lanes apart, if that is known.
    pub(super) fn has_lanes(&self) -> Option<bool> {
        self.lock().lanes.are_told_apart
    }

    /// Takes in a message of the server.
    pub(super) fn receive(&self, text: Bytes, now: Instant) -> Freed {
        let message = Message::of(&text);
        let meaning = message.meaning();
        let mut state = self.lock();
        let Some(at) = state.lanes.find(&message) else {
            if meaning == Meaning::Error {
                // An error without a lane is the connection's.
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
            // More may come about the request that failed, and nothing would tell whose it is.
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

    /// The socket is closed: calls that have not ended get no more.
    pub(super) fn set_closed(&self, why: SocketClosed) {
        let mut state = self.lock();
        let why = state.closed.get_or_insert(why).clone();
        state.outbox = VecDeque::new();
        wake(&mut state.writer);
        for inbox in state.lanes.inboxes() {
            inbox.end(End::Closed(why.clone()));
        }
    }

    /// What is to be written next.
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

    /// Closes the socket if it was idle for `limit`; otherwise, how long until it may be.
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
        // Nothing in here panics half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_open(&self) -> bool {
        !self.retired && !self.closing && self.closed.is_none()
    }

    /// A message that belongs to no lane shows that the server is there, so all calls hear of it.
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
