//! One pair of read buffers per thread instead of one per connection, so that thousands of chats
//! that wait for an answer hold no buffers.

use std::cell::Cell;

/// The size of one read from a socket, at most.
pub(super) const SIZE: usize = 16 * 1024;

thread_local! {
    static SPARE: Cell<Option<Box<ReadBuffers>>> = const { Cell::new(None) };
}

/// A buffer for the received bytes and one for the decoded content.
pub(super) struct ReadBuffers {
    pub(super) input: [u8; SIZE],
    pub(super) output: [u8; SIZE],
}

/// Lends this thread's buffers to `work`. Their content is not kept between calls.
pub(super) fn with<T>(work: impl FnOnce(&mut ReadBuffers) -> T) -> T {
    // Taken out during the loan, so that a nested call allocates its own pair.
    let mut buffers = SPARE
        .try_with(Cell::take)
        .ok()
        .flatten()
        .unwrap_or_else(|| {
            Box::new(ReadBuffers {
                input: [0; SIZE],
                output: [0; SIZE],
            })
        });
    let result = work(&mut buffers);
    SPARE.try_with(|spare| spare.set(Some(buffers))).ok();
    result
}
