//! After all calls have ended, nothing is left over. A call that can never end makes the simulation
//! report a deadlock instead of hanging the test.

use std::sync::Arc;

use chatcore::{Adaptive, Hedging, LlmClient, RateLimits, Timeouts, WhenFull};
use chatcore_adapters::sim::{
    Fault, Latency, Limits, Script, Sim, SimErrorKind, SimExecutor, SimTransport, Window,
};
use futures_lite::future::or;

use crate::support::{assert_balanced, client, ms, secs};

/// Makes 100 calls: some fail, some are dropped, some are retried, some are hedged.
async fn wave(sim: &Arc<SimExecutor>, client: &LlmClient) {
    for number in 0..100 {
        let mut call = client.chat_async(format!("number {number}"));
        if number % 2 == 0 {
            call = call.when_full(WhenFull::Wait);
        }
        let streams = sim.random_chance(0.5);
        let called = sim.sleep(ms(sim.random_below(10_000)));
        let patience = sim.sleep(ms(sim.random_below(60_000)));
        sim.spawn(async move {
            called.await;
            let answered = async {
                match streams {
                    true => drop(call.stream().into_response().await),
                    false => drop(call.await),
                }
            };
            or(answered, patience).await;
        });
    }
    // Longer than any rate limit window and any backoff.
    sim.sleep(secs(400)).await;
    assert_balanced(client);
    assert!(sim.pending_tasks().is_empty());
}

#[test]
fn nothing_grows_from_wave_to_wave() {
    Sim::run_seeds(0..5, |sim| async move {
        let script = Script::new()
            .chance(0.1, Fault::Status(503))
            .chance(0.1, Fault::HeadersHang)
            .chance(0.1, Fault::Reset { after_tokens: 1 })
            .chance(0.1, Fault::ConnectHangs);
        let limits = Limits::new()
            .requests_per_minute(600)
            .window(Window::Sliding)
            .concurrency(12, 429);
        let transport = SimTransport::builder(&sim)
            .headers(Latency::Exponential { mean: ms(300) })
            .first_token(Latency::Exponential { mean: ms(300) })
            .limits(limits)
            .script(script)
            .build();
        let mut timeouts = Timeouts::default();
        timeouts.overall = Some(secs(30));
        let client = client(&sim, &transport)
            .queue_size(20)
            .max_attempts(3)
            .timeouts(timeouts)
            .rate_limits(RateLimits::default().requests_per_minute(300))
            .adaptive(Adaptive::default())
            .hedging(Hedging::at_quantile(0.9))
            .build()
            .unwrap();
        let mut live = Vec::new();
        for _ in 0..30 {
            wave(&sim, &client).await;
            transport.assert_idle();
            assert_eq!(sim.pending_timers(), 0);
            live.push(crate::memory::live());
        }
        let stats = transport.stats();
        assert!(stats.dropped > 0 && stats.faults > 0 && stats.completed > 0);
        assert!(client.status().retried > 0 && client.status().failed > 0);
        if sim.seed() == 0 {
            println!(
                "drain: {} bytes live after 10 waves of 100 calls, {} after 30",
                live[9], live[29]
            );
        }
        // Tables that were once large keep their capacity. Nothing else is left.
        let early = live[..10].iter().max().unwrap();
        assert!(live[29] <= early + 4_096, "{live:?}");
    });
}

#[test]
fn a_call_that_can_never_end_is_a_deadlock_with_its_proof() {
    let sim = Sim::new(3);
    let script = Script::new().always(Fault::HeadersHang);
    let transport = SimTransport::builder(&sim).script(script).build();
    let mut forever = Timeouts::default();
    (forever.overall, forever.byte_idle) = (None, None);
    let client = client(&sim.executor(), &transport)
        .workers(1)
        .timeouts(forever)
        .build()
        .unwrap();
    let (first, second) = (client.clone(), client.clone());
    sim.spawn_named("the one that hangs", async move {
        drop(first.chat_async("hi").await);
    });
    sim.spawn_named("the one behind it", async move {
        drop(second.chat_async("hi").await);
    });
    let closing = async {
        sim.sleep(secs(1)).await;
        client.close().await;
    };
    let error = sim.try_run(closing).unwrap_err();
    assert_eq!(*error.kind(), SimErrorKind::Deadlock);
    assert_eq!(error.at(), secs(1));
    let names: Vec<_> = error.pending().iter().map(|task| &*task.name).collect();
    assert_eq!(names[1..], ["the one that hangs", "the one behind it"]);
    assert!(error.to_string().contains("CHATCORE_SIM_SEED=3"), "{error}");
}
