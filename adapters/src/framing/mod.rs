//! Framings of particular providers. A framing splits the bytes of a stream into events.

mod aws;

pub use aws::{AwsEventStream, aws_event_stream};
