//! What the network and the provider have seen.

/// What the simulated network and provider have seen up to one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Requests that a client began to send.
    pub sent: u64,
    /// Requests that arrived at the provider.
    pub arrived: u64,
    /// Answers of status 200 whose last byte was read, those with a fault not included.
    pub completed: u64,
    /// Requests that had a fault from the script.
    pub faults: u64,
    /// Requests refused for too many in a minute.
    pub refused_by_rate: u64,
    /// Requests refused for too many at once.
    pub refused_by_concurrency: u64,
    /// Requests sent again, with the same body, before the announced Retry-After had passed.
    pub early_retries: u64,
    /// Requests whose future, or whose body, was dropped by the client before its end.
    pub dropped: u64,
    /// Requests under way now: sent, and neither answered to the end, nor failed, nor dropped.
    pub in_flight: usize,
    /// The most that were under way at once.
    pub max_in_flight: usize,
    /// Requests that the provider works on now: arrived, and not refused.
    pub working: usize,
    /// The most that the provider worked on at once.
    pub max_working: usize,
    /// Connections made.
    pub connections_opened: u64,
    /// Connections closed, by either side.
    pub connections_closed: u64,
    /// Connections that wait to be used again.
    pub connections_idle: u64,
    /// Tokens of the prompts that were accepted.
    pub input_tokens: u64,
    /// Tokens that were read by clients.
    pub output_tokens: u64,
}
