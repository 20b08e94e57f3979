//! The core of chatcore for JavaScript hosts.
//!
//! The layer in `ts/` is what users see; this crate gives it requests, scheduling, retries and
//! decoding. What crosses the border is text: a request goes in as JSON, and all events that one
//! network read brought come out as one JSON array.

#[cfg(target_arch = "wasm32")]
mod allocator;
mod bridge;
mod call;
mod client;
mod config;
mod error;
mod executor;
mod fetch;
mod promise;
mod request;
mod wire;
