//! Bytes → frames, incremental, apart from what the frames mean.

mod sse;

pub(crate) use sse::Sse;
