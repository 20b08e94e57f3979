//! The core of chatcore for JavaScript hosts.
//!
//! The layer in `ts/` is what users see; this crate gives it requests, scheduling, retries and
//! decoding. What crosses the border is text: a request goes in as JSON, and all events that one
//! network read brought come out as one JSON array. Promises, timers and requests of the host have an
//! id each, in the one slab of pending operations.

#[cfg(target_arch = "wasm32")]
mod allocator;
mod bridge;
mod call;
mod client;
mod config;
mod credentials;
mod error;
mod executor;
mod fetch;
#[cfg(test)]
mod golden;
mod imports;
mod jobs;
mod messages;
mod pending;
mod redact;
mod request;
mod task;
mod wire;
