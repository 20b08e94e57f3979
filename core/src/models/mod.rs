//! What models take and refuse, and what they cost, as data in two tables.
//!
//! The table only states facts. `policy::plan` decides what follows from them for a call.

mod prices;
mod rule;
mod rules;
mod table;

pub use prices::{LongPrice, MODEL_PRICES, ModelPrice};
pub(crate) use rule::members;
pub use rule::{ModelRule, Reasons, Takes};
pub(crate) use rules::ModelRules;
pub use table::MODEL_RULES;
