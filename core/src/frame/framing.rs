//! The trait for framings.

use bytes::Bytes;

use crate::error::Error;

/// Turns the bytes of a stream into frames: server-sent events, lines of JSON, or a framing of a
/// dialect's own.
pub trait Framing: Send {
    /// Whether a stream in this framing may begin with this byte. A body that begins with another
    /// byte is read as server-sent events or as a whole answer.
    fn begins_with(&self, first: u8) -> bool;

    /// Takes in the next bytes. They may be split anywhere.
    fn feed(&mut self, bytes: Bytes);

    /// The next frame, or `None` if more bytes are needed.
    ///
    /// # Errors
    /// [`ResponseTooLarge`](crate::ErrorKind::ResponseTooLarge) for a frame beyond a cap,
    /// [`Protocol`](crate::ErrorKind::Protocol) for bytes that are not in this framing.
    fn next_frame(&mut self) -> Result<Option<Frame>, Error>;

    /// The incomplete frame that is left at the end of the input. Called after
    /// [`next_frame`](Self::next_frame) has returned all complete frames.
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
    /// The event's name; empty if the framing has none.
    pub name: Bytes,
    /// The event's data.
    pub data: Bytes,
}

impl Frame {
    /// Creates a frame without a name.
    pub fn new(data: Bytes) -> Self {
        Self {
            name: Bytes::new(),
            data,
        }
    }

    /// Sets the event's name.
    #[must_use]
    pub fn name(mut self, name: Bytes) -> Self {
        self.name = name;
        self
    }
}
