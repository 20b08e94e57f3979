//! What of a conversation belongs to which dialect.
//!
//! What only one dialect understands is stored under that dialect's name: as an object in the
//! `extra` of a message, a part or a tool call, or as a [`Part::Other`] that names it. A
//! conversation that was begun in one dialect goes on in another, which leaves this out.

use crate::chat::{Extra, Part};
use crate::dialect::NAMES;
use crate::error::Error;

/// Whether the extra field `name` belongs to another dialect than `dialect`: then it is not sent.
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

/// What `extra` has that only `dialect` understands.
pub fn own_fields<'a>(dialect: &str, extra: &'a Extra) -> Option<&'a Extra> {
    extra.get(dialect)?.as_object()
}

/// Whether `dialect` sends nothing of `extra`.
pub fn is_plain(dialect: &str, extra: &Extra) -> bool {
    (extra.iter()).all(|(name, value)| match value.as_object() {
        Some(own) if name == dialect => own.is_empty(),
        _ => is_foreign(dialect, name),
    })
}

/// Whether `part` is a block of another dialect than `dialect`: then it is left out.
pub fn is_foreign_block(dialect: &str, part: &Part) -> bool {
    match part {
        Part::Other { dialect: from, .. } => from.as_deref().is_some_and(|from| from != dialect),
        _ => false,
    }
}

/// The error for a part that `dialect` has no place for: `what` it is, and what to do instead.
pub fn cannot_carry(dialect: &str, what: &str, instead: &str) -> Error {
    Error::invalid(format!("{dialect} cannot carry {what}; {instead}"))
}
