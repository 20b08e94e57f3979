//! What became of each call: every one ends in exactly one outcome.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::Core;

/// How many calls began, and how many ended in what.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) started: AtomicU64,
    pub(crate) succeeded: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) cancelled: AtomicU64,
    /// Attempts after the first.
    pub(crate) retried: AtomicU64,
}

/// The outcome of one call, not known yet. Dropped before it is known, the call was cancelled.
#[derive(Debug)]
pub(crate) struct Outcome {
    core: Arc<Core>,
    settled: bool,
}

impl Outcome {
    pub(crate) fn begin(core: &Arc<Core>) -> Self {
        core.counters.started.fetch_add(1, Relaxed);
        Self {
            core: Arc::clone(core),
            settled: false,
        }
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.settled
    }

    pub(crate) fn succeeded(&mut self) {
        if !std::mem::replace(&mut self.settled, true) {
            self.core.counters.succeeded.fetch_add(1, Relaxed);
        }
    }

    pub(crate) fn failed(&mut self) {
        if !std::mem::replace(&mut self.settled, true) {
            self.core.counters.failed.fetch_add(1, Relaxed);
        }
    }
}

impl Drop for Outcome {
    fn drop(&mut self) {
        if !self.settled {
            self.core.counters.cancelled.fetch_add(1, Relaxed);
        }
    }
}
