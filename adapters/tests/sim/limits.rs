//! Each time limit fires at the exact time, and the error names the limit.

use std::time::Duration;

use chatcore::{Phase, Timeouts};
use chatcore_adapters::sim::{Fault, Latency, Script, Sim, SimTransport};

use crate::support::{assert_balanced, client, ms, read, secs, timed_out};

/// Runs a call with this fault and these limits and returns how it ends. The connection takes 1 s,
/// the headers 100 ms, the first token 10 ms, each further token 1 ms.
fn ends(streams: bool, fault: Fault, set: impl FnOnce(&mut Timeouts)) -> (Phase, Duration) {
    let sim = Sim::new(1);
    let transport = SimTransport::builder(&sim)
        .connect(Latency::millis(1_000))
        .headers(Latency::millis(100))
        .first_token(Latency::millis(10))
        .token(Latency::millis(1))
        .script(Script::new().always(fault))
        .build();
    let mut limits = Timeouts::default();
    limits.overall = Some(secs(1_000));
    set(&mut limits);
    let client = client(&sim.executor(), &transport)
        .timeouts(limits)
        .build()
        .unwrap();
    let call = client.chat_async("a b c");
    let error = match streams {
        true => sim.run(read(call)).unwrap_err(),
        false => sim.run(async { call.await }).unwrap_err(),
    };
    let ended = timed_out(&sim, &error);
    assert_eq!(error.attempts(), 1);
    assert_balanced(&client);
    transport.assert_idle();
    assert_eq!(sim.pending_timers(), 0);
    ended
}

#[test]
fn connecting() {
    for streams in [false, true] {
        let ended = ends(streams, Fault::ConnectHangs, |limits| {
            limits.connect = Some(secs(3));
        });
        assert_eq!(ended, (Phase::Connect, secs(3)));
    }
}

#[test]
fn headers() {
    for streams in [false, true] {
        let ended = ends(streams, Fault::HeadersHang, |limits| {
            limits.headers = Some(secs(4));
        });
        assert_eq!(ended, (Phase::Headers, secs(4)));
    }
}

#[test]
fn first_content_is_not_fed_by_keep_alives() {
    let fault = Fault::KeepAlives {
        after_tokens: 0,
        every: secs(1),
    };
    for streams in [false, true] {
        let ended = ends(streams, fault, |limits| {
            limits.first_content = Some(ms(6_500));
            limits.byte_idle = Some(secs(2));
        });
        assert_eq!(ended, (Phase::FirstContent, ms(6_500)));
    }
}

#[test]
fn silence_ends_in_byte_idle() {
    let fault = Fault::Stalls { after_tokens: 2 };
    let ended = ends(true, fault, |limits| {
        limits.byte_idle = Some(secs(7));
        limits.content_idle = Some(secs(8));
    });
    // The second token arrived at 1,111 ms.
    assert_eq!(ended, (Phase::ByteIdle, ms(8_111)));
}

#[test]
fn keep_alives_feed_byte_idle_and_not_content_idle() {
    let fault = Fault::KeepAlives {
        after_tokens: 2,
        every: ms(1_400),
    };
    let ended = ends(true, fault, |limits| {
        limits.byte_idle = Some(ms(1_500));
        limits.content_idle = Some(secs(5));
    });
    assert_eq!(ended, (Phase::ContentIdle, ms(6_111)));
    let slower = Fault::KeepAlives {
        after_tokens: 2,
        every: ms(1_600),
    };
    let ended = ends(true, slower, |limits| {
        limits.byte_idle = Some(ms(1_500));
        limits.content_idle = Some(secs(5));
    });
    assert_eq!(ended, (Phase::ByteIdle, ms(2_611)));
}

#[test]
fn attempt_overall_and_total() {
    let keep_alives = Fault::KeepAlives {
        after_tokens: 1,
        every: secs(1),
    };
    let attempt = ends(true, keep_alives, |limits| limits.attempt = Some(secs(9)));
    assert_eq!(attempt, (Phase::Attempt, secs(9)));
    let overall = ends(false, keep_alives, |limits| limits.overall = Some(secs(11)));
    assert_eq!(overall, (Phase::Overall, secs(11)));
    let total = ends(true, keep_alives, |limits| {
        // For a stream, this limit applies only until the first content.
        limits.overall = Some(secs(11));
        limits.total = Some(secs(13));
    });
    assert_eq!(total, (Phase::Overall, secs(13)));
}

#[test]
fn overall_spans_all_attempts_and_their_waits() {
    let sim = Sim::new(1);
    // Bytes arrive, so the attempt may be retried.
    let script = Script::new().always(Fault::KeepAlives {
        after_tokens: 0,
        every: secs(1),
    });
    let transport = SimTransport::builder(&sim).script(script).build();
    let mut limits = Timeouts::default();
    limits.first_content = Some(secs(4));
    limits.overall = Some(secs(10));
    let client = client(&sim.executor(), &transport)
        .timeouts(limits)
        .max_attempts(9)
        .build()
        .unwrap();
    let call = client.chat_async("hi");
    let error = sim.run(async { call.await }).unwrap_err();
    assert_eq!(timed_out(&sim, &error), (Phase::Overall, secs(10)));
    assert_eq!((error.attempts(), error.causes().len()), (3, 2));
    assert_eq!(error.causes()[0].phase(), Some(Phase::FirstContent));
    transport.assert_idle();
}

#[test]
fn a_chat_that_meets_silence_is_sent_once() {
    for streams in [false, true] {
        let sim = Sim::new(1);
        let script = Script::new().always(Fault::HeadersHang);
        let transport = SimTransport::builder(&sim).script(script).build();
        let mut limits = Timeouts::default();
        limits.headers = Some(secs(4));
        let client = client(&sim.executor(), &transport)
            .timeouts(limits)
            .max_attempts(9)
            .build()
            .unwrap();
        let call = client.chat_async("hi");
        let error = match streams {
            true => sim.run(read(call)).unwrap_err(),
            false => sim.run(async { call.await }).unwrap_err(),
        };
        assert_eq!(timed_out(&sim, &error), (Phase::Headers, secs(4)));
        assert_eq!(error.attempts(), 1);
    }
}

#[test]
fn a_terminal_event_ends_the_answer_though_the_body_stays_open() {
    let sim = Sim::new(1);
    let script = Script::new().always(Fault::StaysOpen);
    let transport = SimTransport::builder(&sim).script(script).build();
    let client = client(&sim.executor(), &transport).build().unwrap();
    assert_eq!(sim.run(read(client.chat_async("hi"))).unwrap(), "echo: hi");
    assert!(sim.now().since_epoch() <= ms(50));
    assert_eq!(transport.stats().dropped, 1, "its connection is closed");
    transport.assert_idle();
}
