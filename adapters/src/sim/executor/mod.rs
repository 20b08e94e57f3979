//! The executor: one thread, virtual time, and an order from a seed.
//!
//! ```text
//!  who can run ──(one of them, drawn)──► polled ──► ended
//!      ▲  ▲                                │
//!      │  └──── woken by another task ─────┤ waits
//!      └─ its timer fired ◄── time goes on ┘   only when nobody can run
//! ```

#![allow(
    clippy::use_debug,
    reason = "errors for authors of simulations show durations"
)]

mod error;
mod handle;
mod run;
mod seeds;
mod task;
#[cfg(test)]
mod tests;
mod timers;
mod trace;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use error::{PendingTask, SimError, SimErrorKind};
pub use handle::SimExecutor;
pub use run::Sim;
pub use timers::Sleep;

use super::rng::Rng;
use error::SimErrorKind as Kind;
use task::Task;
use timers::Timers;
use trace::Trace;

/// State shared by the owner and the handles.
pub(super) struct Shared {
    state: Mutex<State>,
}

/// The whole state of a simulation except the futures.
struct State {
    seed: u64,
    rng: Rng,
    now: Duration,
    /// The tasks that can run.
    ready: Vec<Arc<Task>>,
    /// The tasks that have not ended, by number.
    tasks: BTreeMap<u64, Arc<Task>>,
    timers: Timers,
    trace: Trace,
    next_task: u64,
    polls: u64,
    polls_at_moment: u64,
    panicked: u64,
    /// The first panic that was not allowed, until the run reports it.
    panic: Option<Kind>,
    caps: Caps,
    running: bool,
    closed: bool,
}

/// The limits of a run.
#[derive(Clone, Copy, Debug)]
struct Caps {
    polls_per_moment: u64,
    time: Duration,
    panics_allowed: bool,
}

impl Shared {
    fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                seed,
                rng: Rng::new(seed),
                now: Duration::ZERO,
                ready: Vec::new(),
                tasks: BTreeMap::new(),
                timers: Timers::default(),
                trace: Trace::new(seed),
                next_task: 1,
                polls: 0,
                polls_at_moment: 0,
                panicked: 0,
                panic: None,
                caps: Caps {
                    polls_per_moment: run::MAX_POLLS_PER_MOMENT,
                    time: run::TIME_LIMIT,
                    panics_allowed: false,
                },
                running: false,
                closed: false,
            }),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No user code runs under the lock, so the state is consistent even if the lock is
        // poisoned.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Simulation")
            .field("seed", &state.seed)
            .field("now", &state.now)
            .field("polls", &state.polls)
            .field("tasks", &state.tasks.len())
            .field("timers", &state.timers.len())
            .finish_non_exhaustive()
    }
}
