//! Answers and refusals.

use super::*;

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

        // The connection is reused, so connecting takes no time.
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
