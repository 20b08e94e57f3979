//! What a call in flight holds: `cargo bench -p chatcore-tests --bench memory`.
//!
//! The bytes and allocations that are alive while a call waits, for its headers or in the middle of
//! its stream. The transport is in memory, so a socket's memory comes on top. The counts are the
//! same on all machines with the same word size.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "it prints figures, and a benchmark that cannot go on must stop"
)]

mod cases;

fn main() {
    println!(
        "{:34} {:>8} {:>12}",
        "a call that waits", "bytes", "allocations"
    );
    for name in cases::WAITING {
        // A call made earlier allocates what each client needs only once.
        let call = cases::waiting(name);
        drop(call());
        let mut held = None;
        let counted = allocation_counter::measure(|| held = Some(call()));
        println!(
            "{name:34} {:8} {:12}",
            counted.bytes_current, counted.count_current
        );
        drop(held);
    }
}
