//! What models take and refuse, as data in one table.
//!
//! The table only states facts. `policy::plan` decides what follows from them for a call.

mod rule;
mod rules;
mod table;

pub(crate) use rule::members;
pub use rule::{ModelRule, Reasons, Takes};
pub(crate) use rules::ModelRules;
pub use table::MODEL_RULES;
