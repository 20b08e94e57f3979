//! Journals keep a batch's items and results, so that the batch survives a restart of its process.
//!
//! | feature | journal | for |
//! |---|---|---|
//! | `journal-files` | [`files::FilesJournal`] | one process; the output file is the journal |
//! | `postgres` | [`postgres::PostgresJournal`] | many workers on many machines |
//! | `journal-memory` | [`MemoryJournal`] | tests, with leases, lost workers and pauses |
//!
//! [`chatcore::journal`] lists the promises of every journal.

#[cfg(feature = "journal-files")]
pub mod files;
#[cfg(any(feature = "journal-files", feature = "postgres"))]
mod jsonl;
#[cfg(any(feature = "journal-memory", feature = "postgres"))]
mod limits;
#[cfg(feature = "journal-memory")]
mod memory;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "journal-memory")]
mod shares;

#[cfg(feature = "journal-memory")]
pub use memory::MemoryJournal;
#[cfg(feature = "journal-memory")]
pub use shares::MemoryLimits;
