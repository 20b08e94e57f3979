//! Tokens per minute: the client keeps within the provider's limit and uses all of it.
//!
//! The figures: `cargo test -p chatcore-adapters --no-default-features --features sim --test sim
//! tokens -- --nocapture`

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chatcore::{LlmClient, RateLimits, WhenFull};
use chatcore_adapters::sim::{
    Fault, Latency, Limits, Script, Sim, SimExecutor, SimTransport, SimTransportBuilder, Window,
};
use futures_lite::future::or;

use crate::support::{assert_balanced, client, ms, secs};

/// Words in a prompt. The answer repeats them after one word of its own.
const WORDS: u64 = 20;
/// The tokens that the provider counts for a request.
const TOKENS: u64 = WORDS + WORDS + 1;
/// How many requests fit in a minute.
const A_MINUTE: u64 = 100;
const LIMIT: u64 = TOKENS * A_MINUTE;
const WINDOWS: [Window; 3] = [Window::TokenBucket, Window::Fixed, Window::Sliding];

fn prompt() -> String {
    ["word"; WORDS as usize].join(" ")
}

/// A provider with the limit, and the times at which it admitted requests.
fn provider(sim: &SimExecutor, window: Window) -> (SimTransportBuilder, Arc<Mutex<Vec<Duration>>>) {
    let arrivals = Arc::new(Mutex::new(Vec::new()));
    let (seen, clock) = (Arc::clone(&arrivals), sim.clone());
    let limits = Limits::new().tokens_per_minute(LIMIT).window(window);
    let builder = SimTransport::builder(sim)
        .connect(Latency::Uniform {
            from: ms(1),
            to: ms(80),
        })
        .first_token(Latency::Exponential { mean: ms(500) })
        .limits(limits)
        .answer(move |ask| {
            seen.lock().unwrap().push(clock.now().since_epoch());
            format!("echo: {}", ask.prompt)
        });
    (builder, arrivals)
}

fn limited(sim: &Arc<SimExecutor>, transport: &Arc<SimTransport>) -> LlmClient {
    client(sim, transport)
        .workers(1_000)
        .queue_size(10_000)
        .rate_limits(RateLimits::default().tokens_per_minute(LIMIT))
        .timeout(secs(10_000))
        .build()
        .unwrap()
}

async fn drained(sim: &SimExecutor, client: &LlmClient, calls: u64) {
    loop {
        let status = client.status();
        if status.succeeded + status.failed + status.cancelled == calls {
            return;
        }
        sim.sleep(secs(1)).await;
    }
}

/// The estimate is 1.5 times what the provider counts. The excess is given back with each answer
/// and used again in the same minute.
#[test]
fn none_is_refused_at_98_percent_of_the_limit() {
    const MINUTES: u64 = 20;
    const CALLS: u64 = (MINUTES + 2) * A_MINUTE;
    for window in WINDOWS {
        let least = Arc::new(Mutex::new(f64::MAX));
        let seen = Arc::clone(&least);
        Sim::run_seeds(0..5, move |sim| {
            let seen = Arc::clone(&seen);
            async move {
                let (builder, arrivals) = provider(&sim, window);
                let transport = builder.build();
                let client = limited(&sim, &transport);
                for _ in 0..CALLS {
                    let call = client.chat_async(prompt()).max_tokens(36);
                    sim.spawn(async move {
                        call.await.unwrap();
                    });
                }
                drained(&sim, &client, CALLS).await;
                let stats = transport.stats();
                assert_eq!((stats.completed, stats.refused_by_rate), (CALLS, 0));
                assert_balanced(&client);
                transport.assert_idle();
                let arrivals = arrivals.lock().unwrap();
                let until = secs(60 * MINUTES);
                let arrived = arrivals.iter().filter(|&&at| at < until).count();
                let mut seen = seen.lock().unwrap();
                *seen = seen.min(arrived as f64 / (MINUTES * A_MINUTE) as f64);
            }
        });
        let used = *least.lock().unwrap();
        println!(
            "tokens, {window:?}: 0 refused at {:.1} % of the limit",
            used * 100.0
        );
        assert!(used >= 0.98, "{window:?}: {used}");
    }
}

/// Answers are four times as long as estimated. The debt delays later requests. The provider may
/// refuse some requests, but none is lost.
#[test]
fn an_estimate_that_is_too_low_loses_nothing() {
    for window in WINDOWS {
        Sim::run_seeds(0..20, move |sim| async move {
            let (builder, _) = provider(&sim, window);
            let transport = builder
                .answer(|_| ["word"; 1_024].join(" "))
                .limits(Limits::new().tokens_per_minute(8 * 1_044).window(window))
                .build();
            let client = client(&sim, &transport)
                .workers(1_000)
                .queue_size(10_000)
                .max_attempts(20)
                .rate_limits(RateLimits::default().tokens_per_minute(8 * 1_044))
                .timeout(secs(10_000))
                .build()
                .unwrap();
            for _ in 0..40 {
                let call = client.chat_async(prompt());
                sim.spawn(async move {
                    call.await.unwrap();
                });
                // Requests arrive one after another, so that each estimate learns from the answers
                // before.
                sim.sleep(secs(3)).await;
            }
            drained(&sim, &client, 40).await;
            let stats = transport.stats();
            assert_eq!((stats.completed, stats.early_retries), (40, 0));
            assert!(stats.refused_by_rate <= 8, "{window:?}: {stats:?}");
            assert_balanced(&client);
        });
    }
}

/// Calls that are dropped in the queue or fail before they are sent use no tokens.
#[test]
fn what_was_not_sent_is_given_back() {
    Sim::run_seeds(0..20, |sim| async move {
        let (builder, arrivals) = provider(&sim, Window::Sliding);
        // The first 100 requests never reach the provider.
        let script = (1..=A_MINUTE).fold(Script::new(), |script, number| {
            script.nth(number, Fault::ConnectRefused)
        });
        let transport = builder.script(script).build();
        let client = limited(&sim, &transport);
        for number in 0..3 * A_MINUTE {
            let call = client.chat_async(prompt()).max_tokens(21).into_future();
            let patience = sim.sleep(secs(1));
            sim.spawn(async move {
                // Two calls in three give up after a second.
                match number % 3 {
                    0 => drop(call.await),
                    _ => or(async { drop(call.await) }, patience).await,
                }
            });
        }
        drained(&sim, &client, 3 * A_MINUTE).await;
        // The estimate of each request is 48 tokens, so 85 fit in a window. 100 requests were
        // refused a connection and used no tokens. Of the others, a full window arrived at once,
        // and calls that gave up in the queue left no gap.
        let arrivals = arrivals.lock().unwrap();
        let at_once = arrivals.iter().filter(|&&at| at < secs(10)).count();
        assert!((85..=100).contains(&at_once), "{at_once}");
        assert_eq!(transport.stats().refused_by_rate, 0);
        let waited = client.status().cancelled;
        assert!(waited > 0);
        assert!(*arrivals.last().unwrap() <= secs(62), "{arrivals:?}");
        assert_balanced(&client);
    });
}

/// If an answer does not report its usage, the estimate stays counted.
#[test]
fn without_usage_the_estimate_stands() {
    Sim::run_seeds(0..20, |sim| async move {
        let (builder, _) = provider(&sim, Window::Sliding);
        // A stream without a finish event has no usage and fails. It is not retried here.
        let fault = Fault::Truncated { after_tokens: 5 };
        let transport = builder.script(Script::new().always(fault)).build();
        let client = limited(&sim, &transport);
        for _ in 0..2 * A_MINUTE {
            let call = client.chat_async(prompt()).max_tokens(36);
            sim.spawn(async move {
                call.await.unwrap_err();
            });
        }
        sim.sleep(secs(50)).await;
        let first = transport.stats().arrived;
        assert!(first < A_MINUTE, "{first} of estimated 60 tokens each");
        drained(&sim, &client, 2 * A_MINUTE).await;
        assert_eq!(transport.stats().refused_by_rate, 0);
    });
}

/// The provider's headers announce a lower limit than the settings. The client keeps to the lower
/// one.
#[test]
fn what_headers_say_only_tightens() {
    let sent_in_a_minute = |settings: u64| {
        let sim = Sim::new(7);
        let (builder, _) = provider(&sim.executor(), Window::Sliding);
        let transport = builder.build();
        let client = client(&sim.executor(), &transport)
            .workers(1_000)
            .queue_size(10_000)
            .rate_limits(RateLimits::default().tokens_per_minute(settings))
            .max_attempts(1)
            .build()
            .unwrap();
        sim.run(async {
            // The first answer brings the headers.
            client.chat_async(prompt()).max_tokens(21).await.unwrap();
            for _ in 0..3 * A_MINUTE {
                let call = client
                    .chat_async(prompt())
                    .max_tokens(21)
                    .when_full(WhenFull::Wait);
                sim.executor().spawn(async move { drop(call.await) });
            }
            sim.executor().sleep(secs(50)).await;
        });
        (transport.stats().arrived, transport.stats().refused_by_rate)
    };
    let (arrived, refused) = sent_in_a_minute(LIMIT / 2);
    assert!(arrived <= A_MINUTE / 2 + 1, "the settings hold: {arrived}");
    assert_eq!(refused, 0);
    let (arrived, refused) = sent_in_a_minute(LIMIT * 3);
    assert!(
        (A_MINUTE - 2..=A_MINUTE + 2).contains(&arrived),
        "{arrived}"
    );
    assert!(refused <= 2, "the headers hold: {refused}");
}
