//! What the connection's socket and those who answer tell each other.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::framing::Body;

/// Where a connection is. Cheap to clone.
///
/// ```text
///  Waiting ─ answering ─► Answering ─ answered ─► Waiting …
///                                   ─ upgraded ─► Upgraded
/// ```
#[derive(Clone, Debug)]
pub(super) struct Phase(Arc<Mutex<Step>>);

#[derive(Debug)]
pub(super) enum Step {
    /// For the head of the next request; so many were answered.
    Waiting(usize),
    /// A request is answered; its body is read meanwhile.
    Answering(usize, Body),
    /// It is a WebSocket now.
    Upgraded,
}

impl Default for Phase {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Step::Waiting(0))))
    }
}

impl Phase {
    pub(super) fn step(&self) -> MutexGuard<'_, Step> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A head is whole, and this is its body.
    pub(super) fn answering(&self, body: Body) {
        let mut step = self.step();
        if let Step::Waiting(answered) = *step {
            *step = Step::Answering(answered, body);
        }
    }

    /// Whatever is read from now on is the next request. Says whether this one's body was read to
    /// its end: if not, the connection cannot be used for another.
    pub(super) fn answered(&self) -> bool {
        let mut step = self.step();
        match &*step {
            Step::Answering(answered, body) => {
                let is_whole = body.is_whole();
                *step = Step::Waiting(answered + 1);
                is_whole
            }
            Step::Waiting(_) | Step::Upgraded => true,
        }
    }

    /// Whatever is read from now on is a WebSocket's.
    pub(super) fn upgraded(&self) {
        *self.step() = Step::Upgraded;
    }
}
