//! Why a run could not finish.

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// A task that had not ended when the run stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PendingTask {
    /// The task's number, in spawn order. 0 is the future that was passed to the run.
    pub id: u64,
    /// The name passed to [`spawn_named`](super::SimExecutor::spawn_named), or empty.
    pub name: String,
    /// How many times it was polled.
    pub polls: u64,
    /// When it was last polled, counted from the simulation's start.
    pub last_polled: Duration,
}

/// Why a run stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SimErrorKind {
    /// The run's future waits, no task can run, and no timer is set, so nothing can ever happen.
    Deadlock,
    /// The maximum number of polls was made without time passing, because tasks wake each other or
    /// themselves endlessly.
    Livelock {
        /// The maximum, from [`max_polls_per_moment`](super::Sim::max_polls_per_moment).
        polls: u64,
    },
    /// The virtual time limit passed. Something still waits while something else keeps setting
    /// timers.
    TimeLimit {
        /// The limit, from [`time_limit`](super::Sim::time_limit).
        limit: Duration,
    },
    /// A spawned task panicked, and panics were not [allowed](super::Sim::panics_allowed).
    TaskPanicked {
        /// The task's number.
        task: u64,
        /// The task's name, or empty.
        name: String,
        /// The panic's message.
        message: String,
    },
}

/// A run that could not finish: why, when, with which seed, and which tasks were left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimError {
    pub(super) kind: SimErrorKind,
    pub(super) seed: u64,
    pub(super) at: Duration,
    pub(super) pending: Vec<PendingTask>,
}

impl SimError {
    /// Why the run stopped.
    pub fn kind(&self) -> &SimErrorKind {
        &self.kind
    }

    /// The seed of the run.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// When the run stopped, counted from the simulation's start.
    pub fn at(&self) -> Duration {
        self.at
    }

    /// The tasks that had not ended, in spawn order.
    pub fn pending(&self) -> &[PendingTask] {
        &self.pending
    }
}

/// How many pending tasks an error's text lists.
const LISTED: usize = 20;

impl fmt::Display for SimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            SimErrorKind::Deadlock => {
                write!(f, "deadlock: nothing can run, and no timer is set")?;
            }
            SimErrorKind::Livelock { polls } => {
                write!(f, "livelock: {polls} polls without the clock advancing")?;
            }
            SimErrorKind::TimeLimit { limit } => {
                write!(f, "the virtual time limit of {limit:?} has passed")?;
            }
            SimErrorKind::TaskPanicked {
                task,
                name,
                message,
            } => {
                write!(f, "task {task}{} panicked: {message}", Named(name))?;
            }
        }
        write!(
            f,
            "\n  seed {} at {:?}; rerun it alone with CHATCORE_SIM_SEED={}",
            self.seed, self.at, self.seed
        )?;
        for task in self.pending.iter().take(LISTED) {
            let PendingTask {
                id,
                name,
                polls,
                last_polled,
            } = task;
            let name = Named(name);
            write!(
                f,
                "\n  task {id}{name} waits; polled {polls} times, last at {last_polled:?}"
            )?;
        }
        match self.pending.len().saturating_sub(LISTED) {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}

impl Error for SimError {}

struct Named<'a>(&'a str);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            "" => Ok(()),
            name => write!(f, " ({name})"),
        }
    }
}
