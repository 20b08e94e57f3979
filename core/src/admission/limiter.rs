//! Waiting for a rate limit: the async face of [`Rate`].

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::queue::WhenFull;
use super::waitlist::{Ticket, WaitList};
use super::wake::wake;
use crate::dialect::LimitHints;
use crate::error::{Error, ErrorKind};
use crate::executor::{BoxFuture, Executor};
use crate::policy::rate::{Rate, Reserve, Sent};
use crate::time::Instant;

/// The rate limits of one client, and those who wait for them.
#[derive(Debug)]
pub(crate) struct Limiter {
    executor: Arc<dyn Executor>,
    queue_size: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    rate: Rate,
    waiting: WaitList,
    closed: bool,
}

impl Limiter {
    pub(crate) fn new(executor: Arc<dyn Executor>, rate: Rate, queue_size: usize) -> Arc<Self> {
        Arc::new(Self {
            executor,
            queue_size,
            state: Mutex::new(State {
                rate,
                waiting: WaitList::default(),
                closed: false,
            }),
        })
    }

    /// Waits until one request and `tokens` tokens may go. Cancel-safe: dropping the future gives
    /// up its place, and wakes the next one.
    ///
    /// Fails with `InvalidInput` where that is more than may ever go at once, and with
    /// `QueueFull` where as many wait as may and `when_full` says so; with `Closed` once it is.
    pub(crate) fn acquire(self: &Arc<Self>, tokens: u64, when_full: WhenFull) -> Acquire {
        Acquire {
            limiter: Arc::clone(self),
            tokens,
            when_full,
            others: 0,
            ticket: None,
            timer: None,
        }
    }

    /// Takes one request and `tokens` tokens if they are there and nobody waits for them.
    pub(crate) fn try_acquire(self: &Arc<Self>, tokens: u64) -> Option<Reservation> {
        let now = self.executor.now();
        let mut state = self.lock();
        if !state.waiting.is_turn(None) {
            return None;
        }
        match state.rate.reserve(now, tokens) {
            Reserve::Ready => {
                drop(state);
                Some(Reservation::new(self, tokens))
            }
            Reserve::Wait(_) | Reserve::TooLarge(_) => None,
        }
    }

    /// Lets nobody wait any more: those who do, and those who come, get `Closed` at once rather
    /// than when the limit would let them go. What is reserved stays reserved.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let woken = state.waiting.all();
        drop(state);
        wake(woken);
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Changes the state, and wakes whom the change may let go.
    fn change<T>(&self, change: impl FnOnce(&mut Rate, Instant) -> T) -> T {
        let now = self.executor.now();
        let mut state = self.lock();
        let result = change(&mut state.rate, now);
        let next = state.waiting.head();
        drop(state);
        wake(next);
        result
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code of a user's runs under the lock, so a poisoned state is a consistent one.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(crate) fn balance(&self) -> [Option<u64>; 2] {
        self.lock().rate.balance(self.executor.now())
    }
}

/// The future of a [`Reservation`].
pub(crate) struct Acquire {
    limiter: Arc<Limiter>,
    tokens: u64,
    when_full: WhenFull,
    /// Those who wait elsewhere and count as well.
    others: usize,
    ticket: Option<Ticket>,
    /// Only the one at the head has a timer.
    timer: Option<(Instant, BoxFuture<'static, ()>)>,
}

enum Turn {
    Ready(Result<Reservation, Error>),
    Sleep(Instant),
    Wait,
}

impl Acquire {
    /// So many wait elsewhere, and take places of the same queue.
    pub(crate) fn beside(mut self, others: usize) -> Self {
        self.others = others;
        self
    }

    fn turn(&mut self, now: Instant, waker: &Waker) -> Turn {
        let limiter = Arc::clone(&self.limiter);
        let mut state = limiter.lock();
        if state.closed {
            state.waiting.leave(&mut self.ticket);
            return Turn::Ready(Err(Error::new(ErrorKind::Closed, "the client is closed")));
        }
        let waits = match state.waiting.is_turn(self.ticket) {
            true => match state.rate.reserve(now, self.tokens) {
                Reserve::Ready => {
                    let next = state.waiting.leave(&mut self.ticket);
                    drop(state);
                    wake(next);
                    return Turn::Ready(Ok(Reservation::new(&limiter, self.tokens)));
                }
                Reserve::TooLarge(error) => {
                    let next = state.waiting.leave(&mut self.ticket);
                    drop(state);
                    wake(next);
                    return Turn::Ready(Err(error));
                }
                Reserve::Wait(until) => until.map_or(Turn::Wait, Turn::Sleep),
            },
            false => Turn::Wait,
        };
        if self.ticket.is_none() {
            if let Err(error) = state.rate.check(self.tokens) {
                return Turn::Ready(Err(error));
            }
            let waiting = state.waiting.len() + self.others;
            if self.when_full == WhenFull::Fail && waiting >= limiter.queue_size {
                let message = format!(
                    "the queue is full: {waiting} requests wait for the rate limit or for a place, \
                     and {} may",
                    limiter.queue_size
                );
                return Turn::Ready(Err(Error::new(ErrorKind::QueueFull, message)));
            }
        }
        state.waiting.wait(&mut self.ticket, waker);
        waits
    }
}

impl Future for Acquire {
    type Output = Result<Reservation, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        loop {
            let now = this.limiter.executor.now();
            let until = match this.turn(now, cx.waker()) {
                Turn::Ready(result) => return Poll::Ready(result),
                Turn::Sleep(until) => until,
                Turn::Wait => {
                    this.timer = None;
                    return Poll::Pending;
                }
            };
            let timer = match &mut this.timer {
                Some((rings, timer)) if *rings == until => timer,
                timer => {
                    let sleep = this.limiter.executor.sleep(until - now);
                    &mut timer.insert((until, sleep)).1
                }
            };
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            this.timer = None;
            if this.limiter.executor.now() < until {
                // An executor that shuts down may end its sleeps: others have their turn first.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
    }
}

impl Drop for Acquire {
    fn drop(&mut self) {
        if self.ticket.is_some() {
            let next = self.limiter.lock().waiting.leave(&mut self.ticket);
            wake(next);
        }
    }
}

impl fmt::Debug for Acquire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acquire")
            .field("tokens", &self.tokens)
            .field("ticket", &self.ticket)
            .finish_non_exhaustive()
    }
}

/// One request's part of the limits. Dropped before it is [sent](Self::sent), it is given back;
/// dropped after that, it counts as it was reserved.
#[derive(Debug)]
pub(crate) struct Reservation {
    limiter: Arc<Limiter>,
    tokens: u64,
    sent: Option<Sent>,
}

impl Reservation {
    fn new(limiter: &Arc<Limiter>, tokens: u64) -> Self {
        Self {
            limiter: Arc::clone(limiter),
            tokens,
            sent: None,
        }
    }

    /// How many tokens were reserved: what a second attempt at the same request reserves too.
    pub(crate) fn tokens(&self) -> u64 {
        self.tokens
    }

    /// The request is sent now: what the provider counts begins here, and not where it was
    /// reserved, for it may have waited for a permit in between.
    pub(crate) fn sent(&mut self) {
        if self.sent.is_none() {
            let sent = (self.limiter).change(|rate, now| rate.start(now, self.tokens));
            self.sent = Some(sent);
        }
    }

    /// What the headers of the answer say about limits.
    pub(crate) fn hint(&self, hints: &LimitHints) {
        if let Some(sent) = &self.sent {
            (self.limiter).change(|rate, now| rate.hint(now, sent, hints));
        }
    }

    /// The answer used so many `tokens`, input and output together, as the server says: to be told
    /// once, at its end. A count from the midst of a stream would give back what the rest of it is
    /// still to use.
    ///
    /// A server that claims too much must not stop the client: more than was reserved counts only
    /// as far as the answer can have been that long, with one token for each of its `bytes`.
    pub(crate) fn settle(&mut self, tokens: u64, bytes: u64) {
        let tokens = tokens.min(self.tokens.saturating_add(bytes));
        if let Some(sent) = &mut self.sent {
            (self.limiter).change(|rate, now| rate.settle(now, sent, tokens));
        }
    }

    /// Nothing reached the provider after all: no connection came about.
    pub(crate) fn refund(mut self) {
        if let Some(sent) = &mut self.sent {
            (self.limiter).change(|rate, now| rate.undo(now, sent));
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.sent.is_none() {
            (self.limiter).change(|rate, now| rate.release(now, self.tokens));
        }
    }
}

#[cfg(test)]
mod tests;
