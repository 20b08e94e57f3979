//! The core's own cost of one chat: `cargo bench -p chatcore-tests --bench chat`.
//!
//! Checks, encoding, admission, decoding and folding, and beside the time the allocations. The
//! time is that of the machine at this moment; `--bench instructions` gives what does not depend
//! on it.

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
