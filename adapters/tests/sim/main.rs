//! The client's pipeline under simulation: every promise about time, order and accounts.

#![allow(clippy::unwrap_used, reason = "these are tests, helpers included")]

mod admission;
mod limits;
mod mix;
mod pace;
mod retries;
mod support;
