//! Requests that wait for their answers.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_channel::{Receiver, Sender};
use serde_json::value::RawValue;

use crate::mcp::error::{McpError, McpErrorKind};

type Outcome = Result<Box<RawValue>, McpError>;

/// The requests that wait, by their numbers.
#[derive(Default)]
pub(super) struct Pending(Mutex<State>);

#[derive(Default)]
struct State {
    waiting: HashMap<u64, Sender<Outcome>>,
    /// Why no answer will come any more.
    lost: Option<McpError>,
}

/// The place where an answer arrives. Dropping it forgets the request.
pub(super) struct Reply {
    id: u64,
    pending: Arc<Pending>,
    reply: Receiver<Outcome>,
}

impl Pending {
    /// Waits for the answer to the request with this number.
    pub(super) fn expect(self: &Arc<Self>, id: u64) -> Result<Reply, McpError> {
        let (reply, receiver) = async_channel::bounded(1);
        let mut state = self.lock();
        if let Some(error) = &state.lost {
            return Err(error.clone());
        }
        state.waiting.insert(id, reply);
        Ok(Reply {
            id,
            pending: Arc::clone(self),
            reply: receiver,
        })
    }

    /// Hands an outcome over. One for a request that is not known is ignored: it was cancelled, or
    /// is somebody else's. An error without a number is for the request that waits, if it is the
    /// only one.
    pub(super) fn answer(&self, id: Option<u64>, outcome: Outcome) {
        let mut state = self.lock();
        let only = || match state.waiting.len() {
            1 => state.waiting.keys().next().copied(),
            _ => None,
        };
        if let Some(waiting) = id.or_else(only).and_then(|id| state.waiting.remove(&id)) {
            waiting.try_send(outcome).ok();
        }
    }

    /// Ends all requests.
    pub(super) fn lose(&self, error: &McpError) {
        let mut state = self.lock();
        state.lost.get_or_insert_with(|| error.clone());
        for waiting in std::mem::take(&mut state.waiting).into_values() {
            let error = error.clone().with_kind(McpErrorKind::Interrupted);
            waiting.try_send(Err(error)).ok();
        }
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lock().lost.is_some()
    }

    /// Why the connection was lost.
    pub(super) fn why(&self) -> Option<McpError> {
        self.lock().lost.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reply {
    /// Waits for the outcome.
    pub(super) async fn outcome(self) -> Outcome {
        let received = self.reply.recv().await;
        received.unwrap_or_else(|_| {
            Err(McpError::new(
                McpErrorKind::Interrupted,
                "the connection was lost before the result",
            ))
        })
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        self.pending.lock().waiting.remove(&self.id);
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self.lock().waiting.len();
        f.debug_struct("Pending")
            .field("waiting", &waiting)
            .finish()
    }
}
