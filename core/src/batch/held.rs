//! A lease that a worker holds, and its renewal.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_util::future::{Either, select};

use crate::executor::{BoxFuture, Executor};
use crate::journal::{Journal, Lease, Renewal};
use crate::time::Instant;

/// A lease that a worker holds.
#[derive(Debug)]
pub(super) struct Held {
    lease: Lease,
    /// When the lease was claimed. Its time runs from then.
    asked_at: Instant,
    /// Items that have no result yet.
    left: AtomicUsize,
    lost: AtomicBool,
}

impl Held {
    pub(super) fn new(lease: Lease, items: usize, asked_at: Instant) -> Arc<Self> {
        Arc::new(Self {
            lease,
            asked_at,
            left: AtomicUsize::new(items),
            lost: AtomicBool::new(false),
        })
    }

    pub(super) fn lease(&self) -> &Lease {
        &self.lease
    }

    /// Whether the lease is lost: no more of its items may be started.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// Whether the lease still has items without a result.
    pub(super) fn is_left(&self) -> bool {
        self.left.load(Ordering::Relaxed) > 0
    }

    /// Called when one of the lease's items was recorded.
    pub(super) fn ended(&self) {
        self.left.fetch_sub(1, Ordering::Relaxed);
    }

    /// A future that renews the lease until all its items are recorded or the lease is lost. `None`
    /// if the lease does not expire.
    pub(super) fn keep(
        held: &Arc<Self>,
        journal: &Arc<dyn Journal>,
        executor: Arc<dyn Executor>,
    ) -> Option<BoxFuture<'static, ()>> {
        let lasts = held.lease.lasts?;
        let (held, journal) = (Arc::clone(held), Arc::clone(journal));
        Some(Box::pin(async move {
            let mut until = held.asked_at + lasts;
            loop {
                let now = executor.now();
                // A third of the lease's time, so that a failed renewal can be retried. Never past
                // the end of the lease.
                executor.sleep((lasts / 3).min(until - now)).await;
                if !held.is_left() {
                    return;
                }
                let asked_at = executor.now();
                if asked_at >= until {
                    break;
                }
                let renewal = journal.renew(&held.lease);
                // If the journal does not answer, the lease still counts as lost when its time is
                // over.
                let end = executor.sleep(until - asked_at);
                match select(renewal, end).await {
                    Either::Left((Ok(Renewal::Held), _)) => until = asked_at + lasts,
                    Either::Left((Ok(Renewal::Lost), _)) | Either::Right(_) => break,
                    Either::Left((Err(_), _)) => {}
                }
            }
            held.lost.store(true, Ordering::Relaxed);
        }))
    }
}
