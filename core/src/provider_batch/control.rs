//! The connection between a run and its caller: events one way, requests to stop the other.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::batch::Finished;
use crate::dialect::batches::BatchState;
use crate::error::Error;
use crate::executor::Executor;

/// Something that happened in a run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum BatchEvent {
    /// A batch was created.
    Created {
        /// The provider's id.
        id: String,
        /// How many items it has.
        items: u64,
    },
    /// A batch of an earlier process, or one whose creation had failed, was found again.
    Found {
        /// The provider's id.
        id: String,
        /// How many items it has.
        items: u64,
    },
    /// The provider's counts of all batches that wait for their end.
    Progress(BatchProgress),
    /// An item was recorded.
    Finished(Box<Finished>),
    /// A batch ended, and its results were recorded.
    Ended {
        /// The provider's id.
        id: String,
        /// How it ended.
        state: BatchState,
        /// How many of its items go back, to be sent again.
        back: u64,
    },
    /// A cancelled run leaves a batch running that may be its own: its creation failed, the provider
    /// keeps no names, and only the results tell. Cancel it at the provider if it is.
    NotCancelled {
        /// The provider's id.
        id: String,
        /// How many items it has.
        items: u64,
    },
    /// Something failed and will be tried again.
    Trouble {
        /// What failed.
        error: Error,
        /// When it is tried again.
        wait: Duration,
    },
}

/// The provider's counts of all batches that wait for their end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchProgress {
    /// How many batches wait.
    pub batches: usize,
    /// How many items they have.
    pub items: u64,
    /// Items that the provider has answered.
    pub done: u64,
    /// Items that failed at the provider.
    pub failed: u64,
}

/// How a run ended, apart from errors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunEnd {
    /// Every item has a result, or the run has not ended.
    #[default]
    Complete,
    /// It was stopped.
    Stopped,
    /// Its batches were cancelled.
    Cancelled,
    /// The next batch would have cost more than the cap.
    Capped,
}

#[derive(Default)]
pub(super) struct Control(Mutex<State>);

#[derive(Default)]
struct State {
    orders: Orders,
    waker: Option<Waker>,
    events: VecDeque<BatchEvent>,
    /// Batches at the provider, as far as the run knows.
    waiting: usize,
    end: RunEnd,
}

/// What the caller wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Orders {
    pub(super) stops: bool,
    pub(super) cancels: bool,
}

impl Control {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn order(&self, change: impl FnOnce(&mut Orders)) {
        let waker = {
            let mut state = self.lock();
            change(&mut state.orders);
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(super) fn orders(&self) -> Orders {
        self.lock().orders
    }

    pub(super) fn tell(&self, event: BatchEvent) {
        self.lock().events.push_back(event);
    }

    pub(super) fn pop(&self) -> Option<BatchEvent> {
        self.lock().events.pop_front()
    }

    pub(super) fn set_waiting(&self, batches: usize) {
        self.lock().waiting = batches;
    }

    pub(super) fn waiting(&self) -> usize {
        self.lock().waiting
    }

    pub(super) fn set_end(&self, end: RunEnd) {
        self.lock().end = end;
    }

    pub(super) fn end(&self) -> RunEnd {
        self.lock().end
    }

    /// Completes when the caller has taken all events, so that they do not pile up. The caller
    /// polls the run again then.
    pub(super) async fn drained(&self) {
        poll_fn(|_| match self.lock().events.is_empty() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
    }

    /// Sleeps, or less if the caller wants something else meanwhile.
    pub(super) async fn sleep(&self, executor: &dyn Executor, time: Duration) {
        let before = self.orders();
        let mut sleep = executor.sleep(time);
        poll_fn(|cx: &mut Context<'_>| {
            {
                let mut state = self.lock();
                if state.orders != before {
                    return Poll::Ready(());
                }
                state.waker = Some(cx.waker().clone());
            }
            sleep.as_mut().poll(cx)
        })
        .await;
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Control")
            .field("orders", &state.orders)
            .field("waiting", &state.waiting)
            .finish_non_exhaustive()
    }
}
