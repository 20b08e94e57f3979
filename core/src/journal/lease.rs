//! Who works on which items, and for how long.

use std::time::Duration;

use super::Item;

/// The right to work on some items.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    /// Which items: the journal's own number for them.
    pub chunk: u64,
    /// Which lease of them: it grows each time that the chunk is leased again, so that a worker that
    /// was away can be told from the one that took over.
    pub fence: u64,
    /// How long the lease holds without a renewal, counted from when
    /// [`claim`](super::Journal::claim) was called; `None`: until it is released, or the process
    /// ends.
    pub lasts: Option<Duration>,
}

/// What a claim gave.
#[derive(Debug)]
pub enum Claim {
    /// A lease of these items; there is at least one.
    Items(Lease, Vec<Item>),
    /// Nothing at this moment: others hold what is left, or the run is paused. Ask again after this
    /// time.
    Later(Duration),
    /// Nothing, and nothing will come.
    End,
}

/// What a renewal gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// The lease is held on.
    Held,
    /// It ran out and is another worker's, or the run was cancelled.
    Lost,
}
