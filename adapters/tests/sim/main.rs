//! The client's pipeline under simulation: every promise about time, order and accounts.

mod admission;
mod limits;
mod mix;
mod pace;
mod retries;
mod support;
