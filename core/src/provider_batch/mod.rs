//! Runs a journal's items through the provider's Batch API: answered within a day, at half the
//! price.
//!
//! ```text
//!  journal ──claim──► encode ──► body ──upload──► file ──create──► batch at the provider
//!                                          │                 │            │ poll, with backoff
//!                                    store: name        store: id         ▼
//!  journal ◄──record── answers ◄──read line by line── results ◄─────── ended
//!     ▲                   │
//!     └── failed, expired ┘ up to `attempts`
//! ```
//!
//! - [`ProviderRun`] is the run. It needs a [`Journal`](crate::Journal) whose leases do not expire,
//!   and which no other run uses.
//! - [`BatchStore`] keeps the ids of the batches, so that a process that starts later finds them.
//! - [`ProviderBatches`] is the provider's API alone: create, get, list, cancel, read results.
//!
//! # What holds for every run
//!
//! - **Nothing is paid twice, with two exceptions.** The name of a batch is stored before the batch
//!   is created. A process that finds a name without an id, or whose creation failed, looks for the
//!   batch at the provider before it creates another one. If the provider keeps no names
//!   (Anthropic), batches that may be the one are awaited, and their results tell. The exceptions:
//!   a creation that the provider carries out later than [`settle`](ProviderRun::settle), 10 minutes
//!   by default, and a batch, or its results, that the provider has not found for five minutes.
//! - **Each item has one result.** Results are recorded in the journal, which takes the first.
//! - **No item is lost.** An item whose batch expired, was cancelled or has no result for it is sent
//!   again, up to [`attempts`](ProviderRun::attempts). Then its error is recorded.

mod control;
mod create;
mod driver;
mod fill;
mod find;
mod merge;
mod places;
mod refused;
mod run;
mod store;
#[cfg(test)]
mod tests;
mod trouble;

pub use crate::client::{
    BatchAnswer, BatchAnswers, BatchBody, BatchItem, BatchOutcome, ProviderBatches, Uploaded,
    may_be_created,
};
pub use crate::dialect::batches::{
    BatchCounts, BatchDialect, BatchLimits, BatchPage, BatchState, LineError, LineResult, NewBatch,
    ProviderBatch, Submission,
};
pub use control::{BatchEvent, BatchProgress, RunEnd};
pub use places::Places;
pub use run::ProviderRun;
pub use store::{BatchStore, Record, Records};
