//! What must hold on every adapter of `chatcore`, the loopback server that it is held against, and
//! event loops that nobody here wrote.

pub mod conformance;
pub mod hosts;
pub mod server;
pub mod worst;

/// Every Rust snippet of README.md compiles as it stands.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}

/// Every Rust snippet of README.zh-CN.md compiles as it stands.
#[cfg(doctest)]
#[doc = include_str!("../../README.zh-CN.md")]
mod readme_zh {}

/// The Rust snippet of docs/websocket.md compiles as it stands.
#[cfg(doctest)]
#[doc = include_str!("../../docs/websocket.md")]
mod docs_websocket {}
