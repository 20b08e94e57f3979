//! A provider that is down: retries must not make it worse.
//!
//! The figures: `cargo test -p chatcore-adapters --no-default-features --features sim --test sim
//! outage -- --nocapture`

use chatcore::WhenFull;
use chatcore_adapters::sim::{Fault, Latency, Script, Sim, SimTransport};

use crate::support::{assert_balanced, client, ms};

/// Ten requests to each of the retries that the reserve holds: see `RetryPolicy`.
const CALLS: u64 = 200;

#[test]
fn when_everything_fails_the_attempts_are_at_most_a_tenth_more() {
    for fault in [
        Fault::Status(503),
        Fault::ConnectRefused,
        Fault::ResetBeforeHeaders,
    ] {
        Sim::run_seeds(0..50, move |sim| async move {
            let calls = CALLS * (1 + sim.random_below(5));
            let transport = SimTransport::builder(&sim)
                .headers(Latency::Exponential { mean: ms(200) })
                .script(Script::new().always(fault))
                .build();
            let client = client(&sim, &transport)
                .workers(20)
                .max_retries(5)
                .build()
                .unwrap();
            for _ in 0..calls {
                let call = client.chat_async("hi").when_full(WhenFull::Wait);
                sim.spawn(async move {
                    call.await.unwrap_err();
                });
                sim.sleep(ms(sim.random_below(50))).await;
            }
            while client.status().failed < calls {
                sim.sleep(ms(100)).await;
            }
            let sent = transport.stats().sent;
            assert!(sent * 10 <= calls * 11, "{sent} for {calls}");
            // Some were tried again: it is a budget, and no ban.
            assert!(sent > calls, "{sent} for {calls}");
            if sim.seed() == 0 {
                println!("outage, {fault:?}: {sent} attempts for {calls} requests");
            }
            assert_balanced(&client);
            transport.assert_idle();
        });
    }
}

/// A program that asks now and then has all the retries of its settings.
#[test]
fn a_lone_chat_has_all_its_attempts() {
    let sim = Sim::new(1);
    let script = Script::new().always(Fault::Status(503));
    let transport = SimTransport::builder(&sim.executor())
        .script(script)
        .build();
    let client = client(&sim.executor(), &transport)
        .max_retries(5)
        .build()
        .unwrap();
    let call = client.chat_async("hi");
    let error = sim.run(async { call.await }).unwrap_err();
    assert_eq!((error.attempts(), transport.stats().sent), (5, 5));
}
