//! A first-in-first-out queue before a number of permits.
//!
//! Invariant: while a task waits, every permit is held. A returned permit goes straight to the task
//! that has waited longest, so no task overtakes another. A task that stops waiting leaves no gap.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::waitlist::{Ticket, WaitList};
use super::wake::wake;
use crate::error::{Error, ErrorKind};

/// What a call does when the queue is full. The further attempts of a call that was admitted always
/// wait.
///
/// ```
/// # async fn example(client: chatcore::LlmClient) -> Result<(), chatcore::Error> {
/// use chatcore::WhenFull;
///
/// let answer = client.ask("Why is the sky blue?").when_full(WhenFull::Wait).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WhenFull {
    /// Fail at once with [`QueueFull`](crate::ErrorKind::QueueFull).
    #[default]
    Fail,
    /// Wait behind all others: backpressure for the caller.
    Wait,
}

/// The permits and the queue of one client.
#[derive(Debug)]
pub(crate) struct Admission {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    permits: usize,
    queue_size: usize,
    active: usize,
    closed: bool,
    waiting: WaitList,
    /// The waiters that were handed a permit and have not taken it yet, in their order.
    granted: Vec<Ticket>,
    /// The tasks that wait until the queue is drained.
    draining: Vec<Waker>,
}

impl State {
    /// Hands free permits to the longest waiters. Returns the wakers to wake.
    fn grant(&mut self) -> Vec<Waker> {
        let mut woken = Vec::new();
        while self.active < self.permits
            && let Some((ticket, waker)) = self.waiting.pop()
        {
            self.active += 1;
            self.granted.push(ticket);
            woken.push(waker);
        }
        if self.is_drained() {
            woken.append(&mut self.draining);
        }
        woken
    }

    fn is_drained(&self) -> bool {
        self.closed && self.active == 0 && self.waiting.len() == 0
    }

    /// Takes the permit that was handed to `ticket`. False if there is none.
    fn take_granted(&mut self, ticket: Ticket) -> bool {
        let found = self.granted.binary_search(&ticket);
        found.map(|at| self.granted.remove(at)).is_ok()
    }
}

/// The state of the queue at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Snapshot {
    pub(crate) permits: usize,
    pub(crate) active: usize,
    pub(crate) queued: usize,
    pub(crate) closed: bool,
}

impl Admission {
    pub(crate) fn new(permits: usize, queue_size: usize) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                permits: permits.max(1),
                queue_size,
                active: 0,
                closed: false,
                waiting: WaitList::default(),
                granted: Vec::new(),
                draining: Vec::new(),
            }),
        })
    }

    /// Waits for a permit. Cancel-safe: dropping the future leaves the queue, and passes on a
    /// permit that was already handed to it.
    pub(crate) fn acquire(self: &Arc<Self>, when_full: WhenFull) -> Acquire {
        Acquire {
            admission: Arc::clone(self),
            when_full,
            ticket: None,
        }
    }

    /// Takes a permit if one is free. By the invariant, no task waits then.
    #[cfg(feature = "limits")]
    pub(crate) fn try_acquire(self: &Arc<Self>) -> Option<Permit> {
        let mut state = self.lock();
        if state.closed || state.active >= state.permits {
            return None;
        }
        state.active += 1;
        drop(state);
        Some(Permit(Arc::clone(self)))
    }

    /// Changes the number of permits. With more permits, the longest waiters run at once. With fewer,
    /// the calls that run finish, and no other starts until enough have finished; with none, all
    /// wait until there are permits again.
    pub(crate) fn set_permits(&self, permits: usize) {
        let woken = {
            let mut state = self.lock();
            state.permits = permits;
            state.grant()
        };
        wake(woken);
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let state = self.lock();
        Snapshot {
            permits: state.permits,
            active: state.active,
            queued: state.waiting.len(),
            closed: state.closed,
        }
    }

    /// Admits no new calls. Calls that wait or run go on.
    pub(crate) fn close(&self) {
        let woken = {
            let mut state = self.lock();
            state.closed = true;
            state.grant()
        };
        wake(woken);
    }

    /// Ready once the queue is closed and no call waits or runs.
    pub(crate) fn poll_drained(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.is_drained() {
            return Poll::Ready(());
        }
        if !state
            .draining
            .iter()
            .any(|waker| waker.will_wake(cx.waker()))
        {
            state.draining.push(cx.waker().clone());
        }
        Poll::Pending
    }

    fn release(&self) {
        let woken = {
            let mut state = self.lock();
            state.active -= 1;
            state.grant()
        };
        wake(woken);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No user code runs under the lock, so the state of a poisoned mutex is consistent.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to run an attempt. Dropping it passes it on.
#[derive(Debug)]
pub(crate) struct Permit(Arc<Admission>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.release();
    }
}

/// The future of a [`Permit`].
#[derive(Debug)]
pub(crate) struct Acquire {
    admission: Arc<Admission>,
    when_full: WhenFull,
    ticket: Option<Ticket>,
}

impl Future for Acquire {
    type Output = Result<Permit, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let mut state = this.admission.lock();
        let Some(ticket) = this.ticket else {
            if state.closed {
                return Poll::Ready(Err(Error::new(ErrorKind::Closed, "the client is closed")));
            }
            if state.active < state.permits {
                state.active += 1;
                drop(state);
                return Poll::Ready(Ok(Permit(Arc::clone(&this.admission))));
            }
            if this.when_full == WhenFull::Fail && state.waiting.len() >= state.queue_size {
                let message = format!(
                    "the queue is full: {} requests are in flight and {} wait (limit {})",
                    state.active,
                    state.waiting.len(),
                    state.queue_size
                );
                return Poll::Ready(Err(Error::new(ErrorKind::QueueFull, message)));
            }
            state.waiting.wait(&mut this.ticket, cx.waker());
            return Poll::Pending;
        };
        if state.take_granted(ticket) {
            this.ticket = None;
            drop(state);
            return Poll::Ready(Ok(Permit(Arc::clone(&this.admission))));
        }
        state.waiting.wait(&mut this.ticket, cx.waker());
        Poll::Pending
    }
}

impl Drop for Acquire {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else {
            return;
        };
        let woken = {
            let mut state = self.admission.lock();
            state.waiting.leave(&mut self.ticket);
            if state.take_granted(ticket) {
                state.active -= 1;
            }
            // Called even if this future held no permit, because it may have been the last waiter
            // of a closed queue.
            state.grant()
        };
        wake(woken);
    }
}

#[cfg(test)]
mod tests {
    use futures_lite::future::{block_on, poll_once};

    use super::*;

    fn poll(acquire: &mut Acquire) -> Option<Result<Permit, Error>> {
        block_on(poll_once(acquire))
    }

    fn counts(admission: &Admission) -> (usize, usize) {
        let snapshot = admission.snapshot();
        (snapshot.active, snapshot.queued)
    }

    #[test]
    fn first_in_first_out() {
        let admission = Admission::new(1, 10);
        let first = poll(&mut admission.acquire(WhenFull::Fail))
            .unwrap()
            .unwrap();
        let mut second = admission.acquire(WhenFull::Fail);
        let mut third = admission.acquire(WhenFull::Fail);
        assert!(poll(&mut second).is_none());
        assert!(poll(&mut third).is_none());
        assert_eq!(counts(&admission), (1, 2));
        drop(first);
        // The permit already belongs to the second task, so a late one cannot overtake it.
        let mut late = admission.acquire(WhenFull::Fail);
        assert!(poll(&mut late).is_none());
        assert!(poll(&mut third).is_none());
        let second = poll(&mut second).unwrap().unwrap();
        drop(second);
        assert!(poll(&mut third).unwrap().is_ok());
    }

    /// A task of an event loop that was dropped: only its waker holds it, and waking drops it.
    struct Gone(Mutex<Option<Acquire>>);

    impl std::task::Wake for Gone {
        fn wake(self: Arc<Self>) {
            let acquire = self.0.lock().unwrap().take();
            drop(acquire);
        }
    }

    #[test]
    fn a_long_queue_of_a_loop_that_is_gone_is_dropped_without_nesting() {
        let admission = Admission::new(1, usize::MAX);
        let held = poll(&mut admission.acquire(WhenFull::Fail))
            .unwrap()
            .unwrap();
        for _ in 0..20_000 {
            let task = Arc::new(Gone(Mutex::new(Some(admission.acquire(WhenFull::Wait)))));
            let waker = Waker::from(Arc::clone(&task));
            let mut acquire = task.0.lock().unwrap();
            let acquire = Pin::new(acquire.as_mut().unwrap());
            assert!(acquire.poll(&mut Context::from_waker(&waker)).is_pending());
        }
        assert_eq!(counts(&admission), (1, 20_000));
        drop(held);
        assert_eq!(counts(&admission), (0, 0));
    }

    #[test]
    fn full_fails_or_waits() {
        let admission = Admission::new(1, 1);
        let held = poll(&mut admission.acquire(WhenFull::Fail))
            .unwrap()
            .unwrap();
        let mut queued = admission.acquire(WhenFull::Fail);
        assert!(poll(&mut queued).is_none());
        let error = poll(&mut admission.acquire(WhenFull::Fail))
            .unwrap()
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::QueueFull);
        let mut patient = admission.acquire(WhenFull::Wait);
        assert!(poll(&mut patient).is_none());
        assert_eq!(counts(&admission), (1, 2));
        drop(held);
        let held = poll(&mut queued).unwrap().unwrap();
        drop(held);
        assert!(poll(&mut patient).unwrap().is_ok());
    }

    #[test]
    fn a_dropped_waiter_leaves_no_hole() {
        let admission = Admission::new(1, 10);
        let held = poll(&mut admission.acquire(WhenFull::Fail))
            .unwrap()
            .unwrap();
        let mut waits = admission.acquire(WhenFull::Fail);
        let mut next = admission.acquire(WhenFull::Fail);
        assert!(poll(&mut waits).is_none());
        assert!(poll(&mut next).is_none());
        drop(held);
        // It was handed the permit and never took it.
        drop(waits);
        let held = poll(&mut next).unwrap().unwrap();
        assert_eq!(counts(&admission), (1, 0));
        drop(held);
        assert_eq!(counts(&admission), (0, 0));
    }

    #[test]
    fn permits_grow_at_once_and_shrink_as_those_that_run_finish() {
        let admission = Admission::new(1, 10);
        let first = poll(&mut admission.acquire(WhenFull::Fail))
            .unwrap()
            .unwrap();
        let mut waiting: Vec<_> = (0..4).map(|_| admission.acquire(WhenFull::Fail)).collect();
        assert!(waiting.iter_mut().all(|acquire| poll(acquire).is_none()));
        admission.set_permits(3);
        assert_eq!(counts(&admission), (3, 2));
        let second = poll(&mut waiting[0]).unwrap().unwrap();
        let third = poll(&mut waiting[1]).unwrap().unwrap();
        admission.set_permits(1);
        drop((first, second));
        assert_eq!(counts(&admission), (1, 2));
        assert!(poll(&mut waiting[2]).is_none());
        drop(third);
        assert_eq!(counts(&admission), (1, 1));
        let fourth = poll(&mut waiting[2]).unwrap().unwrap();
        admission.set_permits(0);
        drop(fourth);
        assert_eq!(counts(&admission), (0, 1));
        assert!(poll(&mut waiting[3]).is_none());
        admission.set_permits(1);
        assert!(poll(&mut waiting[3]).unwrap().is_ok());
    }

    #[test]
    fn closing_lets_the_waiting_through_and_nobody_new() {
        let admission = Admission::new(1, 10);
        let held = poll(&mut admission.acquire(WhenFull::Fail))
            .unwrap()
            .unwrap();
        let mut waits = admission.acquire(WhenFull::Fail);
        assert!(poll(&mut waits).is_none());
        admission.close();
        let error = poll(&mut admission.acquire(WhenFull::Wait))
            .unwrap()
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed);
        let drained = || {
            block_on(poll_once(std::future::poll_fn(|cx| {
                admission.poll_drained(cx)
            })))
        };
        assert!(drained().is_none());
        drop(held);
        let held = poll(&mut waits).unwrap().unwrap();
        assert!(drained().is_none());
        drop(held);
        assert!(drained().is_some());
    }
}
