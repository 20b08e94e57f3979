//! JSON as the dialects read and write it: borrowed from the frame, into no types of its own.
//!
//! This is our own code, where `serde_json` would do as well: the npm package links one reader and
//! one writer rather than a copy of them for each type, unknown fields are passed over without being
//! read, and what a server sends costs no more time, stack and memory than its length allows.
//! [`Value`](serde_json::Value) stays the type of unknown fields, since it is the one that other
//! crates know.
//!
//! No part of the public API: [`dialect::kit`](crate::dialect::kit) has what a dialect needs of it.
//!
//! ```
//! use chatcore::json::{Reader, Writer};
//!
//! let mut writer = Writer::default();
//! writer.open('{');
//! writer.key("prompt");
//! writer.string("你好");
//! writer.close('}');
//! assert_eq!(writer.into_bytes(), r#"{"prompt":"你好"}"#.as_bytes());
//!
//! let mut reader = Reader::new(r#"{"text": "a\nb", "more": [1, 2]}"#);
//! let mut names = reader.object()?;
//! while let Some(name) = reader.name(&mut names)? {
//!     match &*name {
//!         "text" => assert_eq!(reader.string()?, "a\nb"),
//!         _ => assert_eq!(reader.raw()?, "[1, 2]"),
//!     }
//! }
//! reader.end()?;
//! # Ok::<_, chatcore::json::JsonError>(())
//! ```

mod float;
mod read;
mod scan;
mod skip;
mod string;
#[cfg(test)]
mod tests;
mod value;
mod weight;
mod write;

pub(crate) use float::decimal;
pub use read::{JsonError, Members, Reader};
pub use string::{Joiner, Piece};
pub use value::parse;
pub(crate) use value::parse_within;
pub use write::Writer;
