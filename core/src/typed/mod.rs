//! Typed answers: JSON of a schema, read into a type.
//!
//! ```text
//!  ChatCall ──json──► JsonCall ──await──► read: text → JSON → strip nulls → check → T ─► JsonAnswer
//!                        └──stream──► JsonStream: a value that grows with the answer
//! ```
//!
//! The pipeline gives the schema the form that the provider accepts. What comes here is the
//! answer's text.

mod answer;
mod call;
mod mismatch;
mod partial;
mod read;
mod stream;
mod tool;
mod wanted;

pub use answer::JsonAnswer;
pub use call::JsonCall;
pub use mismatch::Mismatch;
pub use partial::PartialJson;
pub use stream::JsonStream;
