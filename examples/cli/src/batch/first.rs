//! The time to the first content of each answer, for the report.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chatcore::{CallEvent, CallInfo, Observer};
use hdrhistogram::Histogram;

use super::stats::histogram;

/// Measures from when a request is sent, so that the waits for a permit, for rate limits and between
/// attempts do not count.
#[derive(Debug)]
pub(super) struct FirstContent {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// When the running attempt of each call began, since its call began.
    started: HashMap<u64, Duration>,
    millis: Histogram<u64>,
}

impl Default for FirstContent {
    fn default() -> Self {
        let state = State {
            started: HashMap::new(),
            millis: histogram(),
        };
        Self {
            state: Mutex::new(state),
        }
    }
}

impl FirstContent {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The times so far, in milliseconds.
    pub(super) fn histogram(&self) -> Histogram<u64> {
        self.lock().millis.clone()
    }
}

impl Observer for FirstContent {
    fn observe(&self, call: &CallInfo, event: &CallEvent<'_>) {
        let mut state = self.lock();
        match event {
            CallEvent::Started { elapsed, .. } => {
                state.started.insert(call.id, *elapsed);
            }
            CallEvent::FirstContent { elapsed } => {
                let sent = state.started.get(&call.id).copied().unwrap_or_default();
                let took = elapsed.saturating_sub(sent).as_millis();
                let millis = u64::try_from(took).unwrap_or(u64::MAX);
                state.millis.saturating_record(millis.max(1));
            }
            CallEvent::Succeeded { .. }
            | CallEvent::Failed { .. }
            | CallEvent::Cancelled { .. } => {
                state.started.remove(&call.id);
            }
            _ => {}
        }
    }
}
