//! What may run, and for how long: plain structs that answer, and never act. None holds a future,
//! a lock or a timer.

pub(crate) mod adaptive;
pub(crate) mod budget;
pub(crate) mod deadlines;
pub(crate) mod defaults;
pub(crate) mod estimate;
pub(crate) mod hedge;
pub(crate) mod learned;
pub(crate) mod plan;
pub(crate) mod rate;
pub(crate) mod refusal;
pub(crate) mod retry;
pub(crate) mod split;
pub(crate) mod timeouts;
pub(crate) mod token_bucket;
pub(crate) mod window;
