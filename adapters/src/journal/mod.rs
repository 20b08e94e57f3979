//! Journals: where a batch keeps its items and results, so that it outlives its process.
//!
//! | feature | journal | for |
//! |---|---|---|
//! | `journal-files` | [`files::FilesJournal`] | one process; the output file is the journal |
//! | `journal-memory` | [`MemoryJournal`] | tests, with leases, lost workers and pauses |
//!
//! [`chatcore::journal`] says what holds for every journal.

#[cfg(feature = "journal-files")]
pub mod files;
#[cfg(feature = "journal-memory")]
mod memory;

#[cfg(feature = "journal-memory")]
pub use memory::MemoryJournal;
