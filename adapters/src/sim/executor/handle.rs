//! The handle to a simulation for tasks, clients and transports.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use chatcore::{BoxFuture, Executor, Instant};

use super::super::rng::{below, unit};
use super::task::Task;
use super::timers::Sleep;
use super::trace::Entry;
use super::{PendingTask, Shared};

/// A handle to a simulation: the [`Executor`] that a client runs on, and the random numbers of a
/// scenario. Cheap to clone. It does not keep tasks alive after its [`Sim`](super::Sim) is dropped.
///
/// It is `Send` and `Sync` because the trait requires it, but is meant for one thread: wakes and
/// spawns from other threads come at unpredictable times, so the run does not repeat.
#[derive(Clone, Debug)]
pub struct SimExecutor {
    pub(super) shared: Arc<Shared>,
}

impl SimExecutor {
    /// The virtual time. Every simulation starts at zero.
    pub fn now(&self) -> Instant {
        Instant::from_epoch(self.shared.lock().now)
    }

    /// Completes once `duration` of virtual time has passed since this call; for zero, at its first
    /// poll. Dropping it removes its timer.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        let at = self.shared.lock().now.saturating_add(duration);
        Sleep::new(Arc::clone(&self.shared), at)
    }

    /// Runs `task` in the background, detached. It is first polled after this call has returned. A
    /// panic ends the task, and also the run, unless panics are
    /// [allowed](super::Sim::panics_allowed). After the [`Sim`](super::Sim) is dropped, tasks are
    /// dropped without being run.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.spawn_boxed(String::new(), Box::pin(task));
    }

    /// Like [`spawn`](Self::spawn), with a name for reports of deadlocks and panics.
    pub fn spawn_named(
        &self,
        name: impl Into<String>,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        self.spawn_boxed(name.into(), Box::pin(task));
    }

    fn spawn_boxed(&self, name: String, future: BoxFuture<'static, ()>) {
        let mut state = self.shared.lock();
        if state.closed {
            // Unlocked first, because the future's `drop` may use this handle.
            drop(state);
            drop(future);
            return;
        }
        let id = state.next_task;
        state.next_task += 1;
        let nanos = state.now.as_nanos() as u64;
        state.trace.add(Entry::Spawned, id, nanos);
        let task = Task::new(&self.shared, id, name, Some(future));
        state.ready.push(Arc::clone(&task));
        state.tasks.insert(id, task);
    }

    /// The seed of this simulation.
    pub fn seed(&self) -> u64 {
        self.shared.lock().seed
    }

    /// A random 64-bit number from the seed.
    pub fn random(&self) -> u64 {
        let mut state = self.shared.lock();
        let number = state.rng.next();
        let nanos = state.now.as_nanos() as u64;
        state.trace.add(Entry::Random, number, nanos);
        number
    }

    /// A random number below `bound` from the seed; 0 if `bound` is 0.
    pub fn random_below(&self, bound: u64) -> u64 {
        below(self.random(), bound)
    }

    /// A random number from 0 to below 1 from the seed.
    pub fn random_unit(&self) -> f64 {
        unit(self.random())
    }

    /// True with the probability `share`, from the seed; 0 means never and 1 always.
    pub fn random_chance(&self, share: f64) -> bool {
        self.random_unit() < share
    }

    /// Adds a fact to the trace, so that runs with different facts have different hashes.
    pub fn record(&self, fact: u64) {
        let mut state = self.shared.lock();
        let nanos = state.now.as_nanos() as u64;
        state.trace.add(Entry::Recorded, fact, nanos);
    }

    /// The hash of everything that has happened so far.
    pub fn trace_hash(&self) -> u64 {
        self.shared.lock().trace.hash()
    }

    /// The number of polls so far.
    pub fn polls(&self) -> u64 {
        self.shared.lock().polls
    }

    /// The spawned tasks that have not ended, in spawn order.
    pub fn pending_tasks(&self) -> Vec<PendingTask> {
        let state = self.shared.lock();
        state.tasks.values().map(|task| task.pending()).collect()
    }

    /// The number of timers that are set.
    pub fn pending_timers(&self) -> usize {
        self.shared.lock().timers.len()
    }

    /// The number of spawned tasks that have panicked.
    pub fn panicked(&self) -> u64 {
        self.shared.lock().panicked
    }
}

impl Executor for SimExecutor {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        self.spawn_boxed(String::new(), task);
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(Self::sleep(self, duration))
    }

    fn now(&self) -> Instant {
        Self::now(self)
    }
}
