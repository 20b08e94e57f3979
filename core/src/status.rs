//! What a client does at one moment.

/// What a client does at one moment. Every call that began is in flight, waits, is being prepared
/// or read ahead, or ended in exactly one of succeeded, failed and cancelled.
///
/// The default is that of a client that does nothing: what a [`Backend`](crate::Backend) of your own
/// starts from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// Requests that may ever be in flight at once.
    pub max_workers: usize,
    /// Requests that may be in flight now: `max_workers`, unless an
    /// [`Adaptive`](crate::Adaptive) limit has found that the provider bears fewer.
    pub limit: usize,
    /// Requests in flight.
    pub active: usize,
    /// Requests that wait.
    pub queued: usize,
    /// Requests that may wait before others are turned away.
    pub queue_size: usize,
    /// Whether the client is closed.
    pub closed: bool,
    /// Calls that began.
    pub started: u64,
    /// Calls that ended with a whole answer.
    pub succeeded: u64,
    /// Calls that ended with an error.
    pub failed: u64,
    /// Calls that were dropped before their end.
    pub cancelled: u64,
    /// Attempts after a call's first.
    pub retried: u64,
}
