//! The client's pipeline under simulation: every promise about time, order and accounts.

#![allow(clippy::unwrap_used, reason = "these are tests, helpers included")]

mod adaptive;
mod admission;
mod batch;
mod hedging;
mod limits;
mod memory;
mod mix;
mod outage;
mod pace;
mod retries;
mod support;
mod tokens;
