//! The server's answers: both dialects, whole and streamed, and their errors.

use serde_json::{Value, json};

use super::{QUESTION, STREAMED, answer, json, server};

/// The data of each event without `[DONE]`, and whether `[DONE]` was there.
fn events(body: &str) -> (Vec<Value>, bool) {
    let data = body.lines().filter_map(|line| line.strip_prefix("data: "));
    let (done, events): (Vec<_>, Vec<_>) = data.partition(|data| *data == "[DONE]");
    let events = events
        .into_iter()
        .map(|data| serde_json::from_str(data).unwrap());
    (events.collect(), !done.is_empty())
}

#[test]
fn openai_whole() {
    let server = server();
    let answer = json(&server, "/v1/chat/completions", QUESTION);
    assert_eq!(
        answer["choices"][0]["message"]["content"],
        "echo: hello 你好"
    );
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    assert_eq!(answer["model"], "m");
    assert_eq!(answer["id"], "chatcmpl-1");
    let usage = json!({"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5});
    assert_eq!(answer["usage"], usage);
}

#[test]
fn openai_streamed() {
    let server = server();
    let (head, body) = answer(&server, "/close-delimited/v1/chat/completions", STREAMED);
    assert!(head.contains("content-type: text/event-stream"), "{head}");
    assert!(head.contains("x-request-id: req-1"), "{head}");
    let (events, done) = events(&body);
    assert!(done);
    let text: String = events
        .iter()
        .filter_map(|event| event["choices"][0]["delta"]["content"].as_str())
        .collect();
    assert_eq!(text, "echo: hello 你好");
    let finish = &events[events.len() - 2];
    assert_eq!(finish["choices"][0]["finish_reason"], "stop");
    let usage = events.last().unwrap();
    assert_eq!(usage["choices"], json!([]));
    assert_eq!(usage["usage"]["prompt_tokens"], 4);
}

#[test]
fn anthropic_whole() {
    let server = server();
    let question = r#"{"model":"m","max_tokens":9,"system":"be brief",
        "messages":[{"role":"user","content":[{"type":"text","text":"hi there"}]}]}"#;
    let (head, body) = answer(&server, "/v1/messages", question);
    assert!(head.contains("\r\nrequest-id: req-1"), "{head}");
    let answer: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(answer["content"][0]["text"], "echo: hi there");
    assert_eq!(answer["stop_reason"], "end_turn");
    assert_eq!(
        answer["usage"],
        json!({"input_tokens": 4, "output_tokens": 3})
    );
}

#[test]
fn anthropic_streamed() {
    let server = server();
    let (_, body) = answer(&server, "/close-delimited/v1/messages", STREAMED);
    let (events, _) = events(&body);
    let kinds: Vec<_> = events
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds[..2], ["message_start", "content_block_start"]);
    assert_eq!(
        kinds[kinds.len() - 3..],
        ["content_block_stop", "message_delta", "message_stop"]
    );
    let deltas = events
        .iter()
        .filter_map(|event| event["delta"]["text"].as_str());
    assert_eq!(deltas.collect::<String>(), "echo: hello 你好");
}

#[test]
fn errors_in_each_providers_words() {
    let server = server();
    for status in [400, 401, 403, 404, 408, 413, 429, 500, 503, 529] {
        let path = format!("/status/{status}/v1/chat/completions");
        let error = json(&server, &path, QUESTION);
        assert!(error["error"]["message"].is_string(), "{error}");
        let path = format!("/status/{status}/v1/messages");
        let (head, body) = answer(&server, &path, QUESTION);
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
        let error: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(error["type"], "error");
        assert!(error["error"]["type"].is_string(), "{error}");
    }
    let path = "/status/429/error-code/insufficient_quota/retry-after-ms/1500/v1/chat/completions";
    let (head, body) = answer(&server, path, QUESTION);
    assert!(head.contains("\r\nretry-after-ms: 1500\r\n"), "{head}");
    assert!(body.contains("\"code\":\"insufficient_quota\""), "{body}");
    let (head, body) = answer(&server, "/status/502/v1/messages", QUESTION);
    assert!(
        head.contains("text/html") && body.contains("<html>"),
        "{head}\n{body}"
    );
}

#[test]
fn bad_requests_are_refused_as_a_provider_does() {
    let server = server();
    for (question, why) in [
        ("{}", "messages"),
        ("{", "EOF"),
        (r#"{"messages":[]}"#, "empty"),
    ] {
        let (head, body) = answer(&server, "/v1/chat/completions", question);
        assert!(head.starts_with("HTTP/1.1 400 "), "{head}");
        assert!(body.contains(why), "{body}");
    }
    let (head, body) = answer(&server, "/delya/5ms/v1/messages", QUESTION);
    assert!(head.starts_with("HTTP/1.1 404 "), "{head}");
    assert!(body.contains("`delya`"), "{body}");
}

#[test]
fn answers_are_bent_as_the_path_says() {
    let server = server();
    let bent = |how: &str| json(&server, &format!("/{how}/v1/chat/completions"), QUESTION);
    let content = |answer: &Value| answer["choices"][0]["message"]["content"].clone();
    assert_eq!(content(&bent("words/3")), "word0 word1 word2");
    assert_eq!(
        bent("finish/length")["choices"][0]["finish_reason"],
        "length"
    );
    assert_eq!(bent("no-usage")["usage"], Value::Null);
    assert_eq!(
        content(&bent("pad/2k")).as_str().unwrap().len(),
        2048 + "echo: hello 你好".len()
    );
    assert!(bent("error-event/0")["error"]["message"].is_string());
    let (head, body) = answer(&server, "/page/v1/chat/completions", QUESTION);
    assert!(
        head.starts_with("HTTP/1.1 200 ") && head.contains("text/html"),
        "{head}"
    );
    assert!(body.contains("<html>"), "{body}");
    let (head, _) = answer(&server, "/type/text%2Fplain/v1/messages", QUESTION);
    assert!(head.contains("content-type: text/plain\r\n"), "{head}");
    let (head, _) = answer(&server, "/type/none/v1/messages", QUESTION);
    assert!(!head.contains("content-type"), "{head}");
}

#[test]
fn streams_are_bent_as_the_path_says() {
    let server = server();
    let stream = |how: &str, endpoint: &str| {
        answer(
            &server,
            &format!("/close-delimited/{how}/v1/{endpoint}"),
            STREAMED,
        )
        .1
    };
    let (ended, done) = events(&stream("no-terminal", "chat/completions"));
    assert!(
        !done && ended.len() == 4,
        "role, three words, and nothing more: {ended:?}"
    );
    assert!(!stream("no-terminal", "messages").contains("message_stop"));
    let (broken, done) = events(&stream("error-event/2", "chat/completions"));
    assert!(!done && broken.len() == 4, "{broken:?}");
    assert_eq!(broken[3]["error"]["code"], "server_error");
    assert!(stream("error-event/0", "messages").contains("overloaded_error"));
    let garbage = stream("garbage-event/1", "chat/completions");
    assert!(garbage.contains("data: {\"delta\":\n\n"), "{garbage}");
    assert!(garbage.ends_with("data: [DONE]\n\n"), "{garbage}");
    let kept = stream("keepalives/3/1ms", "chat/completions");
    assert!(kept.starts_with(&": keep-alive\n\n".repeat(3)), "{kept}");
    let pinged = stream("pings/2/1ms", "messages");
    assert_eq!(pinged.matches("event: ping\n").count(), 2);
    let blank = answer(
        &server,
        "/close-delimited/blank/4/1ms/v1/messages",
        QUESTION,
    )
    .1;
    assert!(blank.starts_with("\n\n\n\n{"), "{blank}");
}
