//! How much of an answer is taken in.

/// The sizes beyond which an answer is refused, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Caps {
    /// One line or event of a stream. Default 16 MiB.
    pub event: usize,
    /// A whole answer, or all bytes of a stream. Default 256 MiB.
    pub body: usize,
    /// The body of an error. Default 1 MiB; 8 KiB of it are kept in the error.
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
