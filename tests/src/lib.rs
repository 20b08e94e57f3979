//! The most expensive answers that a server can send, for tests, benchmarks and fuzzing, and a
//! PostgreSQL server for tests and benchmarks. The tests themselves are in `tests/all`; those for every implementation of a trait are in
//! `chatcore-conformance`.

pub mod postgres;
pub mod worst;

/// Every Rust snippet of README.md compiles as it stands.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}

/// Every Rust snippet of README.zh-CN.md compiles as it stands.
#[cfg(doctest)]
#[doc = include_str!("../../README.zh-CN.md")]
mod readme_zh {}

/// Every Rust snippet of core/README.md compiles as it stands.
#[cfg(doctest)]
#[doc = include_str!("../../core/README.md")]
mod readme_core {}

/// Every Rust snippet of adapters/README.md compiles as it stands.
#[cfg(doctest)]
#[doc = include_str!("../../adapters/README.md")]
mod readme_adapters {}

/// Every Rust snippet of docs/tools.md compiles as it stands.
#[cfg(doctest)]
#[doc = include_str!("../../docs/tools.md")]
mod docs_tools {}

/// The Rust snippet of docs/websocket.md compiles as it stands.
#[cfg(doctest)]
#[doc = include_str!("../../docs/websocket.md")]
mod docs_websocket {}
