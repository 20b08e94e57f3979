//! Native executors, one feature each.

#[cfg(feature = "smol")]
pub mod smol;
#[cfg(feature = "threads")]
pub mod threads;

#[cfg(feature = "smol")]
pub use self::smol::SmolExecutor;
#[cfg(feature = "threads")]
pub use threads::ThreadPool;
