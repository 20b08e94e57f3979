//! Whole runs: their traces, deadlocks, and changes during a run.

use super::*;

#[test]
fn one_seed_one_trace_with_chance_in_everything() {
    let run = |seed| {
        let sim = Sim::new(seed);
        let transport = SimTransport::builder(&sim)
            .connect(Latency::Uniform {
                from: ms(1),
                to: ms(50),
            })
            .headers(Latency::TwoPeaks {
                fast: ms(10),
                slow: ms(900),
                slow_share: 0.2,
            })
            .token(Latency::Exponential { mean: ms(20) })
            .limits(Limits::new().requests_per_minute(15))
            .script(
                Script::new()
                    .chance(0.2, Fault::Reset { after_tokens: 1 })
                    .chance(0.2, Fault::Stalls { after_tokens: 2 }),
            )
            .build();
        for number in 0..20 {
            let transport = Arc::clone(&transport);
            let patience = sim.sleep(ms(sim.random_below(2_000)));
            sim.spawn(async move {
                let reading = async {
                    if let Ok(response) = transport.send(chat(&number.to_string(), true)).await {
                        read(response.into_body()).await;
                    }
                };
                future::or(reading, patience).await;
            });
        }
        sim.run(sim.sleep(Duration::from_secs(10)));
        transport.assert_idle();
        assert_eq!((sim.pending_tasks().len(), sim.pending_timers()), (0, 0));
        (sim.trace_hash(), transport.stats())
    };
    let hashes: std::collections::BTreeSet<_> = (0..1_000)
        .map(|seed| {
            let first = run(seed);
            assert_eq!(first, run(seed));
            first.0
        })
        .collect();
    assert_eq!(hashes.len(), 1_000);
}

#[test]
fn a_request_that_is_never_polled_again_is_found_as_a_deadlock() {
    let sim = Sim::new(1);
    let script = Script::new().always(Fault::HeadersHang);
    let transport = SimTransport::builder(&sim).script(script).build();
    let sent = transport.send(chat("hi", true));
    let error = sim.try_run(pin!(sent)).unwrap_err();
    assert_eq!(*error.kind(), crate::sim::SimErrorKind::Deadlock);
    transport.assert_idle();
}

#[test]
fn a_reader_that_comes_late_finds_what_was_sent_meanwhile() {
    let sim = Sim::new(1);
    let transport = timed(&sim).token(Latency::millis(100)).build();
    sim.run(async {
        let response = transport.send(chat("a b c", true)).await.unwrap();
        let mut body = response.into_body();
        // Reads the role and the first token. The reader is then busy for longer than the rest
        // takes.
        body.next().await.unwrap().unwrap();
        body.next().await.unwrap().unwrap();
        sim.sleep(ms(5_000)).await;
        let at = sim.now();
        let (text, error) = read(body).await;
        assert!(text.ends_with("data: [DONE]\n\n") && error.is_none());
        assert_eq!(sim.now(), at);
    });
    transport.assert_idle();
}

#[test]
fn limits_and_faults_change_while_it_runs() {
    let sim = Sim::new(1);
    let transport = SimTransport::builder(&sim)
        .first_token(Latency::millis(100))
        .build();
    sim.run(async {
        let status = async || transport.send(chat("hi", true)).await.unwrap().status();
        assert_eq!(status().await, 200);
        transport.set_script(Script::new().always(Fault::Status(503)));
        assert_eq!(status().await, 503);
        transport.set_script(Script::new());
        let held = transport.send(chat("hi", true)).await.unwrap();
        // The request that is being worked on still counts.
        transport.set_limits(Limits::new().concurrency(1, 429));
        assert_eq!(status().await, 429);
        drop(held);
        assert_eq!(status().await, 200);
    });
    transport.assert_idle();
}

#[test]
fn an_answer_may_keep_its_cost_to_itself() {
    for (path, streams) in [
        ("chat/completions", false),
        ("chat/completions", true),
        ("messages", false),
        ("messages", true),
    ] {
        let sim = Sim::new(1);
        let script = Script::new().nth(2, Fault::NoUsage);
        let transport = SimTransport::builder(&sim).script(script).build();
        sim.run(async {
            for told in [true, false] {
                let response = transport.send(ask("hi", streams, path)).await.unwrap();
                let (text, error) = read(response.into_body()).await;
                assert_eq!(text.contains("usage"), told, "{text}");
                assert!(text.contains("hi") && error.is_none());
            }
        });
    }
}

#[test]
fn what_takes_for_ever_is_a_deadlock_and_no_overflow() {
    let sim = Sim::new(1);
    let never = Latency::Constant(Duration::MAX);
    let transport = SimTransport::builder(&sim)
        .first_token(never)
        .token(never)
        .build();
    let error = sim.try_run(transport.send(chat("a b", false))).unwrap_err();
    assert_eq!(*error.kind(), crate::sim::SimErrorKind::Deadlock);
}
