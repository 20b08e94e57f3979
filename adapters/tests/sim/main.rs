//! The client's pipeline under simulation: every promise about time, order and accounts.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, which may fail so"
)]

mod admission;
mod limits;
mod mix;
mod pace;
mod retries;
mod support;
