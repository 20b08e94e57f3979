//! The part of decoding that all dialects share: telling a stream from a whole answer, errors by
//! status, keep-alives, caps and the end.
//!
//! ```text
//!            ┌─ status ≥ 300 ──► Failure ──end──► the provider's error
//!  feed ──►  │                  ┌─ its own ──► Frames ──────► Assemble::event …, ::end
//!            └─ first byte ─────┼─ a field ──► Stream ──────► Assemble::event …, ::end
//!                               ├─ `{` `[` ──► Whole ──end──► Assemble::whole
//!                               └─ else ─────► Whole ──end──► Protocol
//! ```
//!
//! The requested mode is not considered, because servers answer a streaming request with a whole
//! answer and the other way around. Blank lines before the first byte are keep-alives. Bytes that
//! are not UTF-8 are replaced before a dialect sees them, as the standard for event streams
//! requires.
//!
//! Once the model has said why it stopped, the answer is valid. An error, malformed data or a lost
//! connection after that does not invalidate it.

mod body;
mod event;
mod out;
mod reading;
#[cfg(test)]
mod tests;

use std::fmt;

use bytes::Bytes;

#[cfg(feature = "jobs")]
pub(super) use body::Body;
pub use out::{Output, Prose};
use reading::Reading;
#[cfg(feature = "jobs")]
pub(super) use reading::utf8;

use crate::chat::ChatEvent;
use crate::dialect::{Caps, Decoder};
use crate::error::Error;
use crate::frame::Framing;

/// The part of decoding that each dialect implements: frames → events.
pub trait Assemble: Send {
    /// The dialect's name.
    fn name(&self) -> &'static str;

    /// Whether the dialect defines events of this name. An event with another name is skipped if
    /// its data is not JSON.
    fn knows(&self, _name: &[u8]) -> bool {
        false
    }

    /// Reads one event of a stream. Its data is a JSON object. Keep-alives and events with the name
    /// `error` are not passed to this method.
    ///
    /// # Errors
    /// The provider's error, or what is wrong with the event.
    fn event(&mut self, name: &[u8], data: &str, out: &mut Output) -> Result<(), Error>;

    /// Called when the server sends its end marker, `[DONE]`.
    fn marker(&mut self, out: &mut Output) {
        out.set_last();
    }

    /// Reads a whole answer: one JSON object.
    ///
    /// # Errors
    /// The provider's error, or what is wrong with the answer.
    fn whole(&mut self, body: &str, out: &mut Output) -> Result<(), Error>;

    /// Called when no more events will come. [Ends](Output::finish) the answer.
    ///
    /// # Errors
    /// [`Truncated`](crate::ErrorKind::Truncated) if the answer is not complete.
    fn end(&mut self, out: &mut Output) -> Result<(), Error>;

    /// Whether the model has said why it stopped. After that only the usage may follow.
    fn is_complete(&self) -> bool;
}

/// The decoder of every dialect. It wraps the dialect's own [`Assemble`].
pub struct AnswerDecoder<A> {
    assemble: A,
    reading: Reading,
}

impl<A: Assemble> AnswerDecoder<A> {
    /// Begins to read an answer with the response head `head`.
    pub fn new(head: &http::response::Parts, caps: Caps, assemble: A) -> Self {
        let reading = Reading::new(head, caps);
        Self { assemble, reading }
    }

    /// Reads streams in this framing too, not only server-sent events.
    #[must_use]
    pub fn framing(mut self, framing: impl Framing + 'static) -> Self {
        self.reading.set_framing(Box::new(framing));
        self
    }
}

impl<A: Assemble> Decoder for AnswerDecoder<A> {
    fn feed(&mut self, bytes: Bytes) {
        self.reading.feed(bytes, self.assemble.is_complete());
    }

    fn end(&mut self) {
        self.reading.end();
    }

    fn next_event(&mut self) -> Result<Option<ChatEvent>, Error> {
        self.reading.next_event(&mut self.assemble)
    }

    fn is_done(&self) -> bool {
        self.reading.is_done()
    }

    fn is_complete(&self) -> bool {
        self.reading.is_done() || self.assemble.is_complete()
    }

    fn skipped(&self) -> u32 {
        self.reading.skipped()
    }
}

impl<A> fmt::Debug for AnswerDecoder<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerDecoder")
            .field("reading", &self.reading)
            .finish_non_exhaustive()
    }
}
