//! The future of a blocking job.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use super::job_error::JobError;
use super::sync::lock;
use super::thread_group::ThreadGroup;
use super::workers::{Busy, Workers};

/// The future of a blocking job's result.
///
/// Dropping it removes the job from the queue. If a worker has already started the job, the job
/// runs to its end and its result is dropped.
#[must_use = "dropping it takes the job out of the queue"]
pub struct Blocking<T> {
    slot: Arc<Slot<T>>,
    /// The workers that queued the job, and the job's number in their queue.
    queued: Option<(Arc<Workers>, u64)>,
}

struct Slot<T>(Mutex<SlotState<T>>);

struct SlotState<T> {
    result: Option<Result<T, JobError>>,
    waker: Option<Waker>,
}

impl<T> Slot<T> {
    fn fill(&self, result: Result<T, JobError>) {
        let waker = {
            let mut state = lock(&self.0);
            state.result = Some(result);
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T: Send + 'static> Blocking<T> {
    pub(super) fn submit<F>(workers: &Arc<Workers>, group: &ThreadGroup, job: F) -> Self
    where
        F: FnOnce() -> T + Send + 'static,
    {
        let slot = Arc::new(Slot(Mutex::new(SlotState {
            result: None,
            waker: None,
        })));
        let filled = Arc::clone(&slot);
        let job = move |busy: Busy| {
            let result = catch_unwind(AssertUnwindSafe(job))
                .map_err(|payload| JobError::Panicked(panic_message(&*payload)));
            drop(busy);
            filled.fill(result);
        };
        let queued = match workers.submit(group, Box::new(job)) {
            Ok(id) => Some((Arc::clone(workers), id)),
            Err(error) => {
                slot.fill(Err(error));
                None
            }
        };
        Self { slot, queued }
    }
}

impl<T> Future for Blocking<T> {
    type Output = Result<T, JobError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = lock(&self.slot.0);
        if let Some(result) = state.result.take() {
            drop(state);
            self.queued = None;
            return Poll::Ready(result);
        }
        match &mut state.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            waker @ None => *waker = Some(cx.waker().clone()),
        }
        Poll::Pending
    }
}

impl<T> Drop for Blocking<T> {
    fn drop(&mut self) {
        if let Some((workers, id)) = self.queued.take() {
            workers.cancel(id);
        }
    }
}

impl<T> fmt::Debug for Blocking<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocking").finish_non_exhaustive()
    }
}

fn panic_message(payload: &(dyn Any + Send)) -> String {
    if let Some(message) = payload.downcast_ref::<&str>() {
        (*message).to_owned()
    } else if let Some(message) = payload.downcast_ref::<String>() {
        message.clone()
    } else {
        "(no message)".to_owned()
    }
}
