//! The core's own cost of one chat: `cargo bench -p chatcore-tests --bench chat`.
//!
//! Measures time and allocations of validation, encoding, admission, decoding and folding. The time
//! depends on how busy the machine is; `--bench instructions` gives figures that do not.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark that cannot go on must stop"
)]

mod cases;

use divan::{AllocProfiler, Bencher};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

#[divan::bench(args = cases::NAMES)]
fn chat(bencher: Bencher<'_, '_>, name: &str) {
    bencher.bench_local(cases::chat(name));
}
