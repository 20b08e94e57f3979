//! Where calls wait: for a permit, and for the rate limits.
//!
//! [`queue`] holds the permits of a client, [`limiter`] waits until the rules of
//! [`policy::rate`](crate::policy::rate) let a call go. Both keep their waiting tasks in a
//! [`waitlist`], first in, first out, and wake them through [`wake`].

pub(crate) mod limiter;
pub(crate) mod queue;
pub(crate) mod waitlist;
pub(crate) mod wake;
