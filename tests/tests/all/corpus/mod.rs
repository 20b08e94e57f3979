//! Recorded traffic of real providers, split every way.
//!
//! The recordings are read from the folder `CHATCORE_CORPUS`, else from `../shared/corpus` beside
//! the checkout; where there are none these tests are ignored. `CHATCORE_SEED` repeats a run.

mod decode;
mod errors;
mod items;
mod rows;
mod split;
mod sse;
mod streams;
mod whole;

pub(crate) use sse::base64;
