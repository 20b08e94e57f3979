//! Ways to split bytes.

/// A small random number generator: splitmix64.
pub(super) struct Random(u64);

impl Random {
    /// Seeded with `CHATCORE_SEED`, or else with the time. The seed is printed, so that a failure
    /// can be repeated.
    pub(super) fn new() -> Self {
        let seed = std::env::var("CHATCORE_SEED").map_or_else(
            |_| {
                std::time::SystemTime::now()
                    .duration_since(std::time::UNIX_EPOCH)
                    .map_or(1, |time| time.subsec_nanos().into())
            },
            |seed| seed.parse().unwrap(),
        );
        println!("CHATCORE_SEED={seed}");
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    /// Splits `bytes` into pieces of random sizes from 1 to `most`.
    pub(super) fn pieces<'a>(&mut self, mut bytes: &'a [u8], most: u64) -> Vec<&'a [u8]> {
        let mut pieces = Vec::new();
        while !bytes.is_empty() {
            let size = usize::try_from(self.next() % most).unwrap() + 1;
            let (piece, rest) = bytes.split_at(size.min(bytes.len()));
            pieces.push(piece);
            bytes = rest;
        }
        pieces
    }
}
