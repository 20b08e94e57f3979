//! Bytes → frames, incremental, apart from what the frames mean.
//!
//! A [`Dialect`](crate::Dialect) of your own can read its streams with it.

mod sse;
mod stray;

pub use sse::{Sse, SseEvent};
