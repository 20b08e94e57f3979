//! Tests the client's pipeline in simulation: time, order and counters.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "these are tests, helpers included"
)]

mod adaptive;
mod admission;
mod batch;
mod changes;
mod drain;
mod gates;
mod hedging;
#[cfg(all(feature = "journal-files", feature = "journal-memory"))]
mod journal;
mod limits;
mod memory;
mod mix;
mod model;
mod one_at_a_time;
mod outage;
mod pace;
#[cfg(all(feature = "provider-batches", feature = "journal-memory"))]
mod provider_batches;
mod retries;
#[cfg(feature = "journal-memory")]
mod shared;
mod status;
mod support;
mod tokens;
mod tools;
