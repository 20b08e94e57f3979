//! The simulator: virtual time, seeded order, scripted faults.

mod executor;
mod rng;

pub use executor::{PendingTask, Sim, SimError, SimErrorKind, SimExecutor, Sleep};
