//! The limits of a loop.

use crate::words::words;

/// A limit that ends a [`ToolLoop`](super::ToolLoop) before the model has answered.
///
/// ```
/// use chatcore::ToolLoopLimit;
///
/// assert_eq!(ToolLoopLimit::Turns.as_str(), "turns");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ToolLoopLimit {
    /// How many times the model is asked: [`ToolLoop::max_turns`](super::ToolLoop::max_turns).
    Turns,
    /// The tokens of all turns together:
    /// [`ToolLoop::max_total_tokens`](super::ToolLoop::max_total_tokens).
    Tokens,
    /// The cost of all turns together: [`ToolLoop::max_cost`](super::ToolLoop::max_cost).
    Cost,
    /// The time of the whole loop: [`ToolLoop::timeout`](super::ToolLoop::timeout).
    Time,
}

impl ToolLoopLimit {
    words! {
        /// The limit as one stable word.
        Turns = "turns",
        Tokens = "tokens",
        Cost = "cost",
        Time = "time",
    }
}
