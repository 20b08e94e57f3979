//! Waiting for a rate limit: the async wrapper of [`Rate`].

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::queue::WhenFull;
use super::shared::{Pool, SharedLimits};
use super::waitlist::{Ticket, WaitList};
use super::wake::wake;
use crate::dialect::LimitHints;
use crate::error::{Error, ErrorKind};
use crate::executor::{BoxFuture, Executor};
use crate::policy::rate::{Rate, Reserve, Sent};
use crate::time::Instant;

/// The rate limits of one client, and the tasks that wait for them.
#[derive(Debug)]
pub(crate) struct Limiter {
    executor: Arc<dyn Executor>,
    queue_size: usize,
    shared: Option<Arc<dyn SharedLimits>>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    rate: Rate,
    /// What was drawn of the shared limits. Unused without any.
    pool: Pool,
    has_pool: bool,
    waiting: WaitList,
    closed: bool,
}

impl State {
    fn reserve(&mut self, now: Instant, tokens: u64) -> Reserve {
        if self.has_pool {
            // Nothing is drawn for a request that is too large for the client's own limits.
            if let Err(error) = self.rate.check(tokens) {
                return Reserve::TooLarge(error);
            }
            if !self.pool.holds(now, tokens) {
                return Reserve::Wait(None);
            }
        }
        let reserve = self.rate.reserve(now, tokens);
        if matches!(reserve, Reserve::Ready) {
            self.pool.take(tokens);
        }
        reserve
    }

    fn leave(&mut self, ticket: &mut Option<Ticket>, tokens: u64) -> Option<Waker> {
        if ticket.is_some() {
            self.pool.leaves(tokens);
        }
        self.waiting.leave(ticket)
    }
}

impl Limiter {
    pub(crate) fn new(executor: Arc<dyn Executor>, rate: Rate, queue_size: usize) -> Arc<Self> {
        Self::with_shared(executor, rate, queue_size, None)
    }

    pub(crate) fn with_shared(
        executor: Arc<dyn Executor>,
        rate: Rate,
        queue_size: usize,
        shared: Option<Arc<dyn SharedLimits>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            executor,
            queue_size,
            state: Mutex::new(State {
                rate,
                pool: Pool::default(),
                has_pool: shared.is_some(),
                waiting: WaitList::default(),
                closed: false,
            }),
            shared,
        })
    }

    /// Waits until one request and `tokens` tokens are available. Cancel-safe: dropping the future
    /// leaves the queue and wakes the next task.
    ///
    /// Fails with `InvalidInput` if that is more than the limits can ever admit at once, with
    /// `QueueFull` if the queue is full and `when_full` is [`WhenFull::Fail`], and with `Closed`
    /// once the limiter is closed.
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

    /// Reserves one request and `tokens` tokens if they are available and no task waits for them.
    pub(crate) fn try_acquire(self: &Arc<Self>, tokens: u64) -> Option<Reservation> {
        let now = self.executor.now();
        let mut state = self.lock();
        if !state.waiting.is_turn(None) {
            return None;
        }
        match state.reserve(now, tokens) {
            Reserve::Ready => {
                drop(state);
                Some(Reservation::new(self, tokens))
            }
            Reserve::Wait(_) | Reserve::TooLarge(_) => None,
        }
    }

    /// Ends all waiting: tasks that wait now or come later get `Closed` at once, rather than when
    /// the limit would admit them. Reservations stay valid.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let woken = state.waiting.all();
        drop(state);
        wake(woken);
    }

    /// How many tasks wait.
    pub(crate) fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Changes the state, and wakes the first task, because the change may admit it.
    fn change<T>(&self, change: impl FnOnce(&mut State, Instant) -> T) -> T {
        let now = self.executor.now();
        let mut state = self.lock();
        let result = change(&mut state, now);
        let next = state.waiting.head();
        drop(state);
        wake(next);
        result
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No user code runs under the lock, so the state of a poisoned mutex is consistent.
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
    /// How many tasks wait elsewhere and count towards the queue's size.
    others: usize,
    ticket: Option<Ticket>,
    /// Set only while this task is first in the queue.
    timer: Option<(Instant, BoxFuture<'static, ()>)>,
}

enum Turn {
    Ready(Result<Reservation, Error>),
    Sleep(Instant),
    Wait,
}

impl Acquire {
    /// Counts `others`, tasks that wait for a permit, towards the queue's size.
    pub(crate) fn beside(mut self, others: usize) -> Self {
        self.others = others;
        self
    }

    fn turn(&mut self, now: Instant, waker: &Waker) -> Turn {
        let limiter = Arc::clone(&self.limiter);
        let mut state = limiter.lock();
        if state.closed {
            state.leave(&mut self.ticket, self.tokens);
            return Turn::Ready(Err(Error::new(ErrorKind::Closed, "the client is closed")));
        }
        let waits = match state.waiting.is_turn(self.ticket) {
            true => match state.reserve(now, self.tokens) {
                Reserve::Ready => {
                    let next = state.leave(&mut self.ticket, self.tokens);
                    drop(state);
                    wake(next);
                    return Turn::Ready(Ok(Reservation::new(&limiter, self.tokens)));
                }
                Reserve::TooLarge(error) => {
                    let next = state.leave(&mut self.ticket, self.tokens);
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
                    "the queue is full: {waiting} requests wait for the rate limit or a permit \
                     (limit {})",
                    limiter.queue_size
                );
                return Turn::Ready(Err(Error::new(ErrorKind::QueueFull, message)));
            }
        }
        if self.ticket.is_none() {
            state.pool.joins(self.tokens);
        }
        state.waiting.wait(&mut self.ticket, waker);
        if state.has_pool && state.waiting.is_turn(self.ticket) && state.pool.starts_drawing() {
            drop(state);
            limiter.draw();
        }
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
                // An executor that shuts down may complete its sleeps early. Yield, so that other
                // tasks can run.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
    }
}

impl Drop for Acquire {
    fn drop(&mut self) {
        if self.ticket.is_some() {
            let next = self.limiter.lock().leave(&mut self.ticket, self.tokens);
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

/// One request's share of the limits. Dropping it before it is [sent](Self::sent) releases the
/// share. Dropping it after that leaves the reserved amount counted.
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

    /// How many tokens were reserved. A hedge of the same request reserves as many.
    pub(crate) fn tokens(&self) -> u64 {
        self.tokens
    }

    /// Marks the request as sent. It counts from now and not from when it was reserved, because it
    /// may have waited for a permit in between, and the provider counts from its arrival.
    pub(crate) fn sent(&mut self) {
        if self.sent.is_none() {
            let sent = (self.limiter).change(|state, now| state.rate.start(now, self.tokens));
            self.sent = Some(sent);
        }
    }

    /// Takes in the limits in the response's headers.
    pub(crate) fn hint(&self, hints: &LimitHints) {
        if let Some(sent) = &self.sent {
            (self.limiter).change(|state, now| state.rate.hint(now, sent, hints));
        }
    }

    /// Replaces the estimate by the `tokens` that the server reports, input and output together.
    /// Call this once, at the end of the answer: a count from the middle of a stream would return
    /// tokens that the rest of the stream is still going to use.
    ///
    /// A server that reports too many tokens must not stop the client. So the count is capped at
    /// the reserved tokens plus one token for each of the answer's `bytes`.
    pub(crate) fn settle(&mut self, tokens: u64, bytes: u64) {
        let tokens = tokens.min(self.tokens.saturating_add(bytes));
        if let Some(sent) = &mut self.sent {
            (self.limiter).change(|state, now| {
                state.rate.settle(now, sent, tokens);
                state.pool.used(now, self.tokens, tokens);
            });
        }
    }

    /// Returns the whole share, because nothing reached the provider: the connection was never
    /// made.
    pub(crate) fn refund(mut self) {
        if let Some(sent) = &mut self.sent {
            (self.limiter).change(|state, now| {
                state.rate.undo(now, sent);
                state.pool.give(now, self.tokens);
            });
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.sent.is_none() {
            (self.limiter).change(|state, now| {
                state.rate.release(now, self.tokens);
                state.pool.give(now, self.tokens);
            });
        }
    }
}

mod draw;
#[cfg(test)]
mod tests;
