//! Tests of the server over real sockets: the built program in its own process.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)] // tests

mod access;
mod anthropic;
mod cancelling;
mod connections;
mod drain;
mod fairness;
mod framing;
mod harness;
mod headers;
mod load;
mod malformed;
mod openai;
mod providers;
mod responses;
mod routes;
mod socket;
