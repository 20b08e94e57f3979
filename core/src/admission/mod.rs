//! Where calls wait for a permit and for the rate limits.
//!
//! [`queue`] holds the permits of a client. [`limiter`] waits until
//! [`policy::rate`](crate::policy::rate) admits a call. Both keep their waiting tasks in a
//! [`waitlist`], first in, first out, and wake them through [`wake`]. [`shared`] holds the part of
//! limits that several clients share.

#[cfg_attr(not(feature = "limits"), path = "limiter_off.rs")]
pub(crate) mod limiter;
pub(crate) mod queue;
#[cfg(feature = "limits")]
pub(crate) mod shared;
pub(crate) mod waitlist;
pub(crate) mod wake;
