//! The client's pipeline under simulation: every promise about time, order and accounts.

#![allow(clippy::unwrap_used, reason = "these are tests, helpers included")]

mod admission;
mod gates;
mod limits;
mod mix;
mod model;
mod outage;
mod pace;
mod retries;
mod status;
mod support;
