//! Faults and dropped requests.

use super::*;

#[test]
fn faults_before_the_headers() {
    use TransportErrorKind::{Connect, ConnectTimeout, Reset};
    let failed = |fault| {
        let (ended, at, stats) = with_fault(fault);
        let (_, error) = ended.unwrap();
        (error.unwrap(), at, stats.connections_opened, stats.arrived)
    };
    assert_eq!(failed(Fault::ConnectRefused), (Connect, ms(1_000), 0, 0));
    assert_eq!(
        failed(Fault::ConnectHangs),
        (ConnectTimeout, ms(5_000), 0, 0)
    );
    assert_eq!(failed(Fault::ResetBeforeHeaders), (Reset, ms(1_100), 1, 1));
    let (ended, _, stats) = with_fault(Fault::HeadersHang);
    assert_eq!(
        (ended, stats.dropped, stats.connections_closed),
        (None, 1, 1)
    );
}

#[test]
fn faults_within_the_body() {
    use TransportErrorKind::Truncated;
    let words = |text: &str| {
        let words = ["echo: ", "a ", "b ", "\"c\""];
        words
            .iter()
            .filter(|word| text.contains(&format!("\"content\":\"{}", word.trim_matches('"'))))
            .count()
    };
    let broken = |fault| {
        let (ended, at, stats) = with_fault(fault);
        let (text, error) = ended.unwrap();
        assert_eq!(stats.faults, 1);
        assert_eq!(stats.completed, 0, "{fault:?} is no whole answer");
        (words(&text), error, at, text.contains("[DONE]"))
    };
    let after_tokens = 2;
    assert_eq!(
        broken(Fault::Reset { after_tokens }),
        (2, Some(Truncated), ms(1_111), false)
    );
    assert_eq!(
        broken(Fault::Truncated { after_tokens }),
        (2, Some(Truncated), ms(1_111), false)
    );
    assert_eq!(
        broken(Fault::EndsEarly { after_tokens }),
        (2, None, ms(1_111), false)
    );
    assert_eq!(
        broken(Fault::Reset { after_tokens: 0 }),
        (0, Some(Truncated), ms(1_100), false)
    );
    // More tokens than the answer has: all are sent, and the fault still comes.
    assert_eq!(
        broken(Fault::Reset { after_tokens: 99 }),
        (4, Some(Truncated), ms(1_113), false)
    );

    for (after_tokens, at) in [(0, 1_100), (1, 1_110)] {
        let (ended, ended_at, _) = with_fault(Fault::ErrorEvent { after_tokens });
        let (text, error) = ended.unwrap();
        let last = text.trim_end().lines().last().unwrap();
        assert!(last.starts_with("data: {\"error\":"), "{last}");
        assert_eq!(
            (words(&text), error, ended_at),
            (after_tokens, None, ms(at))
        );
    }
    for fault in [Fault::Stalls { after_tokens }, Fault::StaysOpen] {
        let (ended, _, stats) = with_fault(fault);
        assert_eq!((ended, stats.dropped), (None, 1));
        let tokens = if fault == Fault::StaysOpen { 4 } else { 2 };
        assert_eq!(stats.output_tokens, tokens);
    }
}

#[test]
fn statuses_and_web_pages() {
    let sim = Sim::new(1);
    let script = Script::new()
        .nth(1, Fault::Status(503))
        .nth(2, Fault::Status(529))
        .nth(3, Fault::WrongContentType);
    let transport = SimTransport::builder(&sim).script(script).build();
    sim.run(async {
        for status in [503, 529] {
            let response = transport.send(ask("hi", true, "messages")).await.unwrap();
            assert_eq!(response.status(), status);
            let (text, _) = read(response.into_body()).await;
            assert!(
                text.starts_with("{\"error\":") || text.starts_with("{\"type\":\"error\""),
                "{text}"
            );
        }
        let page = transport.send(chat("hi", true)).await.unwrap();
        assert_eq!(
            (page.status().as_u16(), &page.headers()["content-type"]),
            (200, &HeaderValue::from_static("text/html"))
        );
    });
    assert_eq!(transport.stats().faults, 3);
}

#[test]
fn keep_alives_come_at_their_beat_and_nothing_else() {
    let sim = Sim::new(1);
    let every = ms(500);
    let fault = Fault::KeepAlives {
        after_tokens: 1,
        every,
    };
    let transport = SimTransport::builder(&sim)
        .script(Script::new().always(fault))
        .build();
    sim.run(async {
        let mut body = transport.send(chat("hi", true)).await.unwrap().into_body();
        body.next().await.unwrap().unwrap();
        body.next().await.unwrap().unwrap();
        for beat in 1..=100 {
            let chunk = body.next().await.unwrap().unwrap();
            assert_eq!(&*chunk, b": keep-alive\n\n");
            assert_eq!(sim.now().since_epoch(), every * beat);
        }
    });
    transport.assert_idle();
}

#[test]
fn a_drop_closes_its_connection_and_frees_its_place_in_every_phase() {
    let mut seen = std::collections::BTreeSet::new();
    for after in [500, 1_050, 1_105, 1_111] {
        let sim = Sim::new(1);
        let limits = Limits::new().concurrency(1, 503);
        let transport = timed(&sim).limits(limits).build();
        sim.run(async {
            let reading = async {
                let response = transport.send(chat("a b c", true)).await.unwrap();
                read(response.into_body()).await;
            };
            future::or(reading, sim.sleep(ms(after))).await;
            let stats = transport.stats();
            assert_eq!((stats.dropped, stats.in_flight, stats.working), (1, 0, 0));
            seen.insert((stats.connections_closed, stats.output_tokens));
            // The request's place is free at once.
            let next = transport.send(chat("next", true)).await.unwrap();
            assert_eq!(next.status(), 200);
            read(next.into_body()).await;
        });
        transport.assert_idle();
    }
    let expected = [(0, 0), (1, 0), (1, 2)];
    assert!(seen.into_iter().eq(expected));
}
