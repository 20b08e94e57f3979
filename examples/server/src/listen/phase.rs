//! State shared by a connection's socket and its request handler.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::framing::Body;

/// The state of a connection. Cheap to clone.
///
/// ```text
///  Waiting ─ answering ─► Answering ─ answered ─► Waiting …
///                                   ─ upgraded ─► Upgraded
/// ```
#[derive(Clone, Debug)]
pub(super) struct Phase(Arc<Mutex<Step>>);

#[derive(Debug)]
pub(super) enum Step {
    /// Waits for the head of the next request. Holds how many requests were answered.
    Waiting(usize),
    /// A request is being answered, and its body read.
    Answering(usize, Body),
    /// The connection is a WebSocket now.
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

    /// Call this when a head is complete. `body` is its body.
    pub(super) fn answering(&self, body: Body) {
        let mut step = self.step();
        if let Step::Waiting(answered) = *step {
            *step = Step::Answering(answered, body);
        }
    }

    /// Call this when a request is answered: the next bytes belong to the next request. Returns
    /// whether the body was read to its end; if not, the connection cannot be reused.
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

    /// Call this when the connection becomes a WebSocket.
    pub(super) fn upgraded(&self) {
        *self.step() = Step::Upgraded;
    }
}
