//! The old client's helpers that need an executor and no client.

mod concurrency;
#[cfg(feature = "limits")]
mod rate_limiter;

pub use concurrency::{DEFAULT_GATHER_LIMIT, gather_with_limit, run_with_timeout};
#[cfg(feature = "limits")]
pub use rate_limiter::RateLimiter;
