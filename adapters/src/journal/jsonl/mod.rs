//! The lines of OpenAI's Batch format, which journals read and write: requests, results, and the
//! names that link them.

pub(super) mod duplicates;
mod fields;
#[cfg(test)]
mod golden;
mod identity;
pub(super) mod input;
pub(super) mod items;
pub(super) mod line;
mod lines;
mod plain;
pub(super) mod result;
pub(super) mod tag;

pub use identity::Identity;
pub use input::{BadLines, Input};
pub use items::Items;
pub use line::Format;
