//! Buffers to read into, one pair for each thread instead of one for each connection: thousands
//! of chats that wait for an answer hold none.

use std::cell::Cell;

/// The most that is read from a socket at once.
pub(super) const SIZE: usize = 16 * 1024;

thread_local! {
    static SPARE: Cell<Option<Box<ReadBuffers>>> = const { Cell::new(None) };
}

/// A buffer for the bytes off the wire and one for what they decode to.
pub(super) struct ReadBuffers {
    pub(super) input: [u8; SIZE],
    pub(super) output: [u8; SIZE],
}

/// Lends this thread's buffers to `work`, which must not await: their content is not kept.
pub(super) fn with<T>(work: impl FnOnce(&mut ReadBuffers) -> T) -> T {
    // Taken out for the time of the loan: a nested call makes a pair of its own.
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
