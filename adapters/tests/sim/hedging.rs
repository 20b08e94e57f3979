//! Hedging against a provider that is sometimes slow.
//!
//! The figures: `cargo test -p chatcore-adapters --no-default-features --features sim --test sim
//! hedging -- --nocapture`

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chatcore::{Hedging, LlmClientBuilder, WhenFull};
use chatcore_adapters::sim::{Latency, Sim, SimExecutor, SimTransport};

use crate::support::{assert_balanced, client, ms};

const CALLS: u64 = 10_000;

/// The 99.9th percentile of the latency, and how many requests were sent.
async fn p999(
    sim: Arc<SimExecutor>,
    streams: bool,
    shape: impl Fn(LlmClientBuilder) -> LlmClientBuilder,
) -> (Duration, u64) {
    // Most answers take 50 to 150 ms; one in 100 takes 10 s more.
    let transport = SimTransport::builder(&sim)
        .headers(Latency::Uniform {
            from: ms(50),
            to: ms(150),
        })
        .first_token(Latency::TwoPeaks {
            fast: Duration::ZERO,
            slow: ms(10_000),
            slow_share: 0.01,
        })
        .build();
    let client = shape(client(&sim, &transport)).workers(64).build().unwrap();
    let latencies = Arc::new(Mutex::new(Vec::new()));
    for _ in 0..CALLS {
        let call = client.chat_async("hi").when_full(WhenFull::Wait);
        let (latencies, clock) = (Arc::clone(&latencies), sim.clone());
        sim.spawn(async move {
            let began = clock.now();
            if streams {
                let mut stream = call.stream();
                stream.next_text().await.unwrap().unwrap();
                latencies.lock().unwrap().push(clock.now() - began);
                stream.into_response().await.unwrap();
            } else {
                call.await.unwrap();
                latencies.lock().unwrap().push(clock.now() - began);
            }
        });
        sim.sleep(ms(10)).await;
    }
    while client.status().succeeded < CALLS {
        sim.sleep(ms(100)).await;
    }
    sim.sleep(ms(11_000)).await;
    assert_balanced(&client);
    transport.assert_idle();
    let stats = transport.stats();
    // Of the two requests, one was read to its end and the other was dropped.
    assert_eq!(stats.completed, CALLS);
    assert_eq!(stats.dropped, stats.sent - CALLS);
    let mut latencies = std::mem::take(&mut *latencies.lock().unwrap());
    latencies.sort_unstable();
    (latencies[CALLS as usize * 999 / 1_000], stats.sent)
}

#[test]
fn the_slowest_are_ten_times_faster_for_5_percent_more_requests() {
    for streams in [false, true] {
        Sim::run_seeds(0..1, move |sim| async move {
            let seed = sim.seed();
            let (alone, sent) = p999(sim.clone(), streams, |builder| builder).await;
            assert_eq!(sent, CALLS);
            let (hedged, sent) = p999(sim, streams, |builder| {
                builder.hedging(Hedging::at_quantile(0.95))
            })
            .await;
            println!(
                "hedging, seed {seed}, streams {streams}: p99.9 {alone:?} to {hedged:?}, {:.2} % \
                 more requests",
                (sent - CALLS) as f64 / CALLS as f64 * 100.0
            );
            assert!(hedged * 10 <= alone, "{hedged:?} of {alone:?}");
            assert!((sent - CALLS) * 20 <= CALLS, "{sent}");
        });
    }
}
