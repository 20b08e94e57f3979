//! Native executors: one feature, one file.

#[cfg(feature = "smol")]
pub mod smol;

#[cfg(feature = "smol")]
pub use self::smol::SmolExecutor;
