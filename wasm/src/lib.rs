//! The core of chatcore for JavaScript hosts.
//!
//! Users see the layer in `ts/`; this crate provides it with requests, scheduling, retries and
//! decoding. Values pass between the two as text: a request comes in as JSON, and all events of one
//! network read go out as one JSON array. Each promise, timer and request of the host has an id in
//! one slab of pending operations.

// `Debug` output of a value from outside may hold a secret, or control characters: see `Quoted`.
#![cfg_attr(not(test), warn(clippy::use_debug))]

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
#[cfg(feature = "jobs")]
mod jobs;
#[cfg(feature = "limits")]
mod limits;
mod messages;
mod object;
mod pending;
mod redact;
mod request;
mod task;
#[cfg(feature = "typed")]
mod typed;
mod wire;
