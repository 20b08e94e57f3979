//! Which lines of the input have a result: a bitmap, and a check sum for each block of lines.

use chatcore::journal::Counts;

use super::tag::Tag;

/// How many lines share a check sum.
pub(super) const BLOCK: u64 = 1024;

/// Which lines of the input have a result. A line takes one bit, and a block of lines eight bytes.
#[derive(Debug, Default)]
pub(super) struct Done {
    bits: Vec<u64>,
    /// For each block, what the digests of its lines with a result add up to, in any order.
    sums: Vec<u64>,
    pub(super) counts: Counts,
    /// The last line that has a result.
    last: u64,
}

impl Done {
    /// Notes the result of a line; whether it is the first one.
    pub(super) fn add(&mut self, tag: Tag, is_answer: bool) -> bool {
        if !self.set(tag.place) {
            return false;
        }
        let block = (tag.place / BLOCK) as usize;
        if self.sums.len() <= block {
            self.sums.resize(block + 1, 0);
        }
        self.sums[block] = self.sums[block].wrapping_add(sum(tag.place, tag.digest));
        self.last = self.last.max(tag.place);
        let counts = &mut self.counts;
        match is_answer {
            true => counts.done += 1,
            false => counts.failed += 1,
        }
        counts.input_tokens += tag.input_tokens;
        counts.output_tokens += tag.output_tokens;
        true
    }

    fn set(&mut self, place: u64) -> bool {
        let (word, bit) = ((place / 64) as usize, 1 << (place % 64));
        if self.bits.len() <= word {
            // Grown by doubling, as a vector does.
            self.bits.resize(word + 1, 0);
        }
        let is_new = self.bits[word] & bit == 0;
        self.bits[word] |= bit;
        is_new
    }

    /// Whether a line has a result.
    pub(super) fn has(&self, place: u64) -> bool {
        let word = self.bits.get((place / 64) as usize);
        word.is_some_and(|word| word & (1 << (place % 64)) != 0)
    }

    /// The check sum of a block.
    pub(super) fn sum_of(&self, block: u64) -> u64 {
        self.sums.get(block as usize).copied().unwrap_or(0)
    }

    /// The last line that has a result; 0 where none has.
    pub(super) fn last(&self) -> u64 {
        self.last
    }
}

/// What a line adds to its block's check sum: its digest, at its place.
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
    }

    #[test]
    fn lines_that_change_places_change_the_sum() {
        assert_ne!(
            sum(1, 7).wrapping_add(sum(2, 9)),
            sum(1, 9).wrapping_add(sum(2, 7))
        );
    }
}
