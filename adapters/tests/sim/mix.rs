//! Random drops, faults, streams and closes. The counters always add up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use chatcore::{ChatCall, ChatEvent, Error, ErrorKind, LlmClient, Timeouts, WhenFull};
use chatcore_adapters::sim::{
    Fault, Latency, Limits, Script, Sim, SimExecutor, SimTransport, Window,
};
use futures_lite::future::or;

use crate::support::{assert_balanced, client, ms, secs};

/// The outcomes of the calls as their callers saw them.
#[derive(Debug, Default)]
struct Seen {
    succeeded: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
}

fn transport(sim: &SimExecutor) -> Arc<SimTransport> {
    let after_tokens = sim.random_below(4) as usize;
    let faults = [
        Fault::ConnectRefused,
        Fault::ConnectHangs,
        Fault::ResetBeforeHeaders,
        Fault::HeadersHang,
        Fault::Reset { after_tokens },
        Fault::Truncated { after_tokens },
        Fault::EndsEarly { after_tokens },
        Fault::Stalls { after_tokens },
        Fault::KeepAlives {
            after_tokens,
            every: ms(700),
        },
        Fault::ErrorEvent { after_tokens },
        Fault::StaysOpen,
        Fault::Status(500),
        Fault::Status(529),
        Fault::WrongContentType,
    ];
    let script = faults
        .into_iter()
        .fold(Script::new(), |script, fault| script.chance(0.03, fault));
    let limits = Limits::new()
        .requests_per_minute(60)
        .window(Window::Sliding)
        .concurrency(6, 503);
    SimTransport::builder(sim)
        .connect(Latency::Uniform {
            from: ms(5),
            to: ms(50),
        })
        .headers(Latency::TwoPeaks {
            fast: ms(20),
            slow: ms(2_000),
            slow_share: 0.1,
        })
        .first_token(Latency::Exponential { mean: ms(200) })
        .token(Latency::Exponential { mean: ms(20) })
        .limits(limits)
        .script(script)
        .build()
}

/// Reads a stream to its end, and sets `finished` when the whole answer has arrived.
async fn read(call: ChatCall, finished: &AtomicBool) -> Result<String, Error> {
    let mut stream = call.stream();
    let mut text = String::new();
    while let Some(event) = stream.next().await {
        let event = event?;
        finished.store(matches!(event, ChatEvent::Finish { .. }), Relaxed);
        text.push_str(event.as_text().unwrap_or_default());
    }
    Ok(text)
}

fn one_call(sim: &Arc<SimExecutor>, client: &LlmClient, number: u64, seen: &Arc<Seen>) {
    let prompt = format!("prompt {number} of many");
    let mut call = client.chat_async(prompt.clone());
    if sim.random_chance(0.5) {
        call = call.when_full(WhenFull::Wait);
    }
    let streams = sim.random_chance(0.5);
    let begins = sim.sleep(ms(sim.random_below(3_000)));
    let patience = match sim.random_chance(0.3) {
        true => sim.sleep(ms(sim.random_below(6_000))),
        false => sim.sleep(secs(1_000)),
    };
    let seen = Arc::clone(seen);
    sim.spawn(async move {
        begins.await;
        let finished = AtomicBool::new(false);
        let answering = async {
            Some(match streams {
                true => read(call, &finished).await,
                false => call.await.map(|answer| answer.text().into_owned()),
            })
        };
        let gives_up = async {
            patience.await;
            None
        };
        let count = match or(answering, gives_up).await {
            Some(Ok(text)) => {
                assert_eq!(text, format!("echo: {prompt}"), "the answer of another");
                &seen.succeeded
            }
            Some(Err(error)) => {
                assert_ne!(error.kind(), ErrorKind::Internal, "{error}");
                &seen.failed
            }
            // The whole answer was returned; only the end of the connection was not awaited.
            None if finished.load(Relaxed) => &seen.succeeded,
            None => &seen.dropped,
        };
        count.fetch_add(1, Relaxed);
    });
}

async fn scenario(sim: Arc<SimExecutor>) {
    let transport = transport(&sim);
    let mut limits = Timeouts::default();
    limits.overall = Some(secs(20));
    limits.connect = Some(secs(2));
    limits.byte_idle = Some(secs(3));
    limits.content_idle = Some(secs(4));
    limits.first_content = Some(secs(6));
    let client = client(&sim, &transport)
        .workers(4)
        .queue_size(8)
        .timeouts(limits)
        .max_attempts(3)
        .build()
        .unwrap();
    let seen = Arc::new(Seen::default());
    for number in 0..40 {
        one_call(&sim, &client, number, &seen);
    }
    if sim.random_chance(0.3) {
        sim.sleep(ms(sim.random_below(5_000))).await;
        client.close().await;
    } else {
        sim.sleep(secs(200)).await;
        client.close().await;
    }
    // Calls that were in backoff at the close end too.
    sim.sleep(secs(1_000)).await;

    assert_balanced(&client);
    let status = client.status();
    let [succeeded, failed, dropped] =
        [&seen.succeeded, &seen.failed, &seen.dropped].map(|count| count.load(Relaxed));
    assert_eq!(succeeded + failed + dropped, 40, "a call is lost");
    assert_eq!((status.succeeded, status.failed), (succeeded, failed));
    // A dropped call may have started or not.
    assert!(status.cancelled <= dropped);

    let stats = transport.stats();
    assert!(stats.max_working <= 4, "{stats:?}");
    transport.assert_idle();
    assert!(sim.pending_tasks().is_empty(), "{:?}", sim.pending_tasks());
    assert_eq!(sim.pending_timers(), 0);
}

#[test]
fn every_call_ends_once_and_nothing_is_left() {
    Sim::run_seeds(0..1_000, scenario);
}

#[test]
fn the_whole_client_repeats_to_the_byte() {
    let first = Sim::run_seeds(0..100, scenario);
    assert_eq!(first, Sim::run_seeds(0..100, scenario));
}

/// `cargo test --release -p chatcore-adapters --no-default-features --features sim --test sim --
/// --ignored --nocapture thousand_seeds`
#[test]
#[ignore = "long, for a release build"]
fn ten_thousand_seeds() {
    let runs = Sim::run_seeds(0..10_000, scenario).len();
    println!("faults, drops and closes: {runs} runs, every call ended once, nothing was left");
}

#[test]
#[ignore = "long, for a release build"]
fn a_thousand_seeds_repeat() {
    let first = Sim::run_seeds(0..1_000, scenario);
    assert_eq!(first, Sim::run_seeds(0..1_000, scenario));
    println!("the same trace hash twice: {} seeds", first.len());
}
