//! Whatever a server sends, its cost in memory and work is proportional to its length. The
//! benchmark `worst` measures the time of the same cases.

use bytes::Bytes;
use chatcore::dialect::{Anthropic, Gemini, OpenAiChat, OpenAiResponses};
use chatcore::{Dialect, ErrorKind};
use chatcore_tests::worst::{cases, decode};

const SIZE: usize = 256 << 10;

#[test]
fn memory_is_at_most_sixteen_times_what_came() {
    let mut over = Vec::new();
    for case in cases() {
        let body = Bytes::from((case.make)(SIZE));
        let held = allocation_counter::measure(|| drop(case.decode(body.clone())));
        let times = held.bytes_max as f64 / body.len() as f64;
        if times > 16.0 {
            over.push(format!("{}: {times:.1}", case.name));
        }
    }
    assert!(over.is_empty(), "{}", over.join("\n"));
}

#[test]
fn twice_the_input_allocates_twice_as_much_at_most() {
    let mut over = Vec::new();
    for case in cases() {
        let work = |size: usize| {
            let body = Bytes::from((case.make)(size));
            let counted = allocation_counter::measure(|| drop(case.decode(body.clone())));
            // An allocation costs about as much as copying 500 bytes.
            counted.bytes_total + 500 * counted.count_total
        };
        let (one, two) = (work(SIZE), work(2 * SIZE));
        if two > one * 22 / 10 + 100_000 {
            over.push(format!("{}: {one} and {two}", case.name));
        }
    }
    assert!(over.is_empty(), "{}", over.join("\n"));
}

/// Runs on a small stack, as an embedder's thread may have.
#[test]
fn no_depth_uses_up_the_stack() {
    let small = std::thread::Builder::new().stack_size(512 << 10);
    let thread = small.spawn(|| {
        let is_nested = |name: &str| name.contains("nested");
        for case in cases().filter(|case| is_nested(case.name) || case.name.contains("deep")) {
            let (_, error) = case.decode((case.make)(SIZE).into());
            if !is_nested(case.name) || case.status != 200 {
                continue;
            }
            let at_the_cap = (case.make)((16 << 20) - 1024);
            for error in [error, case.decode(at_the_cap.into()).1] {
                let error = error.unwrap();
                assert_eq!(error.kind(), ErrorKind::Protocol, "{}: {error}", case.name);
            }
        }
    });
    thread.unwrap().join().unwrap();
}

#[test]
fn pieces_of_any_size_are_read_with_work_by_their_length() {
    for dialect in [
        &OpenAiChat::default() as &dyn Dialect,
        &OpenAiResponses::default(),
        &Anthropic::default(),
        &Gemini::default(),
    ] {
        for body in ["data: {\"a\":\"", "{\"a\":\"", "data: [\ndata: ", "{\n"] {
            let long = Bytes::from(format!("{body}{}", "x".repeat(SIZE)));
            let work = |piece: usize| {
                let pieces = (0..long.len()).step_by(piece);
                let pieces = pieces.map(|at| long.slice(at..long.len().min(at + piece)));
                let counted = allocation_counter::measure(|| drop(decode(dialect, 200, pieces)));
                counted.bytes_total
            };
            let (whole, split) = (work(usize::MAX >> 1), work(7));
            assert!(
                split < whole + 8 * SIZE as u64,
                "{body:?}: {whole} and {split}"
            );
        }
    }
}
