//! A hash of everything that happened in a run.

use super::super::rng::mix;

/// The kind of an event. It is the first word of each entry, so that entries of different kinds
/// never look alike.
#[derive(Clone, Copy, Debug)]
pub(super) enum Entry {
    Spawned = 1,
    Polled,
    TimerFired,
    Random,
    Recorded,
}

/// A running hash of all events, in order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trace(u64);

impl Trace {
    pub(super) fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    pub(super) fn add(&mut self, entry: Entry, what: u64, nanos: u64) {
        self.word(entry as u64);
        self.word(what);
        self.word(nanos);
    }

    pub(super) fn hash(self) -> u64 {
        self.0
    }

    fn word(&mut self, word: u64) {
        self.0 = mix(self.0.rotate_left(5) ^ word).wrapping_add(0x9e37_79b9_7f4a_7c15);
    }
}
