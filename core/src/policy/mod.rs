//! What may run, and for how long: plain structs that answer, and never act.

pub(crate) mod adaptive;
pub(crate) mod admission;
pub(crate) mod budget;
pub(crate) mod deadlines;
pub(crate) mod estimate;
pub(crate) mod hedge;
pub(crate) mod limiter;
pub(crate) mod pace;
pub(crate) mod rate;
pub(crate) mod rate_limiter;
pub(crate) mod request_queue;
pub(crate) mod retry;
pub(crate) mod waitlist;
pub(crate) mod wake;
pub(crate) mod window;
