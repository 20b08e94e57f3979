//! The core on tokio and on GLib's main loop, held against the conformance suite, and how late a
//! chat is on event loops of all kinds (the program `latency`).
//!
//! A workspace of its own keeps tokio and GLib out of everybody else's tree.

#[cfg(feature = "glib")]
pub mod main_loop;
pub mod runtime;

/// The programs of the documentation, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/embedding.md")]
mod embedding {}
