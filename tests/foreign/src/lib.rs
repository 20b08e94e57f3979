//! Runs the core on tokio and on GLib's main loop against the conformance suite, and measures the
//! latency that all kinds of event loops add to a chat (the program `latency`).
//!
//! This is a separate workspace, which keeps tokio and GLib out of the other crates' dependency
//! trees.

#[cfg(feature = "glib")]
pub mod main_loop;
pub mod runtime;

/// Compiles and runs the programs in the documentation.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/embedding.md")]
mod embedding {}
