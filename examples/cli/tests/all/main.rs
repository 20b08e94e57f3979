//! Runs the program against a loopback server.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "these are tests, helpers included"
)]

mod batch;
mod commands;
mod fleet;
mod harness;
mod inputs;
mod kills;
mod outages;
mod paths;
mod refusals;
mod via;
