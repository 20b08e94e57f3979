//! The state of a client at one moment.

/// The state of a client at one moment. Every call that began is in flight, waits, is being encoded
/// or read, or has ended in exactly one of succeeded, failed and cancelled.
///
/// The default is the state of an idle client. A [`Backend`](crate::Backend) of your own can start
/// from it.
///
/// ```
/// # fn example(client: chatcore::LlmClient) {
/// let status = client.status();
/// println!("{} run and {} wait; {} failed", status.active, status.queued, status.failed);
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// The maximum number of requests in flight.
    pub max_workers: usize,
    /// The current maximum of requests in flight. It equals `max_workers` unless an
    /// [`Adaptive`](crate::Adaptive) limit has found that the provider takes fewer.
    pub limit: usize,
    /// Requests in flight.
    pub active: usize,
    /// Requests that wait.
    pub queued: usize,
    /// How many requests may wait before others are refused.
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
    /// Attempts after the first one of each call.
    pub retried: u64,
}
