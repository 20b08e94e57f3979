//! What may run, and for how long: plain structs that answer, and never act.

pub(crate) mod admission;
pub(crate) mod budget;
pub(crate) mod deadlines;
pub(crate) mod retry;
