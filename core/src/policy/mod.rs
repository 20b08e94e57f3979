//! The rules of what may run and for how long. A policy is a plain struct that answers questions
//! and never acts: it holds no future, lock or timer.

#[cfg_attr(not(feature = "limits"), path = "adaptive_off.rs")]
pub(crate) mod adaptive;
pub(crate) mod budget;
pub(crate) mod deadlines;
pub(crate) mod defaults;
pub(crate) mod estimate;
#[cfg_attr(not(feature = "limits"), path = "hedge_off.rs")]
pub(crate) mod hedge;
pub(crate) mod learned;
pub(crate) mod plan;
#[cfg(feature = "limits")]
pub(crate) mod rate;
pub(crate) mod refusal;
pub(crate) mod retry;
#[cfg(feature = "jobs")]
pub(crate) mod split;
pub(crate) mod timeouts;
#[cfg(feature = "limits")]
pub(crate) mod token_bucket;
#[cfg(feature = "limits")]
pub(crate) mod window;
