//! What a call allocates, and what it holds while it waits. `--bench memory` and `--bench chat`
//! print the same figures. They are counted, not timed, so they are the same on all machines with
//! the same word size.
//!
//! They have a process of their own, because a logger that another test installs makes each call
//! allocate more.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy does not know the shared cases of the benchmarks as tests"
)]

#[path = "../benches/cases/mod.rs"]
mod cases;

/// The most bytes that a waiting call may hold: slightly more than the current figures.
const WAITING: [(&str, i64); 4] = [
    ("for its headers", 2_500),
    ("for its headers, with all policies", 3_450),
    ("in its stream", 4_050),
    ("in its stream, with all policies", 4_200),
];

#[test]
#[cfg(target_pointer_width = "64")]
fn a_call_that_waits_holds_little() {
    assert_eq!(WAITING.map(|(name, _)| name), cases::WAITING);
    for (name, most) in WAITING {
        // A call made earlier allocates what each client needs only once.
        let call = cases::waiting(name);
        drop(call());
        let mut held = None;
        let counted = allocation_counter::measure(|| held = Some(call()));
        let bytes = counted.bytes_current;
        println!("{name}: {bytes} bytes");
        assert!(bytes <= most, "{name}: {bytes} bytes, at most {most}");
    }
}

#[test]
fn a_chat_allocates_seldom() {
    for (name, most) in [("openai", 36), ("anthropic", 48)] {
        let chat = cases::chat(name);
        chat();
        let count = allocation_counter::measure(chat).count_total;
        assert!(count <= most, "{name}: {count} allocations, at most {most}");
    }
}
