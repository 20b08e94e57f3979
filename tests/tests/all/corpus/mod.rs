//! Recorded traffic of real providers, split in every way.
//!
//! The recordings are read from the folder `CHATCORE_CORPUS`, or else from `../shared/corpus`
//! beside the checkout. Without recordings these tests are ignored. `CHATCORE_SEED` repeats a run.

mod decode;
mod errors;
mod items;
mod rows;
mod split;
mod sse;
mod streams;
mod whole;

pub(crate) use sse::base64;
