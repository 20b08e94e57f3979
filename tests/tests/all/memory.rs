//! What a call allocates, and what it holds while it waits. `--bench memory` and `--bench chat` print
//! the same figures. Counted, not timed: they are the same on every machine of one word size.

#[path = "../../benches/cases/mod.rs"]
mod cases;

/// Bytes that a waiting call may hold: a little above today's figures.
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
        // What is made once for each client is made before, by another call.
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
