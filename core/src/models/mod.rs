//! What models take and refuse: data, in one table.
//!
//! The table says facts. What follows from them for a call is decided in `policy::defaults`.

mod rule;
mod rules;
mod table;

pub(crate) use rule::members;
pub use rule::{ModelRule, Reasons, Takes};
pub(crate) use rules::ModelRules;
pub use table::MODEL_RULES;
