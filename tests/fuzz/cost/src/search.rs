//! Changes answers at random to make them cost more.

use chatcore::Dialect;

use crate::genome::Genome;
use crate::{SIZE, cost};

/// How many of the most expensive answers are changed further.
const KEPT: usize = 32;

/// A small random number generator with a fixed sequence: splitmix64.
pub struct Random(u64);

impl Random {
    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end as u64) as usize
    }
}

/// The most expensive answer found from each starting point, with its cost per byte, the highest
/// cost first.
pub fn worst(dialect: &dyn Dialect, rounds: usize) -> Vec<(Genome, f64)> {
    // `CHATCORE_SEED` changes the search.
    let seed = std::env::var("CHATCORE_SEED").map_or(1, |seed| seed.parse().unwrap());
    let mut random = Random(seed);
    let begin = begin();
    let each = rounds / begin.len();
    let found = begin
        .into_iter()
        .map(|genome| island(dialect, genome, each, &mut random));
    let mut found: Vec<_> = found.collect();
    found.sort_by(|left, right| right.1.total_cmp(&left.1));
    found
}

/// The most expensive answer found from one starting point.
fn island(
    dialect: &dyn Dialect,
    begin: Genome,
    rounds: usize,
    random: &mut Random,
) -> (Genome, f64) {
    let price = |genome: &Genome| {
        let body = genome.build(SIZE);
        cost(dialect, 200, &body) as f64 / body.len().max(SIZE) as f64
    };
    let mut best = vec![(price(&begin), begin)];
    for _ in 0..rounds {
        let parent = &best[random.below(best.len())].1;
        let child = match random.below(4) {
            0 => parent.crossed(&best[random.below(best.len())].1, random),
            _ => parent.changed(random),
        };
        let price = price(&child);
        // Keeps one answer per cost, because answers of equal cost are usually variants of each
        // other.
        let Err(at) = best.binary_search_by(|(known, _)| price.total_cmp(known)) else {
            continue;
        };
        best.insert(at, (price, child));
        best.truncate(KEPT);
    }
    let (price, genome) = best.swap_remove(0);
    (genome, price)
}

/// The starting points of the search.
fn begin() -> Vec<Genome> {
    [
        ("", "data: {}\n\n", ""),
        ("data: {", "\"#\":1,", "\"a\":1}\n\n"),
        ("{", "\"#\":1,", "\"a\":1}"),
        ("data: {\"choices\":[", "{},", "{}]}\n\n"),
        ("data: {\"choices\":[{\"delta\":{", "\"#\":1,", "\"a\":1}}]}\n\n"),
        ("", "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n", ""),
        (
            "",
            "data: {\"type\":\"content_block_start\",\"index\":#,\"content_block\":{\"type\":\"text\"}}\n\n",
            "",
        ),
        ("{\"content\":[", "{},", "{}]}"),
    ]
    .map(|(begin, unit, end)| Genome::of(begin, unit, end))
    .into()
}
