//! Caps on the size of a response.

/// The sizes above which a response is refused, in bytes.
///
/// ```
/// use chatcore::Caps;
///
/// let small = Caps::default().event(1 << 20).body(16 << 20);
/// assert_eq!(small.error_body, 1 << 20);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Caps {
    /// One line or event of a stream. Default 16 MiB.
    pub event: usize,
    /// A whole answer, or all bytes of a stream. Default 256 MiB.
    pub body: usize,
    /// The body of an error response. Default 1 MiB; the error keeps 8 KiB of it.
    pub error_body: usize,
}

impl Default for Caps {
    fn default() -> Self {
        Self {
            event: 16 << 20,
            body: 256 << 20,
            error_body: 1 << 20,
        }
    }
}

impl Caps {
    /// Sets the largest line or event of a stream.
    #[must_use]
    pub fn event(mut self, bytes: usize) -> Self {
        self.event = bytes;
        self
    }

    /// Sets the largest whole answer, and the most bytes of a stream.
    #[must_use]
    pub fn body(mut self, bytes: usize) -> Self {
        self.body = bytes;
        self
    }

    /// Sets the largest body of an error response.
    #[must_use]
    pub fn error_body(mut self, bytes: usize) -> Self {
        self.error_body = bytes;
        self
    }
}
