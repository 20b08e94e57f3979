//! Micro-batching: collects single requests into batches that run in the background.
//!
//! ```text
//!  add ─► collecting ──(full, timeout, flush)──► ready ──(max_concurrent_batches)──► running
//! ```

use std::collections::{BTreeSet, VecDeque};
use std::future::{Future, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use futures_channel::oneshot;
use futures_util::FutureExt;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::{Limits, Meter, Work};
use crate::admission::wake::wake;
use crate::error::{Error, ErrorKind};
use crate::executor::BoxFuture;
use crate::time::Instant;

/// The added requests that have no result yet.
pub(super) struct Micro<I, O, E> {
    state: Mutex<State<I, O, E>>,
}

struct State<I, O, E> {
    collecting: Vec<Request<I, O, E>>,
    /// When the first request in `collecting` was added.
    collecting_since: Instant,
    timer_runs: bool,
    ready: VecDeque<Batch<I, O, E>>,
    /// Whether a call of `start_ready` is in its loop.
    starting: bool,
    running: usize,
    /// The number of the batch being collected.
    number: u64,
    /// The numbers of the batches that are ready or running.
    unfinished: BTreeSet<u64>,
    closed: bool,
    cancelled: bool,
    /// Wakers of callers that wait for batches to finish, and of running batches, which must notice
    /// a cancellation.
    wakers: Vec<Waker>,
}

struct Request<I, O, E> {
    item: I,
    reply: oneshot::Sender<Result<O, E>>,
}

struct Batch<I, O, E> {
    number: u64,
    requests: Vec<Request<I, O, E>>,
}

impl<I, O, E> Micro<I, O, E>
where
    I: Send + 'static,
    O: Send + 'static,
    E: From<Error> + Send + 'static,
{
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                collecting: Vec::new(),
                collecting_since: Instant::default(),
                timer_runs: false,
                ready: VecDeque::new(),
                starting: false,
                running: 0,
                number: 0,
                unfinished: BTreeSet::new(),
                closed: false,
                cancelled: false,
                wakers: Vec::new(),
            }),
        })
    }

    pub(super) fn add(
        self: &Arc<Self>,
        work: &Work<I, O, E>,
        limits: Limits,
        item: I,
    ) -> Result<oneshot::Receiver<Result<O, E>>, Error> {
        let (reply, receiver) = oneshot::channel();
        let mut state = self.lock();
        if state.closed {
            return Err(closed());
        }
        // Remove requests whose callers have gone, but only when the batch is about to be full,
        // because only then their space matters.
        if state.collecting.len() + 1 >= limits.batch_size {
            state
                .collecting
                .retain(|request| !request.reply.is_canceled());
        }
        state.collecting.push(Request { item, reply });
        let full = state.collecting.len() >= limits.batch_size;
        if state.collecting.len() == 1 {
            state.collecting_since = work.executor.now();
        }
        let start_timer = !full && !std::mem::replace(&mut state.timer_runs, true);
        drop(state);
        if full {
            self.flush(work, limits);
        }
        if start_timer {
            let timer = Timer {
                micro: Arc::downgrade(self),
                work: work.clone(),
                limits,
                done: false,
            };
            work.executor.spawn(Box::pin(timer.run()));
        }
        Ok(receiver)
    }

    /// Moves the collected requests to a ready batch. Returns the number of the next batch: all
    /// batches made so far have lower numbers.
    pub(super) fn flush(self: &Arc<Self>, work: &Work<I, O, E>, limits: Limits) -> u64 {
        let mut state = self.lock();
        let requests = std::mem::take(&mut state.collecting);
        if !requests.is_empty() {
            let number = state.number;
            state.number += 1;
            state.unfinished.insert(number);
            state.ready.push_back(Batch { number, requests });
        }
        let end = state.number;
        drop(state);
        self.start_ready(work, limits);
        end
    }

    /// Starts ready batches while `max_concurrent_batches` allows. An executor that is shut down
    /// drops a task inside `spawn`, and dropping a [`Running`] calls this function again. The inner
    /// call returns at once and leaves the next batch to the outer loop; otherwise thousands of
    /// batches would nest on the stack.
    fn start_ready(self: &Arc<Self>, work: &Work<I, O, E>, limits: Limits) {
        let mut state = self.lock();
        if std::mem::replace(&mut state.starting, true) {
            return;
        }
        drop(state);
        let starting = Starting(self);
        while let Some(batch) = starting.next(limits) {
            let running = Running {
                micro: Arc::clone(self),
                work: work.clone(),
                limits,
                number: batch.number,
            };
            work.executor.spawn(Box::pin(running.run(batch.requests)));
        }
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
    }

    /// Drops all waiting requests and wakes the running batches, which then stop. Returns the
    /// number that [`finished`](Self::finished) takes.
    pub(super) fn cancel(&self) -> u64 {
        let mut state = self.lock();
        state.closed = true;
        state.cancelled = true;
        let collecting = std::mem::take(&mut state.collecting);
        let ready = std::mem::take(&mut state.ready);
        for batch in &ready {
            state.unfinished.remove(&batch.number);
        }
        let end = state.number;
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        // Dropped outside the lock, because dropping items and waking wakers runs the caller's
        // code.
        drop((collecting, ready));
        wake(wakers);
        end
    }

    /// Completes when all batches with numbers below `end` are done.
    pub(super) async fn finished(&self, end: u64) {
        poll_fn(|cx| {
            let mut state = self.lock();
            match state.unfinished.first() {
                Some(&first) if first < end => {
                    state.wait(cx);
                    Poll::Pending
                }
                _ => Poll::Ready(()),
            }
        })
        .await;
    }

    fn lock(&self) -> MutexGuard<'_, State<I, O, E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to start ready batches. Only one exists at a time.
struct Starting<'a, I, O, E>(&'a Micro<I, O, E>);

impl<I, O, E> Starting<'_, I, O, E> {
    /// The next batch, if `max_concurrent_batches` allows one more. Otherwise clears `starting`
    /// under the same lock, so that a batch that ends later starts the next one.
    fn next(&self, limits: Limits) -> Option<Batch<I, O, E>> {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let batch = match state.running < limits.max_concurrent_batches {
            true => state.ready.pop_front(),
            false => None,
        };
        match batch {
            Some(_) => state.running += 1,
            None => state.starting = false,
        }
        batch
    }
}

impl<I, O, E> Drop for Starting<'_, I, O, E> {
    /// Clears `starting` if `spawn` panicked; otherwise no batch could ever start again.
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.starting = false;
        }
    }
}

impl<I, O, E> State<I, O, E> {
    fn wait(&mut self, cx: &mut Context<'_>) {
        if !self.wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
            self.wakers.push(cx.waker().clone());
        }
    }
}

/// Flushes a batch when its first request has waited for `timeout`. The timer ends when no requests
/// are being collected; the next request starts a new one.
struct Timer<I, O, E> {
    micro: Weak<Micro<I, O, E>>,
    work: Work<I, O, E>,
    limits: Limits,
    done: bool,
}

impl<I, O, E> Timer<I, O, E>
where
    I: Send + 'static,
    O: Send + 'static,
    E: From<Error> + Send + 'static,
{
    async fn run(mut self) {
        loop {
            let sleep = {
                let Some(micro) = self.micro.upgrade() else {
                    return;
                };
                let mut state = micro.lock();
                if state.collecting.is_empty() {
                    state.timer_runs = false;
                    self.done = true;
                    return;
                }
                let due = state.collecting_since + self.limits.timeout;
                let left = due - self.work.executor.now();
                drop(state);
                if left.is_zero() {
                    micro.flush(&self.work, self.limits);
                    continue;
                }
                self.work.executor.sleep(left)
            };
            sleep.await;
        }
    }
}

impl<I, O, E> Drop for Timer<I, O, E> {
    /// An executor that shuts down drops this task. The collected requests then fail with `Closed`,
    /// because no timer would flush them.
    fn drop(&mut self) {
        if self.done {
            return;
        }
        let Some(micro) = self.micro.upgrade() else {
            return;
        };
        let mut state = micro.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.timer_runs = false;
        let collecting = std::mem::take(&mut state.collecting);
        drop(state);
        drop(collecting);
    }
}

/// A running batch. Dropping it, even by a panic or a shutdown, lets the next batch start.
struct Running<I, O, E>
where
    I: Send + 'static,
    O: Send + 'static,
    E: From<Error> + Send + 'static,
{
    micro: Arc<Micro<I, O, E>>,
    work: Work<I, O, E>,
    limits: Limits,
    number: u64,
}

impl<I, O, E> Running<I, O, E>
where
    I: Send + 'static,
    O: Send + 'static,
    E: From<Error> + Send + 'static,
{
    async fn run(self, requests: Vec<Request<I, O, E>>) {
        let mut meter = Meter::new(self.work.executor.now());
        meter.set_total(Some(requests.len()));
        let mut requests = requests.into_iter();
        let mut running = FuturesUnordered::new();
        poll_fn(|cx| {
            if self.is_cancelled(cx) {
                return Poll::Ready(());
            }
            loop {
                while running.len() < self.limits.max_workers
                    && let Some(request) = requests.next()
                {
                    meter.started();
                    running.push(Item::start(&self.work, request));
                }
                match running.poll_next_unpin(cx) {
                    Poll::Ready(Some((reply, result))) => {
                        match result {
                            Some(result) => {
                                self.work.ended(&mut meter, &result);
                                // Fails if the caller has just gone; the result is then not needed.
                                let _ = reply.send(result);
                            }
                            None => meter.left(),
                        }
                    }
                    Poll::Ready(None) => return Poll::Ready(()),
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await;
    }

    fn is_cancelled(&self, cx: &mut Context<'_>) -> bool {
        let mut state = self.micro.lock();
        if !state.cancelled {
            state.wait(cx);
        }
        state.cancelled
    }
}

impl<I, O, E> Drop for Running<I, O, E>
where
    I: Send + 'static,
    O: Send + 'static,
    E: From<Error> + Send + 'static,
{
    fn drop(&mut self) {
        let wakers = {
            let mut state = self.micro.lock();
            state.running -= 1;
            state.unfinished.remove(&self.number);
            std::mem::take(&mut state.wakers)
        };
        wake(wakers);
        self.micro.start_ready(&self.work, self.limits);
    }
}

/// One running request. It ends early when its caller drops the future.
struct Item<O, E> {
    work: BoxFuture<'static, Result<O, E>>,
    reply: Option<oneshot::Sender<Result<O, E>>>,
}

impl<O, E> Item<O, E>
where
    O: Send + 'static,
    E: From<Error> + Send + 'static,
{
    fn start<I: Send + 'static>(work: &Work<I, O, E>, request: Request<I, O, E>) -> Self {
        let work = work.clone();
        let work = async move { work.start(request.item).await };
        // A panic in one request must not affect the other requests of the batch.
        let work = AssertUnwindSafe(work).catch_unwind();
        Self {
            work: Box::pin(async move { work.await.unwrap_or_else(|_| Err(panicked().into())) }),
            reply: Some(request.reply),
        }
    }
}

impl<O, E> Future for Item<O, E> {
    type Output = (oneshot::Sender<Result<O, E>>, Option<Result<O, E>>);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let gone = match &mut this.reply {
            Some(reply) => reply.poll_canceled(cx).is_ready(),
            None => return Poll::Pending,
        };
        let result = match gone {
            true => None,
            false => match this.work.as_mut().poll(cx) {
                Poll::Ready(result) => Some(result),
                Poll::Pending => return Poll::Pending,
            },
        };
        match this.reply.take() {
            Some(reply) => Poll::Ready((reply, result)),
            None => Poll::Pending,
        }
    }
}

/// The error of a request that was added after closing, or dropped.
pub(super) fn closed() -> Error {
    Error::new(
        ErrorKind::Closed,
        "the batch processor or its executor is closed",
    )
}

fn panicked() -> Error {
    Error::new(ErrorKind::Internal, "the work on this item panicked")
}
