//! Requests per minute: the client keeps within the provider's limit and uses all of it.
//!
//! The figures: `cargo test -p chatcore-adapters --no-default-features --features sim --test sim
//! pace -- --nocapture`

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chatcore::RateLimits;
use chatcore_adapters::sim::{Latency, Limits, Sim, SimTransport, Window};

use crate::support::{assert_balanced, client, ms};

#[test]
fn a_provider_with_the_same_limit_refuses_nothing_at_98_percent_of_it() {
    for window in [Window::TokenBucket, Window::Fixed, Window::Sliding] {
        Sim::run_seeds(0..20, |sim| async move {
            let limits = Limits::new().requests_per_minute(60).window(window);
            let last = Arc::new(Mutex::new(Duration::ZERO));
            let (seen, clock) = (Arc::clone(&last), sim.clone());
            let transport = SimTransport::builder(&sim)
                .connect(Latency::Uniform {
                    from: ms(1),
                    to: ms(80),
                })
                .headers(Latency::Exponential { mean: ms(500) })
                .limits(limits)
                .answer(move |ask| {
                    *seen.lock().unwrap() = clock.now().since_epoch();
                    ask.prompt.clone()
                })
                .build();
            let client = client(&sim, &transport)
                .workers(1_000)
                .rate_limits(RateLimits::default().requests_per_minute(60))
                .queue_size(1_000)
                .build()
                .unwrap();
            for number in 0..600 {
                let client = client.clone();
                sim.spawn(async move {
                    client.chat_async(number.to_string()).await.unwrap();
                });
            }
            client_idle(&sim, &client).await;
            let stats = transport.stats();
            assert_eq!((stats.completed, stats.refused_by_rate), (600, 0));
            // The first 60 requests arrive at once, the others in nine minutes at the fastest.
            let took = last.lock().unwrap().as_secs_f64();
            let share = 540.0 / took;
            if sim.seed() == 0 {
                println!(
                    "requests, {window:?}: 0 refused at {:.1} % of the limit",
                    share * 100.0
                );
            }
            assert!((0.98..=1.0).contains(&share), "{share}");
            assert_balanced(&client);
            transport.assert_idle();
        });
    }
}

async fn client_idle(sim: &chatcore_adapters::sim::SimExecutor, client: &chatcore::LlmClient) {
    sim.sleep(ms(1)).await;
    while client.status().succeeded < 600 {
        sim.sleep(ms(100)).await;
    }
}
