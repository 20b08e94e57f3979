//! The core of chatcore for JavaScript hosts.
//!
//! The layer in `ts/` is what users see; this crate gives it requests, scheduling, retries and
//! decoding. What crosses the border is text: a request goes in as JSON, and all events that one
//! network read brought come out as one JSON array. Promises, timers and requests of the host have a
//! number each, in the one table of what the core waits for.

#[cfg(target_arch = "wasm32")]
mod allocator;
mod bridge;
mod call;
mod client;
mod config;
mod error;
mod executor;
mod fetch;
#[cfg(test)]
mod golden;
mod host;
mod jobs;
mod messages;
mod redact;
mod request;
mod table;
mod task;
mod wire;
