//! JSON schemas: what each provider accepts, and how a schema is converted to that.
//!
//! ```text
//!  schema ──prepare──► root is an object ──fit──► what a provider expresses ──reduce──► request
//!  answer ──strip────► no nulls in place of missing properties ──check──► value
//! ```
//!
//! [`Rules`] are data, one value for each kind of provider. [`fit`](fit::fit) changes the form of a
//! schema without changing what it means, and fails for what the provider cannot express.
//! [`reduce`] then moves keywords that the provider refuses to the descriptions.

#[cfg(feature = "typed")]
mod check;
#[cfg(feature = "typed")]
mod fit;
#[cfg(feature = "typed")]
mod merge;
#[cfg(feature = "typed")]
mod prepare;
mod reduce;
#[cfg(feature = "typed")]
mod refs;
mod rules;
#[cfg(feature = "typed")]
mod strip;
#[cfg(all(test, feature = "typed"))]
mod tests;

#[cfg(feature = "typed")]
pub(crate) use check::check;
#[cfg(feature = "typed")]
pub(crate) use fit::fit;
#[cfg(feature = "typed")]
pub(crate) use prepare::{Prepared, WRAPPER, prepare};
#[cfg(feature = "typed")]
pub(crate) use reduce::is_object_type;
#[cfg(feature = "anthropic")]
pub(crate) use reduce::reduce;
#[cfg(feature = "anthropic")]
pub(crate) use rules::ANTHROPIC;
pub(crate) use rules::Rules;
#[cfg(feature = "typed")]
pub(crate) use rules::{ANTHROPIC_FIT, GEMINI, GRAMMAR, OPENAI};
#[cfg(feature = "typed")]
pub(crate) use strip::strip;

/// What is wrong with a schema, or with a value of it, and where.
#[cfg(feature = "typed")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The path, such as `items[2].price`. `.` is the root.
    pub(crate) path: String,
    /// What is wrong. Never contains a value.
    pub(crate) why: String,
}
