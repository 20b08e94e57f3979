//! Framings that only some providers have: how the bytes of a stream are split into events.

mod aws;

pub use aws::{AwsEventStream, aws_event_stream};
