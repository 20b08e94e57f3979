//! Rate limits of the client's against the same of the provider's.

use std::time::Duration;

use chatcore::RateLimits;
use chatcore_adapters::sim::{Latency, Limits, Sim, SimTransport, Window};

use crate::support::{assert_balanced, client, ms, secs};

#[test]
fn a_provider_with_the_same_limit_refuses_nothing_at_98_percent_of_it() {
    for window in [Window::TokenBucket, Window::Fixed, Window::Sliding] {
        Sim::run_seeds(0..20, |sim| async move {
            let limits = Limits::new().requests_per_minute(60).window(window);
            let transport = SimTransport::builder(&sim)
                .connect(Latency::Uniform {
                    from: ms(1),
                    to: ms(80),
                })
                .headers(Latency::Exponential { mean: ms(500) })
                .limits(limits)
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
            // The first 60 go at once; the others take nine minutes, and a fiftieth more at most.
            let took = sim.now().since_epoch();
            let most = Duration::from_secs_f64(540.0 / 0.98) + secs(10);
            assert!(took <= most, "{took:?}");
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
