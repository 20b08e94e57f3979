//! Embeddings: the request, the answer and the errors.

use chatcore::dialect::OllamaChat;
use chatcore::{EmbedRequest, Embeddings, Error, ErrorKind, LlmClientBuilder, Provider};
use chatcore_adapters::sim::Sim;
use serde_json::json;

use super::{Reply, client, openai, vectors};

#[test]
fn texts_become_vectors() {
    let sim = Sim::new(1);
    let (client, provider) = client(&sim, openai(), |b| b, |_, sent| vectors(sent));
    let call = client
        .embed(["a", "bcd"])
        .dimensions(2)
        .extra("user", "u-1")
        .header("x-tenant", "b");
    let answer = sim.run(async move { call.await }).unwrap();
    assert_eq!(answer.vectors, [[1.0, 97.0], [3.0, 98.0]]);
    assert_eq!(answer.model, "embed-small-2");
    assert_eq!(answer.request_id.as_deref(), Some("req-7"));
    assert_eq!(answer.attempts, 1);
    let usage = answer.usage.unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens), (2, 0));
    assert_eq!(usage.raw()["total_tokens"], 2);

    let sent = &provider.sent()[0];
    assert_eq!(sent.method, "POST");
    assert_eq!(sent.uri, "https://api.test/v1/embeddings");
    assert_eq!(sent.headers["authorization"], "Bearer sk-test");
    assert_eq!(sent.headers["content-type"], "application/json");
    assert_eq!(sent.headers["x-tenant"], "b");
    assert_eq!(
        sent.body,
        json!({"model": "embed-small", "input": ["a", "bcd"], "dimensions": 2, "user": "u-1"})
    );
    let shown = format!("{answer:?}", answer = Embeddings::default());
    assert!(shown.contains("vectors: 0"), "{shown}");
}

#[test]
fn a_model_of_the_call_and_a_request_as_a_value() {
    let sim = Sim::new(1);
    let (client, provider) = client(&sim, openai(), |b| b, |_, sent| vectors(sent));
    let request = EmbedRequest::new(["a"]).model("other");
    let asked = client.clone();
    sim.run(async move { asked.embed_request(request).await })
        .unwrap();
    sim.run(async move { client.embed(["a"]).model("third").await })
        .unwrap();
    let models: Vec<_> = (provider.sent().iter())
        .map(|sent| sent.body.clone())
        .collect();
    assert_eq!(models[0], json!({"model": "other", "input": ["a"]}));
    assert_eq!(models[1], json!({"model": "third", "input": ["a"]}));
}

/// The result of embedding two texts when the server answers with `body`.
fn answer_to_two(body: impl ToString) -> Result<Embeddings, Error> {
    let sim = Sim::new(1);
    let body = body.to_string();
    let (client, _) = client(
        &sim,
        openai(),
        |b| b.max_attempts(1),
        move |_, _| Reply::ok(&body),
    );
    sim.run(async move { client.embed(["a", "b"]).await })
}

#[test]
fn vectors_come_in_any_order_and_form() {
    for body in [
        // Out of order, with the index after the vector, unknown fields and white space.
        r#"{"data": [
            {"embedding": [0.5, -1e-3], "index": 1, "x": [[1]]},
            {"object": "embedding", "index": 0, "embedding": [ 2 , 0.25 ]}
        ], "more": {"a": 1}}"#,
        // Without an index.
        r#"{"data":[{"embedding":[2,0.25]},{"embedding":[0.5,-0.001]}]}"#,
        // 32-bit floats in base64, little-endian.
        r#"{"data":[{"index":0,"embedding":"AAAAQAAAgD4="},{"index":1,"embedding":"AAAAP28Sg7o="}]}"#,
    ] {
        let answer = answer_to_two(body).unwrap();
        assert_eq!(answer.vectors, [[2.0, 0.25], [0.5, -0.001]], "{body}");
        assert_eq!((&*answer.model, answer.usage), ("", None));
    }
    // Usage in Voyage's form, with numbers as strings.
    let body = r#"{"data":[{"embedding":[1]},{"embedding":[2]}],"usage":{"total_tokens":"9"}}"#;
    assert_eq!(answer_to_two(body).unwrap().usage.unwrap().input_tokens, 9);
}

#[test]
fn wrong_answers_are_errors_that_say_so() {
    use ErrorKind::{Protocol, RateLimited, Truncated};
    for (body, kind, why) in [
        (
            r#"{"data":[{"embedding":[1]}]}"#,
            Protocol,
            "no vector for text 1",
        ),
        (r#"{"data":[]}"#, Protocol, "no vector for text 0"),
        (
            r#"{"data":[{"embedding":[]},{"embedding":[1]}]}"#,
            Protocol,
            "no vector for text 0",
        ),
        (
            r#"{"data":[{"embedding":[1]},{"embedding":[1]},{"embedding":[1]}]}"#,
            Protocol,
            "a vector with the index 2",
        ),
        (
            r#"{"data":[{"index":1,"embedding":[1]},{"index":1,"embedding":[1]}]}"#,
            Protocol,
            "two vectors with the index 1",
        ),
        (
            r#"{"data":[{"index":-1,"embedding":[1]}]}"#,
            Protocol,
            "a vector without a valid index",
        ),
        (r#"{"data":[{"embedding":"?"}]}"#, Protocol, "base64"),
        (r#"{"data":[{"embedding":"AAA="}]}"#, Protocol, "base64"),
        (
            r#"{"data":[{"embedding":[1,null]}]}"#,
            Protocol,
            "at byte 25",
        ),
        (r#"{"data":[{"embedding":[1e99]}]}"#, Protocol, "at byte 23"),
        (r#"{"data":[3]}"#, Protocol, "at byte 9"),
        (r#"{"data":{}}"#, Protocol, "no array `data`"),
        (r#"{"object":"list"}"#, Protocol, "no array `data`"),
        (
            r#"{"data":[{"embedding":[1,2"#,
            Truncated,
            "ends before it is complete",
        ),
        (r#"{"data":[]}{"#, Protocol, "at byte 11"),
        ("", Truncated, "empty"),
        ("<html><title>Login</title>", Protocol, "a web page: Login"),
        (
            r#"{"error":{"message":"slow down","type":"rate_limit_exceeded"}}"#,
            RateLimited,
            "slow down",
        ),
    ] {
        let error = answer_to_two(body).unwrap_err();
        assert_eq!(error.kind(), kind, "{body}: {error}");
        assert!(error.to_string().contains(why), "{why}: {error}");
        assert_eq!(error.request_id(), Some("req-7"), "{body}");
    }
}

#[test]
fn what_cannot_be_asked_is_refused_before_anything_is_sent() {
    let sim = Sim::new(1);
    let (client, provider) = client(&sim, openai(), |b| b, |_, sent| vectors(sent));
    let none: [&str; 0] = [];
    let cases = [
        (client.embed(none), "`inputs` is empty"),
        (client.embed(["a", ""]), "text 1 (counted from 0) is empty"),
        (client.embed(["a"]).model(" "), "no model is set"),
        (client.embed(["a"]).dimensions(0), "0 dimensions"),
        (client.embed(["a"]).extra("input", "b"), "`input`"),
        (client.embed(["a"]).header("host", "b"), "host"),
    ];
    for (call, why) in cases {
        let error = sim.run(async move { call.await }).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains(why), "{why}: {error}");
    }
    assert!(provider.sent().is_empty());
    assert_eq!(client.status().failed, 6);
}

#[test]
fn a_dialect_without_embeddings_says_so() {
    let sim = Sim::new(1);
    let anthropic = Provider::anthropic().with_api_key("sk-ant");
    let (client, provider) = client(&sim, anthropic, |b| b, |_, sent| vectors(sent));
    let error = sim.run(async move { client.embed(["a"]).await });
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(
        error
            .to_string()
            .contains("anthropic does not support embeddings"),
        "{error}"
    );
    assert_eq!(error.provider(), Some("anthropic"));
    assert!(provider.sent().is_empty());
}

#[test]
fn ollama_speaks_its_own() {
    let sim = Sim::new(1);
    let ollama = Provider::new(
        "ollama",
        "http://127.0.0.1:11434",
        "all-minilm",
        OllamaChat::default(),
    );
    let (client, provider) = client(
        &sim,
        ollama,
        |b| b,
        |_, sent| {
            let vectors: Vec<_> = sent.texts().iter().map(|text| [text.len()]).collect();
            Reply::ok(json!({
                "model": "all-minilm", "embeddings": vectors, "total_duration": 14143917,
                "prompt_eval_count": 8,
            }))
        },
    );
    let call = client
        .embed(vec!["abc"; 513])
        .dimensions(1)
        .extra("truncate", false);
    let answer = sim.run(async move { call.await }).unwrap();
    assert_eq!(answer.vectors, vec![[3.0]; 513]);
    assert_eq!(answer.usage.unwrap().input_tokens, 16);
    let sent = provider.sent();
    assert_eq!(sent[0].uri, "http://127.0.0.1:11434/api/embed");
    assert_eq!(
        sent[1].body,
        json!({"model": "all-minilm", "input": ["abc"], "dimensions": 1, "truncate": false})
    );
    for (answer, kind, why) in [
        (
            r#"{"embeddings":[[1],[2]]}"#,
            ErrorKind::Protocol,
            "2 vectors for 1 texts",
        ),
        (
            r#"{"embeddings":[[]]}"#,
            ErrorKind::Protocol,
            "no vector for text 0",
        ),
        (
            r#"{"model":"x"}"#,
            ErrorKind::Protocol,
            "no array `embeddings`",
        ),
        (
            r#"{"error":"model failed to load"}"#,
            ErrorKind::Server,
            "failed to load",
        ),
    ] {
        let ollama = Provider::new("ollama", "http://127.0.0.1:1", "m", OllamaChat::default());
        let shape = |b: LlmClientBuilder| b.max_attempts(1);
        let (client, _) = self::client(&sim, ollama, shape, move |_, _| Reply::ok(answer));
        let error = sim
            .run(async move { client.embed(["a"]).await })
            .unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(why), "{why}: {error}");
    }
}

#[test]
fn gemini_sends_a_request_for_each_text() {
    let sim = Sim::new(1);
    let gemini = Provider::gemini()
        .with_api_key("AIza-test-0123456789")
        .with_model("gemini-embedding-001");
    let (client, provider) = client(
        &sim,
        gemini,
        |b| b,
        |_, sent| {
            let requests = sent.body["requests"].as_array().unwrap();
            let lengths = requests.iter().map(|request| {
                let text = request["content"]["parts"][0]["text"].as_str().unwrap();
                json!({"values": [text.len(), 0.5]})
            });
            Reply::ok(json!({"embeddings": lengths.collect::<Vec<_>>()}))
        },
    );
    let call = client
        .embed(vec!["abc"; 101])
        .dimensions(2)
        .extra("taskType", "RETRIEVAL_QUERY");
    let answer = sim.run(async move { call.await }).unwrap();
    assert_eq!(answer.vectors, vec![[3.0, 0.5]; 101]);
    let sent = provider.sent();
    assert_eq!(sent.len(), 2);
    let uri = "https://generativelanguage.googleapis.com/v1beta/models/\
               gemini-embedding-001:batchEmbedContents";
    assert_eq!(sent[0].uri, uri);
    assert_eq!(sent[0].headers["x-goog-api-key"], "AIza-test-0123456789");
    assert_eq!(
        sent[1].body,
        json!({"requests": [{
            "model": "models/gemini-embedding-001", "content": {"parts": [{"text": "abc"}]},
            "outputDimensionality": 2, "taskType": "RETRIEVAL_QUERY",
        }]})
    );
    for (answer, why) in [
        (r#"{"embeddings":[]}"#, "0 vectors for 1 texts"),
        (r#"{"embeddings":[{"values":[]}]}"#, "no vector for text 0"),
        (
            r#"{"embeddings":[{"values":[1]},{"values":[1]}]}"#,
            "more vectors than the 1",
        ),
        (r#"{"model":"x"}"#, "no array `embeddings`"),
        (
            r#"{"error":{"message":"not for this model"}}"#,
            "not for this model",
        ),
    ] {
        let gemini = Provider::gemini().with_api_key("AIza-test-0123456789");
        let shape = |b: LlmClientBuilder| b.max_attempts(1);
        let (client, _) = self::client(&sim, gemini, shape, move |_, _| Reply::ok(answer));
        let error = sim.run(async move { client.embed(["a"]).await });
        let error = error.unwrap_err().to_string();
        assert!(error.contains(why), "{why}: {error}");
    }
}

#[test]
fn vertex_takes_one_text_in_a_request() {
    for (model, method, answer) in [
        (
            "gemini-embedding-001",
            ":predict",
            json!({"predictions": [{"embeddings": {"values": [1, 0.5],
                "statistics": {"token_count": 3, "truncated": false}}}]}),
        ),
        (
            "gemini-embedding-2",
            ":embedContent",
            json!({"embedding": {"values": [1, 0.5]}, "usageMetadata": {"promptTokenCount": 3}}),
        ),
    ] {
        let sim = Sim::new(1);
        let vertex = Provider::vertex("p", "global", model).with_api_key("ya29.token-0123456789");
        let reply = answer.to_string();
        let (client, provider) = client(&sim, vertex, |b| b, move |_, _| Reply::ok(&reply));
        let call = client.embed(["a", "b"]).dimensions(2);
        let told = sim.run(async move { call.await }).unwrap();
        assert_eq!(told.vectors, [[1.0, 0.5], [1.0, 0.5]], "{model}");
        assert_eq!(told.usage.unwrap().input_tokens, 6, "{model}");
        let sent = provider.sent();
        assert_eq!(sent.len(), 2);
        let uri = format!(
            "https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google/\
             models/{model}{method}"
        );
        assert_eq!(sent[0].uri, uri);
        let size = json!({"outputDimensionality": 2});
        let expected = match method {
            ":predict" => json!({"instances": [{"content": "a"}], "parameters": size}),
            _ => json!({"content": {"parts": [{"text": "a"}]}, "embedContentConfig": size}),
        };
        // The requests run concurrently, in any order.
        assert!(sent.iter().any(|sent| sent.body == expected), "{model}");
    }
    let vertex = Provider::vertex("p", "global", "m").with_api_key("ya29.token-0123456789");
    let sim = Sim::new(1);
    let shape = |b: LlmClientBuilder| b.max_attempts(1);
    let (client, _) = client(&sim, vertex, shape, |_, _| Reply::ok(r#"{"x":1}"#));
    let error = sim.run(async move { client.embed(["a"]).await });
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("neither `predictions`")
    );
}
