//! Recorded traffic of real providers, split every way.
//!
//! The recordings are read from the folder `CHATCORE_CORPUS`, else `../shared/corpus` beside the
//! checkout; without them these tests say so and pass. `CHATCORE_SEED` repeats a run.

mod decode;
mod errors;
mod rows;
mod split;
mod streams;
mod whole;
