//! The JSON reader and writer of the dialects. Values are borrowed from the frame and need no types
//! of their own.
//!
//! chatcore has its own code here instead of `serde_json` for three reasons. The npm package links
//! one reader and one writer rather than a copy for each type. Unknown fields are skipped without
//! being decoded. What a server sends costs no more time, stack and memory than its length allows.
//! Unknown fields still have the type [`Value`](serde_json::Value), because other crates know it.
//!
//! Not part of the public API: [`dialect::kit`](crate::dialect::kit) exports what a dialect needs.
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

#[cfg(chatcore_floats = "host")]
pub use float::set_floats;
pub(crate) use float::{decimal, shown as float_shown};
pub use read::{JsonError, Members, Reader};
pub use string::{Joiner, Piece};
pub use value::parse;
pub(crate) use value::{parse_within, text_of};
pub use write::Writer;
