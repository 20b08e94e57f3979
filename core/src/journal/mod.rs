//! Journals keep a batch's items and results, so that the batch survives a restart of its process.
//!
//! A [`Journal`] hands out items in leases, records one result for each item, and always knows
//! which items are left.
//! [`BatchProcessor::process_journal`](crate::BatchProcessor::process_journal) works with any
//! journal. The crate `chatcore-adapters` has one in files (`journal-files`) and one in memory
//! (`journal-memory`); the conformance suite can test any other against the promises below.
//!
//! ```text
//!                claim                        record (once for each item)
//!   journal ───────────────► worker: send ─────────────────────────────► journal
//!      ▲                        │
//!      └──── renew, release ────┘
//! ```
//!
//! # What holds for every journal
//!
//! - **At least once.** An item whose result was not recorded is handed out again after a crash, or
//!   when the lease of a worker that disappeared has expired. Its request is then sent again. Only
//!   items that were in flight can be sent twice.
//! - **One result.** The first result that is recorded for an item stays. For a later result, the
//!   journal returns [`Recorded::Already`] and changes nothing.
//! - **No item is lost.** An item that was handed out is either recorded or handed out again.

mod item;
mod lease;

pub use item::{Counts, Item, Outcome, Recorded};
pub use lease::{Claim, Lease, Renewal};

use std::fmt::Debug;

use crate::error::Error;
use crate::executor::BoxFuture;

/// Keeps a batch's items and their results. The [module](self) lists the promises of every journal.
///
/// No example: `MemoryJournal` of the crate `chatcore-adapters` is a complete implementation in one
/// file.
///
/// # Errors
///
/// An error of any method ends the run of the worker that called it. Everything recorded stays, and
/// the run can be resumed. A journal on a network must therefore retry temporary errors itself, and
/// give every statement a timeout. Its errors have the kind [`Journal`](crate::ErrorKind::Journal),
/// or [`Config`](crate::ErrorKind::Config) if the journal cannot be opened, and contain no
/// password.
///
/// # Dropped futures
///
/// Every future may be dropped at any await. A dropped [`claim`](Self::claim) may have taken a
/// lease that nobody holds, and its items are handed out again when the lease expires; where leases
/// do not run out, it has taken none. A dropped [`record`](Self::record) has recorded the whole
/// result or nothing.
pub trait Journal: Debug + Send + Sync + 'static {
    /// Takes a lease of items that are in no lease and have no result.
    ///
    /// `want` is how many items the worker can send now, at least 1. It is a hint: a journal
    /// chooses the size of the chunk that it hands out, with at least one item. The worker claims
    /// again only after it has started all of them. An item is in one lease at a time; a lease that
    /// has run out, or was released, is nobody's, and its items without a result are handed out
    /// again.
    ///
    /// Returns [`Claim::Later`] if the run is paused from outside, and [`Claim::End`] if it was
    /// cancelled or every item has a result.
    fn claim(&self, want: usize) -> BoxFuture<'_, Result<Claim, Error>>;

    /// Records the result of an item, and completes when the record outlives this process: when a
    /// `kill -9` can no longer undo it. The journal decides whether the record survives a power
    /// loss from then on or only a little later; [`sync`](Self::sync) waits for that.
    ///
    /// The worker counts an item as in flight until this completes. Workers call this concurrently,
    /// so a journal can write several results at once.
    ///
    /// The result is accepted even if `lease` has expired, unless another worker recorded one
    /// first, because the answer was paid for.
    fn record<'a>(
        &'a self,
        lease: &'a Lease,
        outcome: &'a Outcome,
    ) -> BoxFuture<'a, Result<Recorded, Error>>;

    /// Extends a lease by [`Lease::lasts`], counted from the call of this method.
    ///
    /// The worker calls this after every third of that time. After [`Renewal::Lost`], or after
    /// `lasts` without a renewal by its own clock, the worker starts no more items of the lease.
    /// Items in flight finish, and their results are passed to [`record`](Self::record). The
    /// default implementation is for journals whose leases do not expire; for them this is never
    /// called. Renewals happen only while the [`JournalRun`](crate::JournalRun) is polled: a
    /// consumer that stops polling loses its leases.
    fn renew<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<Renewal, Error>> {
        let _ = lease;
        Box::pin(std::future::ready(Ok(Renewal::Held)))
    }

    /// Gives back a lease and its remaining items, so that other workers need not wait until it
    /// expires. Called by a worker that stops before the end. Releasing a lease that is not held is
    /// not an error.
    fn release<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<(), Error>>;

    /// Completes when everything recorded before survives a power loss. The default implementation
    /// assumes that this is already so when [`record`](Self::record) completes.
    fn sync(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// How far the run is, over all its workers and all its lives. Its cost must not grow with the
    /// run: journals keep the counts instead of computing them here.
    fn progress(&self) -> BoxFuture<'_, Result<Counts, Error>>;
}
