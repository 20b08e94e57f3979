//! Framings: turn bytes into frames incrementally, without knowing what the frames mean.
//!
//! A [`Dialect`](crate::Dialect) of your own can use them to read its streams.

mod framing;
mod json_values;
mod sse;
mod stray;

pub use framing::{Frame, Framing};
pub use json_values::JsonValues;
pub use sse::{Sse, SseEvent};
