//! What tasks, clients and transports hold of a simulation.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use chatcore::{BoxFuture, Executor, Instant};

use super::super::rng::{below, unit};
use super::task::Task;
use super::timers::Sleep;
use super::trace::Entry;
use super::{PendingTask, Shared};

/// A handle to a simulation: the [`Executor`] that a client runs on, and the source of the
/// randomness of a scenario. Cheap to clone; it does not keep tasks alive once its
/// [`Sim`](super::Sim) is dropped.
///
/// It is `Send` and `Sync` as the trait demands, and meant for one thread: wakes and spawns from
/// other threads come at moments of their own, and so break the repetition.
#[derive(Clone, Debug)]
pub struct SimExecutor {
    pub(super) shared: Arc<Shared>,
}

impl SimExecutor {
    /// The virtual time. Every simulation starts at zero.
    pub fn now(&self) -> Instant {
        Instant::from_epoch(self.shared.lock().now)
    }

    /// Completes once `duration` of virtual time has passed, counted from this call; at its first
    /// poll for a duration of zero. Dropping it takes its timer away.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        let at = self.shared.lock().now.saturating_add(duration);
        Sleep::new(Arc::clone(&self.shared), at)
    }

    /// Runs `task` in the background, detached. It is first polled after this call has returned.
    /// A panic in it ends it, and ends the run unless
    /// [allowed](super::Sim::panics_allowed). Once the [`Sim`](super::Sim) is dropped, tasks
    /// are dropped without being run.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.spawn_boxed(String::new(), Box::pin(task));
    }

    /// As [`spawn`](Self::spawn), with a name that reports of deadlocks and panics tell.
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
            // The future's `drop` may come back here.
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

    /// A number drawn from the seed, any of 64 bits.
    pub fn random(&self) -> u64 {
        let mut state = self.shared.lock();
        let number = state.rng.next();
        let nanos = state.now.as_nanos() as u64;
        state.trace.add(Entry::Random, number, nanos);
        number
    }

    /// A number below `bound`, drawn from the seed; 0 for a bound of 0.
    pub fn random_below(&self, bound: u64) -> u64 {
        below(self.random(), bound)
    }

    /// A number from 0 up to, and without, 1, drawn from the seed.
    pub fn random_unit(&self) -> f64 {
        unit(self.random())
    }

    /// True in `share` of all cases, drawn from the seed; 0 is never and 1 is always.
    pub fn random_chance(&self, share: f64) -> bool {
        self.random_unit() < share
    }

    /// Adds a fact to the trace, so that runs that differ in it differ in their hash.
    pub fn record(&self, fact: u64) {
        let mut state = self.shared.lock();
        let nanos = state.now.as_nanos() as u64;
        state.trace.add(Entry::Recorded, fact, nanos);
    }

    /// The hash of all that has happened up to now.
    pub fn trace_hash(&self) -> u64 {
        self.shared.lock().trace.hash()
    }

    /// How many polls were made up to now.
    pub fn polls(&self) -> u64 {
        self.shared.lock().polls
    }

    /// The spawned tasks that have not ended, in the order of their spawning.
    pub fn pending_tasks(&self) -> Vec<PendingTask> {
        let state = self.shared.lock();
        state.tasks.values().map(|task| task.pending()).collect()
    }

    /// How many timers are set.
    pub fn pending_timers(&self) -> usize {
        self.shared.lock().timers.len()
    }

    /// How many spawned tasks have panicked.
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
