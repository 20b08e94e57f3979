//! Adaptive concurrency against a limit that the provider does not announce.
//!
//! The figures: `cargo test -p chatcore-adapters --no-default-features --features sim --test sim
//! adaptive -- --nocapture`

use std::sync::{Arc, Mutex};

use chatcore::{Adaptive, WhenFull};
use chatcore_adapters::sim::{Latency, Limits, Sim, SimExecutor, SimTransport};

use crate::support::{assert_balanced, client, ms, secs};

/// Time to find the limit, in seconds.
const WARM_UP: u64 = 120;
/// How long the steady state is measured after that, in seconds.
const STEADY: u64 = 300;

/// Runs a client that has more to send than the provider accepts. Returns the share of the limit
/// that the client uses, and the share of its requests that are refused, both in the steady state.
async fn steady(sim: Arc<SimExecutor>, hidden: usize, status: u16) -> (f64, f64) {
    // Each answer takes about a second.
    let transport = SimTransport::builder(&sim)
        .connect(Latency::millis(10))
        .first_token(Latency::Uniform {
            from: ms(500),
            to: ms(1_480),
        })
        .limits(Limits::new().concurrency(hidden, status))
        .build();
    let client = client(&sim, &transport)
        .adaptive(Adaptive::default())
        .max_attempts(3)
        .build()
        .unwrap();
    let until = sim.now() + secs(WARM_UP + STEADY);
    for _ in 0..2 * hidden {
        let (client, sim) = (client.clone(), sim.clone());
        sim.clone().spawn(async move {
            while sim.now() < until {
                // The caller sees a refusal if the retries are used up.
                let call = client.chat_async("hi").when_full(WhenFull::Wait);
                if call.await.is_err() {
                    sim.sleep(ms(100)).await;
                }
            }
        });
    }
    sim.sleep(secs(WARM_UP)).await;
    let before = transport.stats();
    sim.sleep(secs(STEADY)).await;
    let after = transport.stats();
    sim.sleep(secs(60)).await;
    assert_balanced(&client);
    transport.assert_idle();
    let done = (after.completed - before.completed) as f64;
    let refused = after.refused_by_concurrency - before.refused_by_concurrency;
    let arrived = after.arrived - before.arrived;
    (
        done / (STEADY as f64 * hidden as f64),
        refused as f64 / arrived as f64,
    )
}

#[test]
fn nine_tenths_of_a_hidden_limit_with_under_2_percent_refused() {
    for (hidden, status) in [(4, 429), (20, 503), (50, 429)] {
        let worst = Arc::new(Mutex::new((f64::MAX, 0_f64)));
        let seen = Arc::clone(&worst);
        Sim::run_seeds(0..1, move |sim| {
            let seen = Arc::clone(&seen);
            async move {
                let (used, refused) = steady(sim, hidden, status).await;
                let mut worst = seen.lock().unwrap();
                *worst = (worst.0.min(used), worst.1.max(refused));
            }
        });
        let (used, refused) = *worst.lock().unwrap();
        println!(
            "adaptive, hidden limit {hidden}: {:.1} % of it used, {:.2} % refused with {status}",
            used * 100.0,
            refused * 100.0
        );
        assert!(used >= 0.9, "{hidden}: {used}");
        assert!(refused < 0.02, "{hidden}: {refused}");
    }
}
