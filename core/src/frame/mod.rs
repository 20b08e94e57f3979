//! Bytes → frames, incremental, apart from what the frames mean.
//!
//! A [`Dialect`](crate::Dialect) of your own can read its streams with it.

mod framing;
mod json_values;
mod sse;
mod stray;

pub use framing::{Frame, Framing};
pub use json_values::JsonValues;
pub use sse::{Sse, SseEvent};
