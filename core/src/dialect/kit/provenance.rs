//! Which parts of a conversation belong to which dialect.
//!
//! What only one dialect understands is stored under that dialect's name: as an object in the
//! `extra` of a message, a part or a tool call, or as a [`Part::Other`] that names the dialect. A
//! conversation that began in one dialect can go on in another, which leaves these parts out.

use serde_json::Value;

use crate::chat::{Extra, Part};
use crate::dialect::NAMES;
use crate::error::Error;

/// Whether the extra field `name` belongs to a dialect other than `dialect`. Such a field is not
/// sent.
///
/// ```
/// use chatcore::dialect::kit::is_foreign;
///
/// assert!(is_foreign("anthropic", "gemini"));
/// assert!(!is_foreign("gemini", "gemini"));
/// assert!(!is_foreign("gemini", "cache_control"));
/// ```
pub fn is_foreign(dialect: &str, name: &str) -> bool {
    name != dialect && NAMES.contains(&name)
}

/// The fields of `extra` that only `dialect` understands.
pub fn own_fields<'a>(dialect: &str, extra: &'a Extra) -> Option<&'a Extra> {
    extra.get(dialect)?.as_object()
}

/// Stores fields that only `dialect` understands under its name.
pub fn as_own(dialect: &str, fields: Extra) -> Extra {
    super::read::extra_of(dialect, Value::Object(fields))
}

/// The fields of `extra` that `dialect` sends: first those that belong to no dialect, then its own.
///
/// ```
/// use chatcore::dialect::kit::sent_fields;
/// use chatcore::serde_json::json;
///
/// let extra = json!({"a": 1, "gemini": {"b": 2}, "anthropic": {"c": 3}});
/// let sent = |dialect| -> Vec<String> {
///     let fields = sent_fields(dialect, extra.as_object().unwrap());
///     fields.map(|(name, _)| name.clone()).collect()
/// };
/// assert_eq!(sent("anthropic"), ["a", "c"]);
/// assert_eq!(sent("ollama_chat"), ["a"]);
/// ```
pub fn sent_fields<'a>(
    dialect: &'a str,
    extra: &'a Extra,
) -> impl Iterator<Item = (&'a String, &'a Value)> {
    let own = own_fields(dialect, extra);
    let is_own = move |name: &str| own.is_some_and(|own| own.contains_key(name));
    let plain = (extra.iter())
        .filter(move |(name, _)| !is_foreign(dialect, name) && !is_own(name))
        .filter(move |(name, _)| own.is_none() || *name != dialect);
    plain.chain(own.into_iter().flatten())
}

/// Whether `dialect` sends nothing of `extra`.
pub fn is_plain(dialect: &str, extra: &Extra) -> bool {
    sent_fields(dialect, extra).next().is_none()
}

/// Whether `part` is a block of a dialect other than `dialect`. Such a block is not sent.
pub fn is_foreign_block(dialect: &str, part: &Part) -> bool {
    match part {
        Part::Other { dialect: from, .. } => from.as_deref().is_some_and(|from| from != dialect),
        _ => false,
    }
}

/// The error for a part that `dialect` cannot send. `what` names the part, `instead` says what to
/// do.
pub fn cannot_carry(dialect: &str, what: &str, instead: &str) -> Error {
    Error::invalid(format!("{dialect} cannot carry {what}; {instead}"))
}
