//! The owner of a simulation, and its main loop.

use std::any::Any;
use std::future::Future;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::super::rng::below;
use super::error::{SimError, SimErrorKind};
use super::handle::SimExecutor;
use super::task::Task;
use super::trace::Entry;
use super::{Shared, State};

/// The default for the maximum number of polls without time passing.
pub(super) const MAX_POLLS_PER_MOMENT: u64 = 10_000_000;

/// The default for the virtual time limit.
pub(super) const TIME_LIMIT: Duration = Duration::from_secs(30 * 24 * 3600);

/// A simulation: an executor with one thread, virtual time, and an order from a seed.
///
/// - The seed picks the next task among all that can run. Time stands still while any task can run,
///   and then jumps to the next timer.
/// - If no task can run and no timer is set, the run ends with a
///   [`Deadlock`](SimErrorKind::Deadlock) instead of hanging.
/// - Everything that happens is added to a [hash](SimExecutor::trace_hash). The same seed gives the
///   same hash, if nothing outside takes part (wall clocks, threads, the iteration order of std's
///   hash maps, addresses).
///
/// It dereferences to [`SimExecutor`], so all methods of that type can be called on it. Dropping it
/// drops all its tasks.
///
/// ```
/// use std::time::Duration;
/// use chatcore_adapters::sim::{Sim, SimErrorKind};
///
/// let sim = Sim::new(42);
/// let year = Duration::from_secs(365 * 24 * 3600);
/// let sim = sim.time_limit(year);
/// sim.run(sim.sleep(Duration::from_secs(3600))); // an hour, at once
/// assert_eq!(sim.now().since_epoch(), Duration::from_secs(3600));
///
/// let never = std::future::pending::<()>();
/// let error = sim.try_run(never).unwrap_err();
/// assert_eq!(*error.kind(), SimErrorKind::Deadlock);
/// ```
#[derive(Debug)]
pub struct Sim {
    executor: SimExecutor,
}

impl Sim {
    /// A simulation at time zero, with an order from `seed`.
    pub fn new(seed: u64) -> Self {
        Self {
            executor: SimExecutor {
                shared: Shared::new(seed),
            },
        }
    }

    /// Sets how many polls may be made without time passing, before a run ends with a
    /// [`Livelock`](SimErrorKind::Livelock). Default: 10,000,000.
    #[must_use]
    pub fn max_polls_per_moment(self, polls: u64) -> Self {
        self.executor.shared.lock().caps.polls_per_moment = polls;
        self
    }

    /// Sets how far virtual time may go, before a run ends with a
    /// [`TimeLimit`](SimErrorKind::TimeLimit). Default: 30 days.
    #[must_use]
    pub fn time_limit(self, limit: Duration) -> Self {
        self.executor.shared.lock().caps.time = limit;
        self
    }

    /// Lets runs continue when a spawned task panics; [`panicked`](SimExecutor::panicked) counts
    /// these tasks. Default: the run ends with [`TaskPanicked`](SimErrorKind::TaskPanicked).
    #[must_use]
    pub fn panics_allowed(self) -> Self {
        self.executor.shared.lock().caps.panics_allowed = true;
        self
    }

    /// A handle for clients and transports.
    pub fn executor(&self) -> Arc<SimExecutor> {
        Arc::new(self.executor.clone())
    }

    /// Runs `future`, together with all spawned tasks, until the future completes. Tasks that have
    /// not ended continue in the next run.
    ///
    /// # Panics
    /// With the error that [`try_run`](Self::try_run) would return, or with the future's own panic.
    /// Both print the seed.
    #[track_caller]
    pub fn run<F: Future>(&self, future: F) -> F::Output {
        match self.try_run(future) {
            Ok(output) => output,
            #[expect(
                clippy::panic,
                reason = "a test helper: `try_run` is the one that does not"
            )]
            Err(error) => panic!("{error}"),
        }
    }

    /// Runs `future`, together with all spawned tasks, until the future completes.
    ///
    /// # Errors
    /// A deadlock, a livelock, the time limit, or the panic of a spawned task.
    ///
    /// # Panics
    /// With the future's own panic, after printing the seed; and if called within a run.
    #[track_caller]
    pub fn try_run<F: Future>(&self, future: F) -> Result<F::Output, SimError> {
        let shared = &self.executor.shared;
        let already = std::mem::replace(&mut shared.lock().running, true);
        assert!(!already, "this simulation is already running");
        let main = Task::new(shared, 0, "the run's own future".into(), None);
        let _running = Running {
            shared,
            main: &main,
        };
        shared.lock().ready.push(Arc::clone(&main));
        drive(shared, &main, pin!(future))
    }
}

impl Deref for Sim {
    type Target = SimExecutor;

    fn deref(&self) -> &SimExecutor {
        &self.executor
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let shared = &self.executor.shared;
        let (tasks, ready, wakers) = {
            let mut state = shared.lock();
            state.closed = true;
            (
                std::mem::take(&mut state.tasks),
                std::mem::take(&mut state.ready),
                state.timers.take_all(),
            )
        };
        drop((ready, wakers));
        for task in tasks.into_values() {
            let held = task.take();
            // A second panic during unwinding would abort the process.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(held)));
        }
    }
}

/// Prints the seed if the run's future panics, and cleans up.
struct Running<'a> {
    shared: &'a Arc<Shared>,
    main: &'a Arc<Task>,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let (seed, now) = {
            let mut state = self.shared.lock();
            state.running = false;
            state.ready.retain(|task| !Arc::ptr_eq(task, self.main));
            (state.seed, state.now)
        };
        drop(self.main.take());
        #[expect(clippy::print_stderr, reason = "what a failed test is repeated with")]
        if std::thread::panicking() {
            eprintln!(
                "the simulation with seed {seed} panicked at {now:?}; rerun it alone with \
                 CHATCORE_SIM_SEED={seed}"
            );
        }
    }
}

/// What the loop does next.
enum Step {
    Poll(Arc<Task>, Duration),
    Wake(Vec<Waker>),
    Stop(SimErrorKind),
}

impl State {
    fn step(&mut self) -> Step {
        if let Some(panic) = self.panic.take() {
            return Step::Stop(panic);
        }
        if !self.ready.is_empty() {
            let polls = self.caps.polls_per_moment;
            if self.polls_at_moment >= polls {
                return Step::Stop(SimErrorKind::Livelock { polls });
            }
            let place = match self.ready.len() {
                1 => 0,
                several => below(self.rng.next(), several as u64) as usize,
            };
            let task = self.ready.swap_remove(place);
            self.polls += 1;
            self.polls_at_moment += 1;
            self.trace
                .add(Entry::Polled, task.id, self.now.as_nanos() as u64);
            return Step::Poll(task, self.now);
        }
        let Some(next) = self.timers.next() else {
            return Step::Stop(SimErrorKind::Deadlock);
        };
        let limit = self.caps.time;
        if next > limit {
            return Step::Stop(SimErrorKind::TimeLimit { limit });
        }
        self.now = next;
        self.polls_at_moment = 0;
        let mut due = Vec::new();
        while let Some((timer, waker)) = self.timers.pop_due(next) {
            self.trace
                .add(Entry::TimerFired, timer, next.as_nanos() as u64);
            due.push(waker);
        }
        Step::Wake(due)
    }

    fn error(&self, kind: SimErrorKind, main: &Task) -> SimError {
        let tasks = self.tasks.values().map(|task| task.pending());
        SimError {
            kind,
            seed: self.seed,
            at: self.now,
            pending: std::iter::once(main.pending()).chain(tasks).collect(),
        }
    }
}

fn drive<F: Future>(
    shared: &Arc<Shared>,
    main: &Arc<Task>,
    mut future: Pin<&mut F>,
) -> Result<F::Output, SimError> {
    loop {
        let step = shared.lock().step();
        match step {
            Step::Poll(task, now) if Arc::ptr_eq(&task, main) => {
                let (_, waker) = main.begin_poll(now);
                let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
                main.end_poll(None, waker);
                if let Poll::Ready(output) = polled {
                    let panic = shared.lock().panic.take();
                    return match panic {
                        Some(kind) => Err(shared.lock().error(kind, main)),
                        None => Ok(output),
                    };
                }
            }
            Step::Poll(task, now) => poll_task(shared, &task, now),
            Step::Wake(due) => due.into_iter().for_each(Waker::wake),
            Step::Stop(kind) => return Err(shared.lock().error(kind, main)),
        }
    }
}

fn poll_task(shared: &Shared, task: &Arc<Task>, now: Duration) {
    let (future, waker) = task.begin_poll(now);
    // `None` if a waker outlived its task.
    let Some(mut future) = future else {
        return;
    };
    let polled = catch_unwind(AssertUnwindSafe(move || {
        let mut cx = Context::from_waker(&waker);
        let polled = future.as_mut().poll(&mut cx);
        // A finished future is dropped here, because its `drop` may panic too.
        polled.is_pending().then_some((future, waker))
    }));
    match polled {
        Ok(Some((future, waker))) => task.end_poll(Some(future), waker),
        Ok(None) => {
            shared.lock().tasks.remove(&task.id);
        }
        Err(panic) => {
            let mut state = shared.lock();
            state.tasks.remove(&task.id);
            state.panicked += 1;
            if !state.caps.panics_allowed {
                state.panic.get_or_insert(SimErrorKind::TaskPanicked {
                    task: task.id,
                    name: task.name.clone(),
                    message: message(&*panic),
                });
            }
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_owned(),
        (_, Some(text)) => text.clone(),
        _ => "(not a text)".to_owned(),
    }
}
