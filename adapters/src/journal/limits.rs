//! How fast a limit per minute may be drawn by many clients.

/// How long requests may take from the draw of a block to their arrival at the provider, beyond
/// what all of them take, in seconds.
const JITTER: f64 = 0.5;

/// The token bucket of one limit. In any minute it grants at most the limit: what it holds, and
/// what it refills.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::journal) struct Pace {
    /// What a second refills.
    pub(in crate::journal) rate: f64,
    /// The most that is held: what a second refills, and at least 1.
    pub(in crate::journal) most: f64,
}

impl Pace {
    pub(in crate::journal) fn per_minute(limit: u64) -> Self {
        let limit = limit.max(1) as f64;
        let seconds = 60.0 + JITTER;
        let most = (limit / (seconds + 1.0)).max(1.0);
        Self {
            // A limit of 1 grants one request a minute.
            rate: ((limit - most) / seconds).max(1.0 / (60.0 + 2.0 * JITTER)),
            most,
        }
    }
}
