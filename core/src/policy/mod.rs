//! What may run, and for how long: plain structs that answer, and never act.

#[allow(dead_code, reason = "the pipeline does not adapt yet")]
pub(crate) mod adaptive;
pub(crate) mod admission;
pub(crate) mod budget;
pub(crate) mod deadlines;
#[allow(dead_code, reason = "the pipeline does not estimate yet")]
pub(crate) mod estimate;
#[allow(dead_code, reason = "the pipeline does not hedge yet")]
pub(crate) mod hedge;
#[allow(dead_code, reason = "the pipeline does not take reservations yet")]
pub(crate) mod limiter;
pub(crate) mod pace;
#[allow(dead_code, reason = "the pipeline does not take reservations yet")]
pub(crate) mod rate;
pub(crate) mod rate_limiter;
pub(crate) mod request_queue;
pub(crate) mod retry;
pub(crate) mod waitlist;
pub(crate) mod window;
