//! Typed answers: JSON that matches a schema, deserialized into a type.
//!
//! ```text
//!  ChatCall ──json──► JsonCall ──await──► read: text → JSON → strip nulls → check → T ─► JsonAnswer
//!                        └──stream──► JsonStream: a value that grows with the answer
//! ```
//!
//! The pipeline converts the schema to the form that the provider accepts. This module reads the
//! text of the answer.

mod answer;
mod answer_schema;
mod call;
mod mismatch;
mod partial;
mod read;
mod stream;
mod tool;
mod wanted;

pub use answer::JsonAnswer;
pub use answer_schema::{AnswerJson, AnswerSchema};
pub use call::JsonCall;
pub(crate) use call::{correction, note, with_schema};
pub use mismatch::Mismatch;
pub use partial::PartialJson;
pub(crate) use read::answer as read_answer;
pub use stream::JsonStream;
pub(crate) use tool::arguments;
pub(crate) use wanted::Wanted;
