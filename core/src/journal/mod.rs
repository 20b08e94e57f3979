//! Where a batch keeps its items and their results, so that it outlives its process.
//!
//! A [`Journal`] hands out items in leases, takes each item's result once, and knows at any moment
//! what is left. [`BatchProcessor::process_journal`](crate::BatchProcessor::process_journal) runs
//! against any. The crate `chatcore-adapters` has one that keeps files (`journal-files`) and one in
//! memory (`journal-memory`); the conformance suite holds any other to what the methods promise.
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
//! - **At least once.** An item whose result was not recorded is handed out again: after a crash,
//!   or when the lease of a worker that went away has run out. Its request is then sent again. At
//!   most those items are sent twice that were in flight.
//! - **One result.** The first result that is recorded for an item stays. A later one is answered
//!   with [`Recorded::Already`] and leaves no trace.
//! - **No item is lost.** What was handed out is either recorded or handed out again.

mod item;
mod lease;

pub use item::{Counts, Item, Outcome, Recorded};
pub use lease::{Claim, Lease, Renewal};

use std::fmt::Debug;

use crate::error::Error;
use crate::executor::BoxFuture;

/// Where a batch keeps its items and their results. The [module](self) says what holds for every
/// journal.
///
/// No example: `MemoryJournal` of the crate `chatcore-adapters` is a whole one in one file.
///
/// # Errors
///
/// An error of any method ends the run of the worker that called it; everything recorded stays, and
/// the run can be resumed. A journal behind a network therefore tries again by itself what may pass,
/// and gives every statement a time limit. Its errors have the kind
/// [`Journal`](crate::ErrorKind::Journal), or [`Config`](crate::ErrorKind::Config) where it cannot
/// be opened, and hold no password.
///
/// # Dropped futures
///
/// Every future may be dropped at any await. A dropped [`claim`](Self::claim) may have taken a
/// lease that nobody holds, and its items come back when it runs out; where leases do not run out,
/// it has taken none. A dropped [`record`](Self::record) may have recorded or not, and never half.
pub trait Journal: Debug + Send + Sync + 'static {
    /// Takes a lease of items that nobody holds and that have no result.
    ///
    /// `want` is how many the worker can send at this moment, at least 1. It is a hint: a journal
    /// hands out a chunk of the size that suits it, with at least one item. The worker claims again
    /// only when it has begun all of them. An item is in one lease at a time; a lease that has run
    /// out, or was released, is nobody's, and its items without a result are handed out again.
    ///
    /// Where a run is paused from outside, this answers [`Claim::Later`]; where it was cancelled,
    /// or every item has a result, [`Claim::End`].
    fn claim(&self, want: usize) -> BoxFuture<'_, Result<Claim, Error>>;

    /// Records the result of an item, and completes when the record outlives this process: when a
    /// `kill -9` can no longer undo it. Whether it outlives a loss of power from this moment on or
    /// a little later is for the journal to say; [`sync`](Self::sync) waits for that.
    ///
    /// The worker counts an item as in flight until this completes. Many are called at once, and a
    /// journal writes together what comes together.
    ///
    /// The result counts even where `lease` has run out, as long as no other worker recorded one:
    /// it was paid for.
    fn record<'a>(
        &'a self,
        lease: &'a Lease,
        outcome: &'a Outcome,
    ) -> BoxFuture<'a, Result<Recorded, Error>>;

    /// Holds a lease for another [`Lease::lasts`], counted from when this was called.
    ///
    /// The worker calls it at every third of that time. After [`Renewal::Lost`], and after `lasts`
    /// without a renewal by its own clock, it begins no more items of the lease; those in flight
    /// finish, and their results are offered to [`record`](Self::record). By default leases do not
    /// run out, and this is never called. It is called while the
    /// [`JournalRun`](crate::JournalRun) is polled: a consumer that stops polling loses its leases.
    fn renew<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<Renewal, Error>> {
        let _ = lease;
        Box::pin(std::future::ready(Ok(Renewal::Held)))
    }

    /// Gives a lease back with what it has left, so that others need not wait until it runs out. A
    /// worker that stops before the end does this. Releasing what is not held is no error.
    fn release<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<(), Error>>;

    /// Completes when everything that was recorded before outlives a loss of power. By default that
    /// is so when [`record`](Self::record) completes.
    fn sync(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// How far the run is, over all its workers and all its lives. The time this takes does not
    /// grow with the run, because counts are kept and not made.
    fn progress(&self) -> BoxFuture<'_, Result<Counts, Error>>;
}
