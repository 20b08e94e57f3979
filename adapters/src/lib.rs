//! Native executors and HTTP transports for `chatcore`, one feature each.

pub mod executor;
pub mod transport;
