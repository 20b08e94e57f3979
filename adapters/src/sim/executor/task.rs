//! One spawned task: its future, and the waker that marks it as ready.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Wake, Waker};
use std::time::Duration;

use chatcore::BoxFuture;

use super::Shared;
use super::error::PendingTask;

pub(super) struct Task {
    pub(super) id: u64,
    pub(super) name: String,
    shared: Weak<Shared>,
    /// Whether it is in the list of ready tasks.
    queued: AtomicBool,
    inner: Mutex<Inner>,
}

/// The parts that change with each poll.
struct Inner {
    /// `None` while it is polled and after it has ended; always `None` for the run's own future.
    future: Option<BoxFuture<'static, ()>>,
    polls: u64,
    last_polled: Duration,
    /// Kept between polls, because a new waker per poll would change the reference count twice.
    waker: Option<Waker>,
}

impl Task {
    /// A task that is already in the list of ready tasks.
    pub(super) fn new(
        shared: &Arc<Shared>,
        id: u64,
        name: String,
        future: Option<BoxFuture<'static, ()>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            id,
            name,
            shared: Arc::downgrade(shared),
            queued: AtomicBool::new(true),
            inner: Mutex::new(Inner {
                future,
                polls: 0,
                last_polled: Duration::ZERO,
                waker: None,
            }),
        })
    }

    /// Begins a poll: returns the future and the waker. From now on the task can be woken again.
    pub(super) fn begin_poll(
        self: &Arc<Self>,
        now: Duration,
    ) -> (Option<BoxFuture<'static, ()>>, Waker) {
        self.queued.store(false, Relaxed);
        let mut inner = self.lock();
        inner.polls += 1;
        inner.last_polled = now;
        let waker = inner
            .waker
            .take()
            .unwrap_or_else(|| Waker::from(Arc::clone(self)));
        (inner.future.take(), waker)
    }

    /// Ends a poll that returned `Pending`.
    pub(super) fn end_poll(&self, future: Option<BoxFuture<'static, ()>>, waker: Waker) {
        let mut inner = self.lock();
        inner.future = future;
        inner.waker = Some(waker);
    }

    /// Takes everything the task holds, for the caller to drop outside the lock: a future's `drop`
    /// is user code.
    pub(super) fn take(&self) -> (Option<BoxFuture<'static, ()>>, Option<Waker>) {
        let mut inner = self.lock();
        (inner.future.take(), inner.waker.take())
    }

    pub(super) fn pending(&self) -> PendingTask {
        let inner = self.lock();
        PendingTask {
            id: self.id,
            name: self.name.clone(),
            polls: inner.polls,
            last_polled: inner.last_polled,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        // No user code runs under the lock.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        if !self.queued.swap(true, Relaxed)
            && let Some(shared) = self.shared.upgrade()
        {
            shared.lock().ready.push(self);
        }
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.queued.load(Relaxed) {
            Arc::clone(self).wake();
        }
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task")
            .field("id", &self.id)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
