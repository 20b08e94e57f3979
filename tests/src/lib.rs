//! What must hold on every adapter of `chatcore`, and the loopback server that it is held against.

pub mod conformance;
pub mod server;

/// Every Rust snippet of README.md compiles as it stands.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}

/// Every Rust snippet of README.zh-CN.md compiles as it stands.
#[cfg(doctest)]
#[doc = include_str!("../../README.zh-CN.md")]
mod readme_zh {}
