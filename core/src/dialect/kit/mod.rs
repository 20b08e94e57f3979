//! What every dialect needs: telling a stream from a whole answer, framings, reading and writing of
//! fields, errors, and hints about limits.
//!
//! A [`Dialect`](super::Dialect) encodes with [`begin`] and [`ObjectWriter`], and decodes with an
//! [`AnswerDecoder`] around its own [`Assemble`]:
//!
//! ```text
//!  bytes ──► AnswerDecoder ──► frames ──► Assemble::event ──► Output ──► ChatEvents
//!            status, caps,     Sse, JsonValues,   parse::<Object<…>>
//!            keep-alives       a Framing of yours
//! ```
//!
//! The decoder handles error statuses, error objects in a stream, truncated streams and what
//! servers send in addition to their documentation. An [`Assemble`] reads its own fields.
//!
//! A conversation may have begun in another dialect. A decoder stores what only its own dialect
//! understands with [`as_own`]. An encoder sends the fields that [`sent_fields`] returns, and
//! leaves out each [block of another dialect](is_foreign_block). [`ObjectWriter::beside`] filters
//! the fields by itself.
//!
//! ```
//! use bytes::Bytes;
//! use chatcore::dialect::kit::{self, AnswerDecoder, Assemble, Object, Output, Prose, Text, fields};
//! use chatcore::{Caps, Decoder, Error, FinishReason};
//!
//! /// A dialect whose whole answer is `{"reply": "…"}`.
//! #[derive(Debug, Default)]
//! struct Echo;
//!
//! #[derive(Default)]
//! struct Reply<'a> {
//!     reply: Text<'a>,
//! }
//!
//! fields!(Reply<'a> { reply });
//!
//! impl Assemble for Echo {
//!     fn name(&self) -> &'static str {
//!         "echo"
//!     }
//!
//!     fn event(&mut self, _: &[u8], data: &str, out: &mut Output) -> Result<(), Error> {
//!         self.whole(data, out)
//!     }
//!
//!     fn whole(&mut self, body: &str, out: &mut Output) -> Result<(), Error> {
//!         let reply: Object<'_, Reply<'_>> = kit::parse("echo", body)?;
//!         out.say(Prose::Text, reply.known.reply.0);
//!         out.finish(FinishReason::Stop, "stop".to_owned());
//!         Ok(())
//!     }
//!
//!     fn end(&mut self, _: &mut Output) -> Result<(), Error> {
//!         Err(kit::truncated())
//!     }
//!
//!     fn is_complete(&self) -> bool {
//!         false
//!     }
//! }
//!
//! let head = http::Response::new(()).into_parts().0;
//! let mut decoder = AnswerDecoder::new(&head, Caps::default(), Echo);
//! decoder.feed(Bytes::from_static(br#"{"reply": "hi"}"#));
//! decoder.end();
//! assert_eq!(decoder.next_event()?.unwrap().as_text(), Some("hi"));
//! # Ok::<(), Error>(())
//! ```

pub(crate) mod arguments;
mod catalogue;
mod date;
pub(crate) mod decoder;
#[cfg(any(feature = "anthropic", feature = "gemini"))]
pub(crate) mod escape;
pub(crate) mod failure;
mod fields;
pub(crate) mod filename;
pub(crate) mod hints;
pub(crate) mod ids;
pub(crate) mod kept;
pub(crate) mod model_name;
pub(crate) mod places;
pub(crate) mod provenance;
pub(crate) mod read;
pub(crate) mod response_headers;
#[cfg(feature = "jobs")]
pub(crate) mod whole;
pub(crate) mod write;

pub use crate::fields;
pub use arguments::object_arguments;
pub use catalogue::model_page;
pub use decoder::{AnswerDecoder, Assemble, Output, Prose};
pub use failure::{is_error, nameless_call, not_understood, reported, truncated};
pub use hints::quota;
pub use ids::with_ids;
pub use provenance::{
    as_own, cannot_carry, is_foreign, is_foreign_block, is_plain, own_fields, sent_fields,
};
pub use read::{
    Count, Fields, Ignored, List, MAX_ITEMS, MAX_UNKNOWN, Object, Raw, Read, Text, Unknown, Word,
    extra_of, parse, parse_event, piece_of, push_extra, read, to_extra,
};
pub use write::{ObjectWriter, begin};

pub use crate::frame::{Frame, Framing, JsonValues};
#[doc(inline)]
pub use crate::json::{JsonError, Members, Piece, Reader, Writer};
