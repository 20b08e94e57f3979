//! The random numbers of a run: splitmix64, which is eight lines long, fast, and the same on every
//! platform.

/// A seeded random number generator (splitmix64, by Sebastiano Vigna). Not for secrets.
#[derive(Clone, Debug)]
pub(super) struct Rng(u64);

impl Rng {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }
}

/// Maps any number to one below `bound`; to 0 if `bound` is 0. The bias is below `bound` in 2⁶⁴.
pub(super) fn below(number: u64, bound: u64) -> u64 {
    ((u128::from(number) * u128::from(bound)) >> 64) as u64
}

/// Maps any number to one from 0 to below 1.
pub(super) fn unit(number: u64) -> f64 {
    (number >> 11) as f64 / (1_u64 << 53) as f64
}

/// Mixes the bits of a number (splitmix64's finalizer).
pub(super) fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_sequence() {
        // The first outputs of splitmix64 for the seed 1234567.
        let mut rng = Rng::new(1_234_567);
        assert_eq!(rng.next(), 6_457_827_717_110_365_317);
        assert_eq!(rng.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn bounds_hold_and_all_is_reached() {
        let mut rng = Rng::new(7);
        let mut seen = [0_u32; 10];
        for _ in 0..10_000 {
            seen[below(rng.next(), 10) as usize] += 1;
            assert!((0.0..1.0).contains(&unit(rng.next())));
        }
        assert!(seen.iter().all(|&count| count > 850), "{seen:?}");
        assert_eq!(below(rng.next(), 0), 0);
    }
}
