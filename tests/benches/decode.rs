//! How fast answers are decoded: `cargo bench -p chatcore-tests --bench decode`.
//!
//! `events` and `one_line` measure only the framing, from bytes to server-sent events. The work for
//! a line is proportional to its length, in whatever pieces it arrives (a unit test of `frame::sse`
//! counts it). So the rate of `one_line` for 8 MiB and for 1 MiB differs only because of the CPU's
//! caches, not by a factor of eight. `answers` measures whole answers and streams, from bytes to
//! the response.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark that cannot go on must stop"
)]

mod cases;

use bytes::Bytes;
use chatcore::dialect::OpenAiChat;
use chatcore::frame::Sse;
use chatcore::{Caps, Dialect, Fold, Mode};
use divan::counter::BytesCount;
use divan::{Bencher, black_box};

const MIB: usize = 1 << 20;

fn main() {
    divan::main();
}

/// Events of `size` bytes, in pieces of `piece` bytes.
#[divan::bench(args = [
    (64, 1024), (64, 64 * 1024),
    (1024, 1024), (1024, 16 * 1024), (1024, 64 * 1024), (1024, MIB),
    (16 * 1024, 1024), (16 * 1024, 64 * 1024),
])]
fn events(bencher: Bencher<'_, '_>, (size, piece): (usize, usize)) {
    let event = format!("data: {}\n\n", "x".repeat(size - 8));
    let body = Bytes::from(event.repeat(8 * MIB / size));
    let bencher = bencher.counter(BytesCount::new(body.len()));
    bencher.bench_local(|| assert_eq!(frames(&body, piece), 8 * MIB / size));
}

/// One event of this many MiB, in pieces of `piece` bytes.
#[divan::bench(sample_count = 10, args = [
    (1, 1), (8, 1), (1, 1024), (8, 1024), (1, 64 * 1024), (8, 64 * 1024),
])]
fn one_line(bencher: Bencher<'_, '_>, (mebibytes, piece): (usize, usize)) {
    let body = format!("data: {}\n\n", "x".repeat(mebibytes * MIB));
    let body = Bytes::from(body);
    let bencher = bencher.counter(BytesCount::new(body.len()));
    bencher.bench_local(|| assert_eq!(frames(&body, piece), 1));
}

/// Counts the events in `body`.
fn frames(body: &Bytes, piece: usize) -> usize {
    let mut sse = Sse::new(16 * MIB);
    let mut events = 0;
    for at in (0..body.len()).step_by(piece) {
        sse.feed(body.slice(at..body.len().min(at + piece)));
        while let Some(event) = sse.next_event().unwrap() {
            black_box(event);
            events += 1;
        }
    }
    events
}

#[divan::bench(args = cases::ANSWERS)]
fn answers(bencher: Bencher<'_, '_>, name: &str) {
    let (dialect, pieces) = cases::answer(name);
    let head = http::Response::new(()).into_parts().0;
    let size: usize = pieces.iter().map(Bytes::len).sum();
    bencher.counter(BytesCount::new(size)).bench_local(|| {
        let mut decoder = dialect.decoder(&head, Mode::Stream, Caps::default());
        let mut fold = Fold::new();
        for piece in pieces.iter() {
            decoder.feed(piece.clone());
            while let Some(event) = decoder.next_event().unwrap() {
                fold.push(event);
            }
        }
        decoder.end();
        while let Some(event) = decoder.next_event().unwrap() {
            fold.push(event);
        }
        fold.finish()
    });
}

/// How many floats an embedding of OpenAI's small model has.
const FLOATS: usize = 1536;

/// Floats like those of an embedding, the same in each run.
fn floats() -> Vec<f64> {
    let mut seed = 7_u64;
    let float = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        // Servers send f32 values in decimal digits.
        let unit = (seed >> 40) as f32 / (1 << 24) as f32;
        f64::from(unit - 0.5)
    };
    std::iter::repeat_with(float).take(FLOATS).collect()
}

/// chatcore reads the floats of an embedding.
#[divan::bench]
fn floats_read(bencher: Bencher<'_, '_>) {
    let text = serde_json::to_string(&floats()).unwrap();
    bencher.bench_local(|| chatcore::json::parse(black_box(&text)).unwrap());
}

/// `serde_json` reads the same floats.
#[divan::bench]
fn floats_read_by_serde_json(bencher: Bencher<'_, '_>) {
    let text = serde_json::to_string(&floats()).unwrap();
    bencher.bench_local(|| serde_json::from_str::<serde_json::Value>(black_box(&text)).unwrap());
}

/// The answer to a request for embeddings, with one vector.
fn embedding() -> String {
    let floats = serde_json::to_string(&floats()).unwrap();
    format!(
        r#"{{"object":"list","data":[{{"object":"embedding","index":0,"embedding":{floats}}}],"model":"m","usage":{{"prompt_tokens":8,"total_tokens":8}}}}"#
    )
}

/// chatcore reads an embedding, from bytes to a vector of 32-bit floats.
#[divan::bench]
fn embedding_read(bencher: Bencher<'_, '_>) {
    let body = embedding();
    let dialect = OpenAiChat::default();
    let embeddings = dialect.embeddings().unwrap();
    bencher.bench_local(|| embeddings.decode(black_box(&body), 1).unwrap());
}

/// `serde_json` reads the same embedding into structs.
#[divan::bench]
fn embedding_read_by_serde_json(bencher: Bencher<'_, '_>) {
    #[derive(serde::Deserialize)]
    struct Answer {
        data: Vec<Item>,
    }
    #[derive(serde::Deserialize)]
    struct Item {
        embedding: Vec<f32>,
    }
    let body = embedding();
    bencher.bench_local(|| {
        let answer: Answer = serde_json::from_str(black_box(&body)).unwrap();
        answer
            .data
            .into_iter()
            .map(|item| item.embedding)
            .collect::<Vec<_>>()
    });
}

/// chatcore writes the floats.
#[divan::bench]
fn floats_written(bencher: Bencher<'_, '_>) {
    let floats = floats();
    bencher.bench_local(|| {
        let mut writer = chatcore::json::Writer::default();
        writer.open('[');
        for float in black_box(&floats) {
            writer.float(*float);
        }
        writer.close(']');
        writer.into_bytes()
    });
}

/// `serde_json` writes the same floats.
#[divan::bench]
fn floats_written_by_serde_json(bencher: Bencher<'_, '_>) {
    let floats = floats();
    bencher.bench_local(|| serde_json::to_vec(black_box(&floats)).unwrap());
}
