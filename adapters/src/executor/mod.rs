//! Native executors: one feature, one file.

#[cfg(feature = "threads")]
pub mod threads;

#[cfg(feature = "threads")]
pub use threads::ThreadPool;
