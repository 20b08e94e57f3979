//! Lists of models.

use std::sync::Arc;

use chatcore::dialect::OllamaChat;
use chatcore::{
    Answer, Backend, BoxFuture, Call, Error, ErrorKind, LlmClient, Mode, ModelInfo, Operation,
    Provider, Status,
};
use chatcore_adapters::sim::Sim;
use serde_json::json;

use super::{Heard, Reply, client, openai};

fn listed(provider: Provider, body: impl ToString) -> Result<Vec<ModelInfo>, Error> {
    let sim = Sim::new(1);
    let body = body.to_string();
    let (client, _) = client(
        &sim,
        provider,
        |b| b.max_attempts(1),
        move |_, _| Reply::ok(&body),
    );
    sim.run(async move { client.models().await })
}

#[test]
fn openai_and_servers_like_it() {
    let models = listed(
        openai(),
        json!({"object": "list", "data": [
            {"id": "gpt-6-luna", "object": "model", "created": 1790000000, "owned_by": "openai",
             "shutdown_date": null},
            {"id": "gpt-4o", "owned_by": "system", "shutdown_date": "2027-01-14"},
            {"id": "groq", "context_window": 131072},
            {"id": "router", "context_length": 8192.0, "pricing": {"prompt": "0.1"}},
            {"id": "vllm", "owned_by": "vllm", "max_model_len": 4096},
            {"object": "model"},
            7,
        ]}),
    )
    .unwrap();
    let ids: Vec<_> = models.iter().map(|model| &*model.id).collect();
    assert_eq!(ids, ["gpt-6-luna", "gpt-4o", "groq", "router", "vllm"]);
    assert_eq!(models[0].owner.as_deref(), Some("openai"));
    assert_eq!(models[0].shutdown_date, None);
    assert_eq!(models[0].extra["created"], 1_790_000_000);
    assert_eq!(models[1].shutdown_date.as_deref(), Some("2027-01-14"));
    let tokens: Vec<_> = models.iter().map(|model| model.context_tokens).collect();
    assert_eq!(tokens, [None, None, Some(131_072), Some(8192), Some(4096)]);
    assert_eq!(models[3].extra["pricing"]["prompt"], "0.1");
    // Together's list is the bare array.
    let models = listed(openai(), json!([{"id": "a"}, {"id": "b"}])).unwrap();
    assert_eq!(models.len(), 2);
    for (body, why) in [
        (r#"{"object":"list"}"#, "no array `data`"),
        (r#"{"error":{"message":"who are you"}}"#, "who are you"),
        ("not found", "not found"),
    ] {
        let error = listed(openai(), body).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[test]
fn ollama_lists_what_it_has() {
    let ollama = Provider::new("ollama", "http://127.0.0.1:1", "m", OllamaChat::default());
    let models = listed(
        ollama,
        json!({"models": [
            {"name": "qwen3:4b", "model": "qwen3:4b", "size": 2600000000_u64,
             "details": {"family": "qwen3"}},
            {"name": "all-minilm:latest"},
        ]}),
    )
    .unwrap();
    let ids: Vec<_> = models.iter().map(|model| &*model.id).collect();
    assert_eq!(ids, ["qwen3:4b", "all-minilm:latest"]);
    assert_eq!(models[0].extra["details"]["family"], "qwen3");
}

#[test]
fn gemini_page_by_page() {
    let sim = Sim::new(1);
    let gemini = Provider::gemini().with_api_key("AIza-test-0123456789");
    let (client, provider) = client(
        &sim,
        gemini,
        |b| b,
        |number, _| {
            Reply::ok(match number {
                0 => json!({
                    "models": [{"name": "models/gemini-a", "inputTokenLimit": 1048576,
                                "supportedGenerationMethods": ["generateContent"]}],
                    "nextPageToken": "a b&c",
                }),
                _ => json!({"models": [{"name": "tunedModels/b"}]}),
            })
        },
    );
    let models = sim.run(async move { client.models().await }).unwrap();
    let ids: Vec<_> = models.iter().map(|model| &*model.id).collect();
    assert_eq!(ids, ["gemini-a", "tunedModels/b"]);
    assert_eq!(models[0].context_tokens, Some(1_048_576));
    assert_eq!(
        models[0].extra["supportedGenerationMethods"][0],
        "generateContent"
    );
    let uris: Vec<_> = provider.sent().into_iter().map(|sent| sent.uri).collect();
    let base = "https://generativelanguage.googleapis.com/v1beta/models?pageSize=1000";
    assert_eq!(
        uris,
        [base.to_owned(), format!("{base}&pageToken=a%20b%26c")]
    );
}

#[test]
fn a_get_without_a_body() {
    let sim = Sim::new(1);
    let heard = Arc::new(Heard::default());
    let observer = heard.clone();
    let (client, provider) = client(
        &sim,
        openai(),
        |b| b.observer(observer),
        |_, _| Reply::ok(json!({"data": []})),
    );
    sim.run(async move { client.models().await }).unwrap();
    let sent = &provider.sent()[0];
    assert_eq!(
        (&*sent.method, &*sent.uri),
        ("GET", "https://api.test/v1/models")
    );
    assert_eq!(sent.headers["authorization"], "Bearer sk-test");
    assert!(!sent.headers.contains_key("content-type"));
    assert!(sent.body.is_null());
    assert_eq!(heard.all(), [(Operation::Models, "succeeded")]);
}

#[test]
fn anthropic_page_by_page() {
    for base in ["https://anthropic.test", "https://anthropic.test/v1"] {
        let sim = Sim::new(1);
        let anthropic = Provider::anthropic()
            .with_api_key("sk-ant")
            .with_base_url(base);
        let (client, provider) = client(
            &sim,
            anthropic,
            |b| b,
            |number, _| {
                Reply::ok(match number {
                    0 => json!({
                        "data": [{"type": "model", "id": "claude-a", "display_name": "Claude A",
                                  "max_input_tokens": 200000}],
                        "has_more": true, "first_id": "claude-a", "last_id": "claude a&b",
                    }),
                    1 => {
                        json!({"data": [{"id": "claude-b"}], "has_more": true, "last_id": "claude-b"})
                    }
                    _ => {
                        json!({"data": [{"id": "claude-c"}], "has_more": false, "last_id": "claude-c"})
                    }
                })
            },
        );
        let models = sim.run(async move { client.models().await }).unwrap();
        let ids: Vec<_> = models.iter().map(|model| &*model.id).collect();
        assert_eq!(ids, ["claude-a", "claude-b", "claude-c"]);
        assert_eq!(models[0].context_tokens, Some(200_000));
        assert_eq!(models[0].extra["display_name"], "Claude A");
        let sent = provider.sent();
        let uris: Vec<_> = sent.iter().map(|sent| &*sent.uri).collect();
        let at = "https://anthropic.test/v1/models?limit=1000";
        assert_eq!(
            uris,
            [
                at,
                &format!("{at}&after_id=claude%20a%26b"),
                &format!("{at}&after_id=claude-b"),
            ]
        );
        assert_eq!(sent[2].headers["x-api-key"], "sk-ant");
        assert_eq!(sent[2].headers["anthropic-version"], "2023-06-01");
    }
}

#[test]
fn a_list_without_an_end_is_an_error() {
    for turns in [1, usize::MAX] {
        let sim = Sim::new(1);
        let anthropic = Provider::anthropic().with_api_key("sk-ant");
        let (client, provider) = client(
            &sim,
            anthropic,
            |b| b,
            move |number, _| {
                let last = format!("claude-{}", number % turns);
                Reply::ok(json!({"data": [{"id": last}], "has_more": true, "last_id": last}))
            },
        );
        let error = sim.run(async move { client.models().await }).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol);
        assert!(error.to_string().contains("does not end"), "{error}");
        let requests = if turns == 1 { 2 } else { 1000 };
        assert_eq!(provider.sent().len(), requests);
    }
}

/// A `Backend` that implements no optional jobs.
#[derive(Debug)]
struct ChatsOnly(Arc<dyn Backend>);

impl Backend for ChatsOnly {
    fn open(&self, call: Call, mode: Mode) -> BoxFuture<'static, Result<Answer, Error>> {
        self.0.open(call, mode)
    }

    fn status(&self) -> Status {
        self.0.status()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.0.close()
    }
}

#[test]
fn a_backend_may_answer_chats_only() {
    let sim = Sim::new(1);
    let (inner, provider) = client(&sim, openai(), |b| b, |_, _| Reply::ok(json!({"data": []})));
    let chats_only = Arc::new(ChatsOnly(Arc::clone(inner.backend())));
    let client = LlmClient::with_backend(sim.executor(), chats_only);
    sim.run(async move {
        for error in [
            client.models().await.unwrap_err(),
            client.embed(["a"]).await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains("chats only"), "{error}");
        }
    });
    assert!(provider.sent().is_empty());
}
