//! The rules of what may run and for how long. A policy is a plain struct that answers questions
//! and never acts: it holds no future, lock or timer.

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
#[cfg(feature = "jobs")]
pub(crate) mod split;
pub(crate) mod timeouts;
pub(crate) mod token_bucket;
pub(crate) mod window;
