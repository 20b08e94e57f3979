//! The worst that a server can send: `cargo bench -p chatcore-tests --bench worst`.
//!
//! Reads each case at 0.25, 0.5, 1 and 2 MB. Prints the milliseconds of CPU time, the factor for
//! doubling the input (averaged from 0.5 to 2 MB), and the peak memory per byte of input. Fails if
//! 1 MB takes more than 100 ms, if doubling the input takes more than 2.2 times as long, or if a
//! byte needs more than 16 bytes of memory. Words after `--` select cases by name.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "it prints figures, and a benchmark that cannot go on must stop"
)]

use std::time::Duration;

use bytes::Bytes;
use chatcore_tests::worst::{Case, cases};
use cpu_time::ThreadTime;

const SIZES: [usize; 4] = [256 << 10, 512 << 10, 1 << 20, 2 << 20];

/// How often each case is read. The shortest time counts, because other programs only add time.
const ROUNDS: usize = 7;

fn main() {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let is_chosen =
        |case: &&Case| words.is_empty() || words.iter().any(|word| case.name.contains(word));
    println!(
        "{:52} {:>8} {:>8} {:>8} {:>8} {:>7} {:>7}",
        "milliseconds at", "0.25 MB", "0.5 MB", "1 MB", "2 MB", "slope", "memory"
    );
    let mut worst = Vec::new();
    for case in cases().filter(is_chosen) {
        let (times, memory) = measure(case);
        let ms = times.map(|time| time.as_secs_f64() * 1e3);
        let slope = (ms[3] / ms[1]).sqrt();
        println!(
            "{:52} {:8.2} {:8.2} {:8.2} {:8.2} {slope:7.2} {memory:7.1}",
            case.name, ms[0], ms[1], ms[2], ms[3]
        );
        // Cases under a millisecond are too short to judge.
        let is_steep = slope > 2.2 && ms[3] > 1.0;
        if ms[2] > 100.0 || is_steep || memory > 16.0 {
            worst.push(case.name);
        }
    }
    assert!(worst.is_empty(), "beyond the bars: {worst:?}");
}

/// The shortest time at each size, and the peak memory per byte.
fn measure(case: &Case) -> ([Duration; 4], f64) {
    let mut memory = 0.0_f64;
    let times = SIZES.map(|size| {
        let body = Bytes::from((case.make)(size));
        let held = allocation_counter::measure(|| drop(case.decode(body.clone())));
        memory = memory.max(held.bytes_max as f64 / body.len() as f64);
        let rounds = (0..ROUNDS).map(|_| {
            let began = ThreadTime::now();
            drop(case.decode(body.clone()));
            began.elapsed()
        });
        rounds.min().unwrap_or_default()
    });
    (times, memory)
}
