//! Statistics of the network and the provider.

/// The statistics of the simulated network and provider so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Requests that clients began to send.
    pub sent: u64,
    /// Requests that arrived at the provider.
    pub arrived: u64,
    /// Answers with status 200 that were read to their last byte, without those that had a fault.
    pub completed: u64,
    /// Requests that had a fault from the script.
    pub faults: u64,
    /// Requests refused by a rate limit.
    pub refused_by_rate: u64,
    /// Requests refused by the concurrency limit.
    pub refused_by_concurrency: u64,
    /// Requests sent again, with the same body, before the announced Retry-After had passed.
    pub early_retries: u64,
    /// Requests whose future or body the client dropped before its end.
    pub dropped: u64,
    /// Requests in flight now: sent, and neither fully answered nor failed nor dropped.
    pub in_flight: usize,
    /// The largest number of requests in flight at once.
    pub max_in_flight: usize,
    /// Requests that the provider is working on now: arrived and not refused.
    pub working: usize,
    /// The largest number of requests that the provider worked on at once.
    pub max_working: usize,
    /// Connections opened.
    pub connections_opened: u64,
    /// Connections closed, by either side.
    pub connections_closed: u64,
    /// Idle connections that can be reused.
    pub connections_idle: u64,
    /// Tokens in the prompts of admitted requests.
    pub input_tokens: u64,
    /// Tokens that clients read.
    pub output_tokens: u64,
}
