//! A provider that changes while the client runs.
//!
//! The figures: `cargo test -p chatcore-adapters --no-default-features --features sim --test sim
//! changes -- --nocapture`

use std::sync::Arc;

use chatcore::{Adaptive, RateLimits, WhenFull};
use chatcore_adapters::sim::{Fault, Latency, Limits, Script, Sim, SimTransport};

use crate::support::{assert_balanced, client, ms, secs};

/// The hidden limit falls to a quarter, then recovers.
#[test]
fn an_adaptive_limit_follows_one_that_moves() {
    for (high, low, seeds) in [(40, 10, 1), (20, 4, 3)] {
        Sim::run_seeds(0..seeds, move |sim| async move {
            let transport = SimTransport::builder(&sim)
                .connect(Latency::millis(10))
                .first_token(Latency::Uniform {
                    from: ms(500),
                    to: ms(1_500),
                })
                .limits(Limits::new().concurrency(high, 429))
                .build();
            let client = client(&sim, &transport)
                .adaptive(Adaptive::default())
                .max_attempts(3)
                .build()
                .unwrap();
            let until = sim.now() + secs(900);
            for _ in 0..2 * high {
                let (client, clock) = (client.clone(), sim.clone());
                sim.spawn(async move {
                    while clock.now() < until {
                        let call = client.chat_async("hi").when_full(WhenFull::Wait);
                        if call.await.is_err() {
                            clock.sleep(ms(100)).await;
                        }
                    }
                });
            }
            for hidden in [high, low, high] {
                transport.set_limits(Limits::new().concurrency(hidden, 429));
                // Two minutes to find the limit.
                sim.sleep(secs(120)).await;
                let before = transport.stats();
                sim.sleep(secs(180)).await;
                let after = transport.stats();
                let done = (after.completed - before.completed) as f64;
                let refused = after.refused_by_concurrency - before.refused_by_concurrency;
                let refused = refused as f64 / (after.arrived - before.arrived) as f64;
                let used = done / (180.0 * hidden as f64);
                if sim.seed() == 0 {
                    println!(
                        "adaptive, hidden limit now {hidden}: {:.1} % of it used, {:.2} % refused",
                        used * 100.0,
                        refused * 100.0
                    );
                }
                assert!(used >= 0.9, "{hidden}: {used}");
                assert!(refused < 0.02, "{hidden}: {refused}");
            }
            sim.sleep(secs(60)).await;
            assert_balanced(&client);
            transport.assert_idle();
        });
    }
}

/// The provider is down for 10 s during many calls. Afterwards everything continues as before.
#[test]
fn an_outage_ends_and_leaves_nothing_behind() {
    for fault in [
        Fault::Status(503),
        Fault::ConnectRefused,
        Fault::HeadersHang,
    ] {
        Sim::run_seeds(0..5, move |sim| async move {
            let transport = SimTransport::builder(&sim)
                .first_token(Latency::Exponential { mean: ms(300) })
                .build();
            let client = client(&sim, &transport)
                .workers(20)
                .queue_size(1_000)
                .timeout(secs(5))
                .max_attempts(3)
                .adaptive(Adaptive::default())
                .build()
                .unwrap();
            let mut before = client.status();
            for (phase, script) in [
                (0, Script::new()),
                (1, Script::new().always(fault)),
                (2, Script::new()),
                (3, Script::new()),
            ] {
                transport.set_script(script);
                for _ in 0..100 {
                    let call = client.chat_async("hi");
                    sim.spawn(async move { drop(call.await) });
                    sim.sleep(ms(100)).await;
                }
                sim.sleep(secs(10)).await;
                let now = client.status();
                let succeeded = now.succeeded - before.succeeded;
                match phase {
                    1 => assert_eq!(succeeded, 0),
                    // What waited when it ended may have been too late.
                    2 => assert!(succeeded >= 90, "{fault:?}: {succeeded}"),
                    _ => assert_eq!(succeeded, 100),
                }
                before = now;
            }
            assert_balanced(&client);
            transport.assert_idle();
        });
    }
}

/// If answers do not report their usage, the estimate stays counted.
#[test]
fn without_usage_the_estimate_stands() {
    let sent_in_a_minute = |script: Script| {
        let sim = Sim::new(7);
        let transport = SimTransport::builder(&sim).script(script).build();
        let client = client(&sim.executor(), &transport)
            .workers(1_000)
            .queue_size(1_000)
            .rate_limits(RateLimits::default().tokens_per_minute(6_000))
            .build()
            .unwrap();
        let client = Arc::new(client);
        sim.run(async {
            for _ in 0..600 {
                let client = Arc::clone(&client);
                sim.spawn(async move { drop(client.chat_async("hi").max_tokens(56).await) });
            }
            sim.sleep(secs(30)).await;
        });
        let sent = transport.stats().sent;
        // The other calls are dropped with the simulation.
        drop(sim);
        assert_balanced(&client);
        sent
    };
    let told = sent_in_a_minute(Script::new());
    let untold = sent_in_a_minute(Script::new().always(Fault::NoUsage));
    // An answer costs 3 tokens, but about 60 are estimated.
    assert_eq!(told, 600);
    assert!((80..=100).contains(&untold), "{untold}");
}
