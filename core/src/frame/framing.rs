//! What a framing is.

use bytes::Bytes;

use crate::error::Error;

/// Turns the bytes of a stream into frames: server-sent events, lines of JSON, or what a dialect
/// brings along.
pub trait Framing: Send {
    /// Whether a stream in this framing may begin with this byte. A body that begins otherwise is
    /// read as server-sent events, or as a whole answer.
    fn begins_with(&self, first: u8) -> bool;

    /// Takes in the next bytes, split anywhere.
    fn feed(&mut self, bytes: Bytes);

    /// The next frame, or `None` when more bytes are needed.
    ///
    /// # Errors
    /// [`ResponseTooLarge`](crate::ErrorKind::ResponseTooLarge) for a frame beyond a cap,
    /// [`Protocol`](crate::ErrorKind::Protocol) for bytes that are none of this framing.
    fn next_frame(&mut self) -> Result<Option<Frame>, Error>;

    /// At the end of the input: what is left of a frame. Called after
    /// [`next_frame`](Self::next_frame) has given all that are complete.
    ///
    /// # Errors
    /// As [`next_frame`](Self::next_frame).
    fn rest(&mut self) -> Result<Option<Frame>, Error> {
        Ok(None)
    }
}

impl Framing for Box<dyn Framing> {
    fn begins_with(&self, first: u8) -> bool {
        (**self).begins_with(first)
    }

    fn feed(&mut self, bytes: Bytes) {
        (**self).feed(bytes);
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, Error> {
        (**self).next_frame()
    }

    fn rest(&mut self) -> Result<Option<Frame>, Error> {
        (**self).rest()
    }
}

/// One frame of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Frame {
    /// What kind of event it is; empty where the framing does not say.
    pub name: Bytes,
    /// What it holds.
    pub data: Bytes,
}

impl Frame {
    /// A frame without a name.
    pub fn new(data: Bytes) -> Self {
        Self {
            name: Bytes::new(),
            data,
        }
    }

    /// Sets what kind of event it is.
    #[must_use]
    pub fn name(mut self, name: Bytes) -> Self {
        self.name = name;
        self
    }
}
