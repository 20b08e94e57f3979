//! Keeps track of the input lines that have a result: a bitmap and a checksum for each block of
//! lines.

use std::collections::HashMap;

use chatcore::journal::Counts;

use crate::journal::jsonl::tag::Tag;

/// How many lines share a checksum.
pub(super) const BLOCK: u64 = 1024;

/// The set of input lines that have a result. It takes about two bits for each line.
///
/// Blocks without a result take no memory, so that a wrong line number in a file cannot cause a
/// large allocation.
#[derive(Debug, Default)]
pub(super) struct Done {
    blocks: HashMap<u64, Box<Block>>,
    pub(super) counts: Counts,
    /// The last line that has a result.
    last: u64,
}

#[derive(Debug, Default)]
struct Block {
    bits: [u64; (BLOCK / 64) as usize],
    /// The sum of the digests of the lines that have a result. It does not depend on their order.
    sum: u64,
    /// Whether any of the results is an error.
    has_errors: bool,
}

impl Block {
    fn word(&mut self, place: u64) -> (&mut u64, u64) {
        let within = place % BLOCK;
        (&mut self.bits[(within / 64) as usize], 1 << (within % 64))
    }
}

impl Done {
    /// Records that a line has a result. Returns whether it is the line's first one.
    pub(super) fn add(&mut self, tag: Tag, is_answer: bool) -> bool {
        let block = self.blocks.entry(tag.place / BLOCK).or_default();
        let (word, bit) = block.word(tag.place);
        if *word & bit != 0 {
            return false;
        }
        *word |= bit;
        block.sum = block.sum.wrapping_add(sum(tag.place, tag.digest));
        block.has_errors |= !is_answer;
        self.last = self.last.max(tag.place);
        let counts = &mut self.counts;
        match is_answer {
            true => counts.done += 1,
            false => counts.failed += 1,
        }
        counts.input_tokens = counts.input_tokens.saturating_add(tag.input_tokens);
        counts.output_tokens = counts.output_tokens.saturating_add(tag.output_tokens);
        true
    }

    /// Whether a line has a result.
    pub(super) fn has(&self, place: u64) -> bool {
        let within = place % BLOCK;
        let block = self.blocks.get(&(place / BLOCK));
        block.is_some_and(|block| block.bits[(within / 64) as usize] & (1 << (within % 64)) != 0)
    }

    /// The checksum of a block.
    pub(super) fn sum_of(&self, block: u64) -> u64 {
        self.blocks.get(&block).map_or(0, |block| block.sum)
    }

    /// Whether any line of a block has an error as its result.
    pub(super) fn has_errors(&self, block: u64) -> bool {
        let block = self.blocks.get(&block);
        block.is_some_and(|block| block.has_errors)
    }

    /// The highest line number that has a result; 0 if there is none.
    pub(super) fn last(&self) -> u64 {
        self.last
    }
}

/// A line's contribution to its block's checksum. The digest is weighted by the line's position, so
/// that swapped lines change the sum.
pub(super) fn sum(place: u64, digest: u64) -> u64 {
    digest.wrapping_mul(2 * (place % BLOCK) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_counts_once() {
        let mut done = Done::default();
        let tag = |place| Tag {
            place,
            digest: place * 31,
            input_tokens: 2,
            output_tokens: 1,
        };
        for place in [1, 64, 5_000, 63] {
            assert!(!done.has(place));
            assert!(done.add(tag(place), place != 63));
            assert!(done.has(place));
            assert!(!done.add(tag(place), true));
        }
        assert!(!done.has(2) && !done.has(1 << 40));
        let counts = done.counts;
        assert_eq!((counts.done, counts.failed, counts.input_tokens), (3, 1, 8));
        assert_eq!(done.last(), 5_000);
        assert_eq!(done.sum_of(4), sum(5_000, 155_000));
        assert_eq!(done.sum_of(3), 0);
        assert!(done.has_errors(0) && !done.has_errors(4) && !done.has_errors(3));
    }

    #[test]
    fn a_number_that_is_too_large_costs_nothing() {
        let mut done = Done::default();
        for place in [u64::MAX, u64::MAX - 5_000, 1 << 60] {
            let tag = Tag {
                place,
                input_tokens: u64::MAX,
                output_tokens: u64::MAX,
                ..Tag::default()
            };
            assert!(done.add(tag, true) && done.has(place));
        }
        assert_eq!((done.last(), done.blocks.len()), (u64::MAX, 3));
        assert_eq!(done.counts.input_tokens, u64::MAX);
        assert_eq!(done.counts.output_tokens, u64::MAX);
    }

    #[test]
    fn lines_that_change_places_change_the_sum() {
        assert_ne!(
            sum(1, 7).wrapping_add(sum(2, 9)),
            sum(1, 9).wrapping_add(sum(2, 7))
        );
    }
}
