//! The workers: threads for blocking work, and the bounded queue in front of them.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex};

use super::PoolStatus;
use super::job_error::JobError;
use super::sync::{lock, wait};
use super::thread_group::ThreadGroup;

/// A piece of blocking work. A job drops its [`Busy`] before it reports its result, so that the
/// pool's status is up to date when a task sees that result.
pub(crate) type Job = Box<dyn FnOnce(Busy) + Send>;

/// Counts a job as active until it is dropped.
pub(crate) struct Busy(Arc<Workers>);

impl Drop for Busy {
    fn drop(&mut self) {
        lock(&self.0.state).active -= 1;
    }
}

/// Is told when the pool starts to close.
pub(crate) trait OnClose: Send + Sync {
    /// Called when the pool stops taking work. Must be quick and must not call the pool.
    fn pool_closes(&self);
}

pub(crate) struct Workers {
    max: usize,
    queue_size: usize,
    state: Mutex<State>,
    work: Condvar,
}

#[derive(Default)]
struct State {
    /// The waiting jobs, in the order in which they arrived.
    queue: BTreeMap<u64, Job>,
    next_id: u64,
    started: usize,
    idle: usize,
    active: usize,
    closed: bool,
    watchers: BTreeMap<u64, Arc<dyn OnClose>>,
}

impl Workers {
    pub(super) fn new(max: usize, queue_size: usize) -> Self {
        Self {
            max,
            queue_size,
            state: Mutex::default(),
            work: Condvar::new(),
        }
    }

    pub(super) fn status(&self) -> PoolStatus {
        let state = lock(&self.state);
        PoolStatus {
            max_workers: self.max,
            active: state.active,
            queued: state.queue.len(),
        }
    }

    /// Queues `job`, and starts a worker for it if none is idle and the maximum is not reached.
    pub(super) fn submit(self: &Arc<Self>, group: &ThreadGroup, job: Job) -> Result<u64, JobError> {
        let mut state = lock(&self.state);
        if state.closed {
            return Err(JobError::Closed);
        }
        if state.active + state.queue.len() >= self.max.saturating_add(self.queue_size) {
            return Err(JobError::QueueFull {
                queue_size: self.queue_size,
            });
        }
        let id = state.next_id;
        state.next_id += 1;
        state.queue.insert(id, job);
        if state.queue.len() <= state.idle {
            drop(state);
            self.work.notify_one();
            return Ok(id);
        }
        if state.started == self.max {
            return Ok(id);
        }
        // Started under the lock, so that the count is right and `close` cannot run in between.
        let workers = Arc::clone(self);
        match group.start(Some(state.started), move || workers.run()) {
            Ok(()) => state.started += 1,
            // The running workers will get to the job.
            Err(_) if state.started > 0 => {}
            Err(error) => {
                let job = state.queue.remove(&id);
                drop(state);
                drop(job);
                return Err(JobError::Thread(error));
            }
        }
        Ok(id)
    }

    /// Removes a job from the queue, unless a worker has already started it.
    pub(super) fn cancel(&self, id: u64) {
        let job = lock(&self.state).queue.remove(&id);
        // Dropped outside the lock, because the job may own anything.
        drop(job);
    }

    /// Calls `watcher` when the pool closes. Returns the number for `unwatch_close`, or `None` if
    /// the pool is already closed.
    #[cfg(feature = "ureq")]
    pub(super) fn watch_close(&self, watcher: Arc<dyn OnClose>) -> Option<u64> {
        let mut state = lock(&self.state);
        if state.closed {
            return None;
        }
        let id = state.next_id;
        state.next_id += 1;
        state.watchers.insert(id, watcher);
        Some(id)
    }

    #[cfg(feature = "ureq")]
    pub(super) fn unwatch_close(&self, id: u64) {
        let watcher = lock(&self.state).watchers.remove(&id);
        drop(watcher);
    }

    /// Refuses new jobs and tells the watchers. The workers end once the queue is empty.
    pub(super) fn close(&self) {
        let watchers = {
            let mut state = lock(&self.state);
            state.closed = true;
            std::mem::take(&mut state.watchers)
        };
        self.work.notify_all();
        for watcher in watchers.into_values() {
            watcher.pool_closes();
        }
    }

    fn run(self: &Arc<Self>) {
        let mut state = lock(&self.state);
        loop {
            if let Some((_, job)) = state.queue.pop_first() {
                state.active += 1;
                drop(state);
                let busy = Busy(Arc::clone(self));
                // A panic stays in its job; the worker goes on.
                let _ = catch_unwind(AssertUnwindSafe(|| job(busy)));
                state = lock(&self.state);
            } else if state.closed {
                return;
            } else {
                state.idle += 1;
                state = wait(&self.work, state);
                state.idle -= 1;
            }
        }
    }
}
