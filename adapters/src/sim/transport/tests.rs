//! The network and the provider, without a client above them.

use std::pin::pin;

use futures_lite::{StreamExt, future};
use serde_json::{Value, json};

use super::*;
use crate::sim::Sim;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn ask(prompt: &str, streams: bool, path: &str) -> http::Request<Bytes> {
    let body = json!({
        "model": "sim",
        "messages": [{"role": "user", "content": prompt}],
        "stream": streams,
        "stream_options": {"include_usage": true},
    });
    let uri = format!("https://sim.example/v1/{path}");
    http::Request::post(uri)
        .body(body.to_string().into())
        .unwrap()
}

fn chat(prompt: &str, streams: bool) -> http::Request<Bytes> {
    ask(prompt, streams, "chat/completions")
}

/// A builder in which each part takes a time of its own.
fn timed(sim: &Sim) -> SimTransportBuilder {
    SimTransport::builder(sim)
        .connect(Latency::millis(1_000))
        .headers(Latency::millis(100))
        .first_token(Latency::millis(10))
        .token(Latency::millis(1))
}

/// Everything that a body does: its text, and the error that it ended in.
async fn read(mut body: ByteStream) -> (String, Option<TransportErrorKind>) {
    let mut text = String::new();
    while let Some(chunk) = body.next().await {
        match chunk {
            Ok(chunk) => text.push_str(std::str::from_utf8(&chunk).unwrap()),
            Err(error) => return (text, Some(error.kind())),
        }
    }
    (text, None)
}

/// Sends one streamed request with this fault, reading for at most ten minutes: its text, its
/// error and the moment of its end; none where it did not end.
fn with_fault(
    fault: Fault,
) -> (
    Option<(String, Option<TransportErrorKind>)>,
    Duration,
    Stats,
) {
    let sim = Sim::new(1);
    let transport = timed(&sim).script(Script::new().nth(1, fault)).build();
    let ended = sim.run(async {
        let reading = async {
            match transport.send(chat("a b c", true)).await {
                Ok(response) => Some(read(response.into_body()).await),
                Err(error) => Some((String::new(), Some(error.kind()))),
            }
        };
        let limit = async {
            sim.sleep(Duration::from_secs(600)).await;
            None
        };
        future::or(reading, limit).await
    });
    let at = sim.now().since_epoch();
    transport.assert_idle();
    (ended, at, transport.stats())
}

#[test]
fn a_stream_comes_token_by_token_at_its_moments() {
    let sim = Sim::new(1);
    let transport = timed(&sim).build();
    sim.run(async {
        let response = transport.send(chat("a b", true)).await.unwrap();
        assert_eq!(sim.now().since_epoch(), ms(1_100));
        assert_eq!(
            response.headers()["content-type"],
            "text/event-stream; charset=utf-8"
        );
        let mut body = response.into_body();
        let mut words = Vec::new();
        while let Some(chunk) = body.next().await {
            let chunk = chunk.unwrap();
            let text = std::str::from_utf8(&chunk).unwrap();
            let first = text.lines().next().unwrap().strip_prefix("data: ").unwrap();
            let event: Value = serde_json::from_str(first).unwrap();
            if let Some(word) = event["choices"][0]["delta"]["content"].as_str() {
                words.push((word.to_owned(), sim.now().since_epoch()));
            }
        }
        let expected = [("", 1_100), ("echo: ", 1_110), ("a ", 1_111), ("b", 1_112)];
        assert_eq!(words, expected.map(|(word, at)| (word.to_owned(), ms(at))));

        // The connection is used again, so that it takes no time to make one.
        let response = transport.send(chat("a b", false)).await.unwrap();
        assert_eq!(sim.now().since_epoch(), ms(1_112 + 112));
        let (text, error) = read(response.into_body()).await;
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(answer["choices"][0]["message"]["content"], "echo: a b");
        assert_eq!(answer["usage"]["total_tokens"], 5);
        assert_eq!(error, None);
    });
    let stats = transport.stats();
    assert_eq!(
        (stats.completed, stats.output_tokens, stats.input_tokens),
        (2, 6, 4)
    );
    assert_eq!((stats.connections_opened, stats.connections_idle), (1, 1));
    transport.assert_idle();
}

#[test]
fn a_path_of_anthropics_gets_anthropics_bytes() {
    let sim = Sim::new(1);
    let transport = SimTransport::builder(&sim).build();
    let (stream, whole) = sim.run(async {
        let stream = transport.send(ask("hi", true, "messages")).await.unwrap();
        let whole = transport.send(ask("hi", false, "messages")).await.unwrap();
        (
            read(stream.into_body()).await.0,
            read(whole.into_body()).await.0,
        )
    });
    let events: Vec<_> = stream
        .lines()
        .filter_map(|line| line.strip_prefix("event: "))
        .collect();
    let expected = [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ];
    assert_eq!(events, expected);
    let whole: Value = serde_json::from_str(&whole).unwrap();
    assert_eq!(whole["content"][0]["text"], "echo: hi");
}

#[test]
fn what_is_no_chat_is_refused() {
    let sim = Sim::new(1);
    let transport = SimTransport::builder(&sim).build();
    let garbage = http::Request::post("https://sim.example/v1/messages")
        .body("{".into())
        .unwrap();
    let statuses = sim.run(async {
        let missing = transport
            .send(ask("hi", false, "embeddings"))
            .await
            .unwrap();
        let garbage = transport.send(garbage).await.unwrap();
        (missing.status().as_u16(), garbage.status().as_u16())
    });
    assert_eq!(statuses, (404, 400));
}

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
    // More tokens than there are: all of them, and the fault all the same.
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
            // Its place is free at once.
            let next = transport.send(chat("next", true)).await.unwrap();
            assert_eq!(next.status(), 200);
            read(next.into_body()).await;
        });
        transport.assert_idle();
    }
    let expected = [(0, 0), (1, 0), (1, 2)];
    assert!(seen.into_iter().eq(expected));
}

#[test]
fn a_rate_limit_is_exact_and_its_retry_after_keeps_its_word() {
    for (window, style) in [
        (Window::TokenBucket, RetryAfter::Millis),
        (Window::Fixed, RetryAfter::Seconds),
        (Window::Sliding, RetryAfter::Seconds),
    ] {
        let sim = Sim::new(1);
        let limits = Limits::new()
            .requests_per_minute(7)
            .window(window)
            .retry_after(style);
        let transport = SimTransport::builder(&sim).limits(limits).build();
        let status = async |prompt: &str| {
            let response = transport.send(chat(prompt, false)).await.unwrap();
            let wait = ["retry-after", "retry-after-ms"].map(|name| {
                let value = response.headers().get(name)?.to_str().unwrap();
                value.parse::<u64>().ok()
            });
            let status = response.status().as_u16();
            read(response.into_body()).await;
            (status, wait)
        };
        sim.run(async {
            for number in 0..7 {
                assert_eq!(status(&number.to_string()).await.0, 200, "{window:?}");
            }
            let (refused, wait) = status("late").await;
            let expected = match style {
                // A seventh of a minute, rounded up.
                RetryAfter::Millis => [None, Some(8_572)],
                _ => [Some(60), None],
            };
            assert_eq!((refused, wait), (429, expected), "{window:?}");
            let wait = ms(wait[1].unwrap_or(60_000));
            sim.sleep(wait - ms(1)).await;
            assert_eq!(status("late").await.0, 429, "a moment too early");
            assert_eq!(transport.stats().early_retries, 1);
            sim.sleep(ms(1_000)).await;
            assert_eq!(status("late").await.0, 200);
        });
        let stats = transport.stats();
        assert_eq!(
            (stats.refused_by_rate, stats.completed, stats.early_retries),
            (2, 8, 1)
        );
    }
}

#[test]
fn tokens_count_and_the_headers_tell_what_is_left() {
    let sim = Sim::new(1);
    let limits = Limits::new().tokens_per_minute(12).requests_per_minute(100);
    let transport = SimTransport::builder(&sim).limits(limits).build();
    sim.run(async {
        // Two words in, and three out.
        for left in ["7", "2"] {
            let response = transport.send(chat("a b", false)).await.unwrap();
            assert_eq!(response.status(), 200);
            assert_eq!(response.headers()["x-ratelimit-limit-tokens"], "12");
            assert_eq!(response.headers()["x-ratelimit-remaining-tokens"], left);
        }
        let refused = transport.send(chat("a b", false)).await.unwrap();
        assert_eq!(refused.status(), 429);
        // Three are missing, and five seconds bring one.
        assert_eq!(refused.headers()["retry-after"], "15");
        assert_eq!(refused.headers()["x-ratelimit-reset-tokens"], "50000ms");
        assert_eq!(refused.headers()["x-ratelimit-remaining-requests"], "98");
    });
}

#[test]
fn beyond_the_concurrency_limit_is_refused_and_nobody_else() {
    let sim = Sim::new(5);
    let limits = Limits::new().concurrency(10, 429);
    let transport = timed(&sim).limits(limits).build();
    for number in 0..25 {
        let transport = Arc::clone(&transport);
        sim.spawn(async move {
            let response = transport
                .send(chat(&number.to_string(), true))
                .await
                .unwrap();
            read(response.into_body()).await;
        });
    }
    sim.run(sim.sleep(Duration::from_secs(10)));
    let stats = transport.stats();
    assert_eq!((stats.completed, stats.refused_by_concurrency), (10, 15));
    assert_eq!((stats.max_working, stats.max_in_flight), (10, 25));
    transport.assert_idle();
}

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
        // The role and the first token; then the reader is busy for longer than the rest takes.
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
        // The one that is worked on counts.
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
