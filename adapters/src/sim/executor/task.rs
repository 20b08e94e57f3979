//! One spawned task: its future, and the waker that puts it among those that can run.

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
    /// Whether it stands among those that can run.
    queued: AtomicBool,
    inner: Mutex<Inner>,
}

/// What changes with each poll.
struct Inner {
    /// None while it is polled and once it has ended; always none for the run's own future.
    future: Option<BoxFuture<'static, ()>>,
    polls: u64,
    last_polled: Duration,
    /// Made once, since a poll would otherwise count references twice.
    waker: Option<Waker>,
}

impl Task {
    /// A task that stands among those that can run already.
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

    /// A poll begins: gives the future and the waker. From here on it can be woken again.
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

    /// A poll was no end.
    pub(super) fn end_poll(&self, future: Option<BoxFuture<'static, ()>>, waker: Waker) {
        let mut inner = self.lock();
        inner.future = future;
        inner.waker = Some(waker);
    }

    /// Takes what it holds, for the caller to drop: a future's `drop` is code of the user's.
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
        // No code of a user's runs under the lock.
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
