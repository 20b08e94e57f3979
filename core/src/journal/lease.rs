//! Leases: which worker may work on which items, and for how long.

use std::time::Duration;

use super::Item;

/// The right to work on some items.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    /// The journal's own number for the leased items.
    pub chunk: u64,
    /// Grows each time that the chunk is leased again. It tells an earlier worker's lease from the
    /// lease of the worker that took over.
    pub fence: u64,
    /// How long the lease lasts without a renewal, counted from the call of
    /// [`claim`](super::Journal::claim). `None`: until it is released or the process ends.
    pub lasts: Option<Duration>,
}

/// The result of a claim.
#[derive(Debug)]
pub enum Claim {
    /// A lease of these items. There is at least one item.
    Items(Lease, Vec<Item>),
    /// Nothing now, because other workers hold the remaining items or the run is paused. Claim
    /// again after this time.
    Later(Duration),
    /// No items are left, or the run was cancelled.
    End,
}

/// The result of a renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// The lease was renewed.
    Held,
    /// The lease has expired or belongs to another worker, or the run was cancelled.
    Lost,
}
