//! When every request fails, retries must not make the outage worse.
//!
//! The figures: `cargo test --release -p chatcore-adapters --no-default-features --features sim
//! --test sim -- --include-ignored --nocapture outage::`

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use chatcore::{ErrorKind, WhenFull};
use chatcore_adapters::sim::{Fault, Latency, Script, Sim, SimExecutor, SimTransport};

use crate::support::{assert_balanced, client, ms, read, secs};

/// How the calls of a run arrive.
#[derive(Clone, Copy, Debug)]
enum Arrivals {
    Together,
    Over(Duration),
    OneAfterAnother,
}

/// Makes 100 or more calls, none of which can succeed. Returns the number of calls and the number
/// of requests sent.
async fn outage(sim: Arc<SimExecutor>) -> (u64, u64) {
    let faults = [
        Fault::ConnectRefused,
        Fault::ResetBeforeHeaders,
        Fault::Reset { after_tokens: 0 },
        Fault::Truncated { after_tokens: 0 },
        Fault::ErrorEvent { after_tokens: 0 },
        Fault::Status(500),
        Fault::Status(503),
        Fault::Status(529),
    ];
    let script = faults
        .into_iter()
        .fold(Script::new(), |script, fault| script.chance(0.1, fault))
        .always(Fault::Status(502));
    let transport = SimTransport::builder(&sim)
        .connect(Latency::Uniform {
            from: ms(0),
            to: ms(50),
        })
        .headers(Latency::Exponential { mean: ms(200) })
        .script(script)
        .build();
    let client = client(&sim, &transport)
        .workers(1 + sim.random_below(50) as usize)
        .max_attempts(2 + sim.random_below(5) as u32)
        .build()
        .unwrap();
    let calls = 100 + sim.random_below(50);
    let arrivals = match sim.random_below(3) {
        0 => Arrivals::Together,
        1 => Arrivals::Over(secs(1 + sim.random_below(60))),
        _ => Arrivals::OneAfterAnother,
    };
    for _ in 0..calls {
        let call = client.chat_async("hi").when_full(WhenFull::Wait);
        let streams = sim.random_chance(0.5);
        let ends = async move {
            let error = match streams {
                true => read(call).await.unwrap_err(),
                false => call.await.unwrap_err(),
            };
            assert!(error.is_retryable(), "{error}");
            assert_eq!(error.causes().len() + 1, error.attempts() as usize);
        };
        match arrivals {
            Arrivals::Together => sim.spawn(ends),
            Arrivals::Over(span) => {
                let called = sim.sleep(span.mul_f64(sim.random_unit()));
                sim.spawn(async move {
                    called.await;
                    ends.await;
                });
            }
            Arrivals::OneAfterAnother => ends.await,
        }
    }
    sim.sleep(secs(1_000)).await;
    let status = client.status();
    let sent = transport.stats().sent;
    assert_eq!((status.started, status.failed), (calls, calls));
    assert_eq!(status.retried, sent - calls);
    assert_balanced(&client);
    transport.assert_idle();
    assert!(sim.pending_tasks().is_empty());
    assert!(
        sent * 10 <= calls * 11,
        "{sent} requests for {calls} calls, {arrivals:?}"
    );
    // The budget limits retries but does not forbid them.
    assert!(sent > calls, "{sent} requests for {calls} calls");
    (calls, sent)
}

fn outages(seeds: std::ops::Range<u64>) {
    let worst = Cell::new(0_f64);
    let seen = &worst;
    let runs = Sim::run_seeds(seeds, |sim| async move {
        let (calls, sent) = outage(sim).await;
        seen.set(seen.get().max(sent as f64 / calls as f64));
    });
    println!(
        "outage: at most {:.4} requests for each call, over {} runs",
        worst.get(),
        runs.len()
    );
}

#[test]
fn attempts_are_at_most_1_1_times_the_calls() {
    outages(0..100);
}

#[test]
#[ignore = "long, for a release build"]
fn ten_thousand_outages() {
    outages(0..10_000);
}

#[test]
fn a_lone_call_has_all_its_attempts_however_long_the_outage() {
    let sim = Sim::new(5);
    let script = Script::new().always(Fault::Status(503));
    let transport = SimTransport::builder(&sim).script(script).build();
    let client = client(&sim.executor(), &transport)
        .max_attempts(3)
        .build()
        .unwrap();
    sim.run(async {
        // Many calls at once use up the budget, then single calls follow for an hour.
        for _ in 0..200 {
            client.chat_async("hi").await.unwrap_err();
        }
        for _ in 0..120 {
            sim.sleep(secs(30)).await;
            let error = client.chat_async("hi").await.unwrap_err();
            // The first comes within the crowd's minute.
            if sim.now().since_epoch() > secs(120) {
                assert_eq!(error.attempts(), 3, "at {:?}", sim.now());
            }
        }
    });
}

#[test]
fn a_provider_that_now_and_then_fails_has_all_of_it_tried_again() {
    Sim::run_seeds(0..20, |sim| async move {
        let script = Script::new().chance(0.2, Fault::Status(503));
        let transport = SimTransport::builder(&sim)
            .headers(Latency::millis(500))
            .script(script)
            .build();
        let client = client(&sim, &transport).max_attempts(6).build().unwrap();
        let calls = (0..1_000).map(|_| client.chat_async("hi").when_full(WhenFull::Wait));
        let answers = chatcore::gather_with_limit(calls, 5).await;
        for answer in answers {
            // One call in 15,625 fails six times.
            if let Err(error) = answer {
                assert_eq!((error.kind(), error.attempts()), (ErrorKind::Overloaded, 6));
            }
        }
    });
}
