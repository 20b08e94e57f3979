//! Sleeping. A timer exists as long as its future.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::Shared;

/// The timers that are set, the earliest first.
#[derive(Debug, Default)]
pub(super) struct Timers {
    set: BTreeMap<(Duration, u64), Waker>,
    next_id: u64,
}

impl Timers {
    pub(super) fn len(&self) -> usize {
        self.set.len()
    }

    pub(super) fn next(&self) -> Option<Duration> {
        self.set.first_key_value().map(|(&(at, _), _)| at)
    }

    /// Removes and returns the first timer, if it is due.
    pub(super) fn pop_due(&mut self, now: Duration) -> Option<(u64, Waker)> {
        let entry = self.set.first_entry()?;
        let (at, id) = *entry.key();
        (at <= now).then(|| (id, entry.remove()))
    }

    pub(super) fn take_all(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.set).into_values().collect()
    }
}

/// Completes at its time. Dropping it removes the timer.
pub struct Sleep {
    shared: Arc<Shared>,
    at: Duration,
    /// The timer's id, once the timer is set.
    id: Option<u64>,
}

impl Sleep {
    pub(super) fn new(shared: Arc<Shared>, at: Duration) -> Self {
        Self {
            shared,
            at,
            id: None,
        }
    }

    fn unset(&mut self) {
        if let Some(id) = self.id.take() {
            // Bound to a name, so that the waker is dropped outside the lock.
            let waker = self.shared.lock().timers.set.remove(&(self.at, id));
            drop(waker);
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let waker = cx.waker().clone();
        let replaced = {
            let mut state = this.shared.lock();
            if state.now >= this.at {
                drop(state);
                this.unset();
                return Poll::Ready(());
            }
            // A time that cannot be represented never comes. It gets no timer, so that waiting only
            // for it is a deadlock.
            if this.at == Duration::MAX {
                return Poll::Pending;
            }
            let timers = &mut state.timers;
            let id = *this.id.get_or_insert_with(|| {
                timers.next_id += 1;
                timers.next_id
            });
            timers.set.insert((this.at, id), waker)
        };
        drop(replaced);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.unset();
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep")
            .field("until", &self.at)
            .finish_non_exhaustive()
    }
}
