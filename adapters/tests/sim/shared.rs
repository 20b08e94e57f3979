//! Limits per minute that five clients share: together they use nearly all of them, and nothing is
//! refused.
//!
//! The figures: `cargo test -p chatcore-adapters --no-default-features --features
//! sim,journal-memory --test sim shared -- --nocapture`

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chatcore::{LlmClient, RateLimits, SharedLimits};
use chatcore_adapters::journal::MemoryLimits;
use chatcore_adapters::sim::{Latency, Limits, Sim, SimExecutor, SimTransport, Window};

use crate::support::{assert_balanced, client, ms, secs};

const WORKERS: usize = 5;

/// Five clients with these limits, each with this many calls, at a provider that refuses what is
/// beyond them. Returns how many calls came after the first minute, how long those took, and how
/// many were refused.
async fn run(
    sim: Arc<SimExecutor>,
    provider: Limits,
    limits: Arc<dyn SharedLimits>,
    calls: [usize; WORKERS],
) -> (Vec<Duration>, u64) {
    let arrivals = Arc::new(Mutex::new(Vec::new()));
    let (seen, clock) = (Arc::clone(&arrivals), sim.clone());
    let transport = SimTransport::builder(&sim)
        .connect(Latency::Uniform {
            from: ms(1),
            to: ms(80),
        })
        .headers(Latency::Exponential { mean: ms(500) })
        .limits(provider)
        .answer(move |ask| {
            seen.lock().unwrap().push(clock.now().since_epoch());
            ask.prompt.clone()
        })
        .build();
    let clients: Vec<LlmClient> = (0..WORKERS)
        .map(|_| {
            client(&sim, &transport)
                .workers(100)
                .shared_limits(Arc::clone(&limits))
                .queue_size(10_000)
                .build()
                .unwrap()
        })
        .collect();
    for (client, calls) in clients.iter().zip(calls) {
        for number in 0..calls {
            let client = client.clone();
            sim.spawn(async move {
                // A refusal is counted by the provider.
                let _ = client.chat_async(number.to_string()).await;
            });
        }
    }
    let all: usize = calls.iter().sum();
    sim.sleep(ms(1)).await;
    let ended = |client: &LlmClient| {
        let status = client.status();
        (status.succeeded + status.failed) as usize
    };
    while clients.iter().map(ended).sum::<usize>() < all {
        sim.sleep(ms(100)).await;
    }
    clients.iter().for_each(assert_balanced);
    transport.assert_idle();
    let arrivals = arrivals.lock().unwrap().clone();
    (arrivals, transport.stats().refused_by_rate)
}

#[test]
fn five_clients_share_requests_per_minute() {
    for window in [Window::TokenBucket, Window::Fixed, Window::Sliding] {
        for limit in [60, 600] {
            Sim::run_seeds(0..6, |sim| async move {
                let provider = Limits::new().requests_per_minute(limit).window(window);
                let limits = MemoryLimits::new(sim.clone(), Some(limit), None);
                // Not all of them have equally much to do.
                let calls = [2, 1, 1, 1, 1].map(|part| part * limit as usize / 2);
                let seed = sim.seed();
                let (arrivals, refused) = run(sim, provider, Arc::new(limits), calls).await;
                let took = arrivals.last().unwrap().as_secs_f64();
                let share = arrivals.len() as f64 / limit as f64 / (took / 60.0);
                if seed == 0 {
                    println!(
                        "{limit} requests a minute, {window:?}: {refused} refused at {:.1} % of \
                         the limit",
                        share * 100.0
                    );
                }
                assert_eq!(refused, 0, "{limit} {window:?}");
                assert!((0.95..=1.0).contains(&share), "{limit} {window:?}: {share}");
            });
        }
    }
}

#[test]
fn five_clients_share_tokens_per_minute() {
    Sim::run_seeds(0..6, |sim| async move {
        // Each call is estimated at a few tokens and 256 of answer, and uses fewer.
        let limit = 60_000;
        let provider = Limits::new()
            .tokens_per_minute(limit)
            .window(Window::TokenBucket);
        let limits = MemoryLimits::new(sim.clone(), None, Some(limit));
        let (arrivals, refused) = run(sim, provider, Arc::new(limits), [200; WORKERS]).await;
        assert_eq!((arrivals.len(), refused), (1_000, 0));
    });
}

#[test]
fn a_client_that_leaves_leaves_the_limit_to_the_others() {
    Sim::run_seeds(0..6, |sim| async move {
        let limits = Arc::new(MemoryLimits::new(sim.clone(), Some(60), None));
        let transport = SimTransport::builder(&sim)
            .headers(Latency::millis(100))
            .build();
        let make = || {
            client(&sim, &transport)
                .workers(100)
                .shared_limits(limits.clone())
                .build()
                .unwrap()
        };
        let (one, other) = (make(), make());
        // Its calls wait for the limit when they are dropped.
        for number in 0..20 {
            let mut call = Box::pin(one.chat_async(number.to_string()).into_future());
            assert!(futures_lite::future::poll_once(&mut call).await.is_none());
        }
        drop(one);
        let began = sim.now();
        for number in 0..20 {
            other.chat_async(number.to_string()).await.unwrap();
        }
        let took = sim.now() - began;
        assert!(took < secs(30), "{took:?}");
        assert_balanced(&other);
    });
}

#[test]
fn the_clients_own_limits_hold_beside_the_shared_ones() {
    Sim::run_seeds(0..3, |sim| async move {
        let limits = MemoryLimits::new(sim.clone(), Some(6_000), None);
        let transport = SimTransport::builder(&sim)
            .headers(Latency::millis(10))
            .build();
        let client = client(&sim, &transport)
            .rate_limits(RateLimits::default().requests_per_minute(10))
            .shared_limits(Arc::new(limits))
            .build()
            .unwrap();
        let began = sim.now();
        for number in 0..11 {
            client.chat_async(number.to_string()).await.unwrap();
        }
        assert!(sim.now() - began >= secs(60));
    });
}
