//! How fast answers are decoded: `cargo bench -p chatcore-tests --bench decode`.

#![allow(clippy::print_stdout, reason = "it prints figures")]

use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use chatcore::dialect::OpenAiChat;
use chatcore::frame::Sse;
use chatcore::{Caps, Dialect, Fold, Mode};
use serde_json::json;

type Outcome = Result<(), chatcore::Error>;

fn main() -> Outcome {
    for size in [64, 1024, 16 * 1024] {
        for piece in [1024, 16 * 1024, 1 << 20] {
            frames(size, piece)?;
        }
    }
    answers()
}

/// The best of some runs, in seconds.
fn best(runs: u32, mut run: impl FnMut() -> Outcome) -> Result<f64, chatcore::Error> {
    let mut best = f64::MAX;
    for _ in 0..runs {
        let start = Instant::now();
        run()?;
        best = best.min(start.elapsed().as_secs_f64());
    }
    Ok(best)
}

/// Events of `size` bytes, in pieces of `piece` bytes.
fn frames(size: usize, piece: usize) -> Outcome {
    let event = format!("data: {}\n\n", "x".repeat(size - 8));
    let body = Bytes::from(event.repeat((64 << 20) / size));
    let seconds = best(3, || {
        let mut sse = Sse::new(1 << 20);
        for at in (0..body.len()).step_by(piece) {
            sse.feed(body.slice(at..body.len().min(at + piece)));
            while let Some(event) = sse.next_event()? {
                black_box(event);
            }
        }
        Ok(())
    })?;
    let rate = body.len() as f64 / seconds / 1e9;
    println!("events of {size} bytes in pieces of {piece}: {rate:.2} GB/s");
    Ok(())
}

/// Whole answers and chunks of streams, decoded and folded.
fn answers() -> Outcome {
    let whole = json!({"id": "chatcmpl-123", "object": "chat.completion", "created": 1,
        "model": "deepseek-chat", "system_fingerprint": "fp_1", "choices": [{"index": 0,
        "message": {"role": "assistant", "content": "The sky is blue. ".repeat(14)},
        "logprobs": null, "finish_reason": "stop"}], "usage": {"prompt_tokens": 12,
        "completion_tokens": 60, "total_tokens": 72, "prompt_tokens_details": {"cached_tokens": 0},
        "prompt_cache_hit_tokens": 0, "prompt_cache_miss_tokens": 12}});
    answer("a whole answer", 1, whole.to_string())?;

    let chunk = json!({"id": "chatcmpl-123", "object": "chat.completion.chunk", "created": 1,
        "model": "deepseek-chat", "system_fingerprint": "fp_1", "choices": [{"index": 0,
        "delta": {"content": " blue"}, "logprobs": null, "finish_reason": null}]});
    let mut stream = format!("data: {chunk}\n\n").repeat(1000);
    stream.push_str("data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n");
    stream.push_str("data: [DONE]\n\n");
    answer("a chunk of a stream", 1000, stream)
}

fn answer(what: &str, per: usize, body: String) -> Outcome {
    let body = Bytes::from(body);
    let head = http::Response::new(()).into_parts().0;
    let dialect = OpenAiChat::default();
    let rounds = 2_000_000 / body.len() + 1;
    let seconds = best(5, || {
        for _ in 0..rounds {
            let mut decoder = dialect.decoder(&head, Mode::Stream, Caps::default());
            let mut fold = Fold::new();
            decoder.feed(body.clone());
            decoder.end();
            while let Some(event) = decoder.next_event()? {
                fold.push(event);
            }
            black_box(fold.finish());
        }
        Ok(())
    })?;
    let each = seconds / rounds as f64 / per as f64 * 1e9;
    println!(
        "{what}, decoded and folded: {each:.0} ns, {} bytes",
        body.len() / per
    );
    Ok(())
}
