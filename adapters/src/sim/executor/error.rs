//! Why a run could not come to its end.

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// A task that had not ended when a run stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PendingTask {
    /// The task's number, in the order of spawning. 0 is the future that was given to the run.
    pub id: u64,
    /// The name given to [`spawn_named`](super::SimExecutor::spawn_named); empty without one.
    pub name: String,
    /// How often it was polled.
    pub polls: u64,
    /// When it was polled last, since the simulation's start.
    pub last_polled: Duration,
}

/// What stopped a run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SimErrorKind {
    /// The run's future waits, no task can run, and no timer is set: nothing will ever happen.
    Deadlock,
    /// So many polls were made without time going on: tasks wake each other, or themselves,
    /// without end.
    Livelock {
        /// The cap, from [`max_polls_per_moment`](super::Sim::max_polls_per_moment).
        polls: u64,
    },
    /// The virtual time limit has passed, so something waits while something else keeps ticking.
    TimeLimit {
        /// The limit, from [`time_limit`](super::Sim::time_limit).
        limit: Duration,
    },
    /// A spawned task panicked, and that was not [allowed](super::Sim::panics_allowed).
    TaskPanicked {
        /// Which task.
        task: u64,
        /// Its name, empty without one.
        name: String,
        /// What it said.
        message: String,
    },
}

/// A run that could not come to its end: why, when, under which seed, and what was left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimError {
    pub(super) kind: SimErrorKind,
    pub(super) seed: u64,
    pub(super) at: Duration,
    pub(super) pending: Vec<PendingTask>,
}

impl SimError {
    /// What stopped the run.
    pub fn kind(&self) -> &SimErrorKind {
        &self.kind
    }

    /// The seed of the run.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// When it stopped, since the simulation's start.
    pub fn at(&self) -> Duration {
        self.at
    }

    /// The tasks that had not ended, in the order of their spawning.
    pub fn pending(&self) -> &[PendingTask] {
        &self.pending
    }
}

/// How many pending tasks an error lists.
const LISTED: usize = 20;

impl fmt::Display for SimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            SimErrorKind::Deadlock => {
                write!(f, "deadlock: nothing can run, and no timer is set")?;
            }
            SimErrorKind::Livelock { polls } => {
                write!(f, "livelock: {polls} polls without time going on")?;
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
