//! What must hold on every adapter of `chatcore`, and the loopback server that it is held against.

pub mod conformance;
pub mod server;
