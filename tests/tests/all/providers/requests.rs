//! What is sent to particular providers.

use chatcore::chat::{ReasoningEffort, Refusal, Tool};
use chatcore::{ChatRequest, Message, Mode, Part, Role};
use serde_json::{Value, json};

use super::{default_call, named, sent_by, streamed};

fn hi() -> ChatRequest {
    ChatRequest::new([Message::user("hi")])
}

/// The members of an object, without the messages.
fn options(body: &Value) -> Value {
    let mut options = body.clone();
    options.as_object_mut().unwrap().remove("messages");
    options
}

#[test]
fn a_default_call_asks_for_what_the_provider_takes() {
    for (name, uri, expected) in [
        (
            "openai",
            "https://api.openai.com/v1/chat/completions",
            json!({"model": "gpt-6-luna", "temperature": 0.0, "max_completion_tokens": 256,
                   "reasoning_effort": "none"}),
        ),
        (
            "deepseek",
            "https://api.deepseek.com/chat/completions",
            json!({"model": "deepseek-flash", "temperature": 0.0, "max_tokens": 256,
                   "thinking": {"type": "disabled"}}),
        ),
        (
            "mistral",
            "https://api.mistral.ai/v1/chat/completions",
            json!({"model": "mistral-medium-latest", "temperature": 0.0, "max_tokens": 256}),
        ),
        (
            // The model always reasons, so the limit leaves room for reasoning.
            "groq",
            "https://api.groq.com/openai/v1/chat/completions",
            json!({"model": "openai/gpt-oss-120b", "max_completion_tokens": 25_256}),
        ),
        (
            "xai",
            "https://api.x.ai/v1/chat/completions",
            json!({"model": "grok-4.3", "temperature": 0.0, "max_completion_tokens": 256,
                   "reasoning_effort": "none"}),
        ),
        (
            "cohere",
            "https://api.cohere.ai/compatibility/v1/chat/completions",
            json!({"model": "command-a-plus-05-2026", "temperature": 0.0, "max_tokens": 256,
                   "reasoning_effort": "none"}),
        ),
        (
            "perplexity",
            "https://api.perplexity.ai/chat/completions",
            json!({"model": "sonar", "temperature": 0.0, "max_tokens": 256}),
        ),
        (
            // These models have one fixed temperature, and refuse others.
            "moonshot",
            "https://api.moonshot.ai/v1/chat/completions",
            json!({"model": "kimi-k2.6", "max_completion_tokens": 256,
                   "thinking": {"type": "disabled"}}),
        ),
        (
            "zhipu",
            "https://api.z.ai/api/paas/v4/chat/completions",
            json!({"model": "glm-5.2", "temperature": 0.0, "max_tokens": 256,
                   "thinking": {"type": "disabled"}}),
        ),
        (
            "qwen",
            "https://dashscope-intl.aliyuncs.com/compatible-mode/v1/chat/completions",
            json!({"model": "qwen-plus", "temperature": 0.0, "max_tokens": 256,
                   "enable_thinking": false}),
        ),
        (
            "qwen_cn",
            "https://dashscope.aliyuncs.com/compatible-mode/v1/chat/completions",
            json!({"model": "qwen-plus", "temperature": 0.0, "max_tokens": 256,
                   "enable_thinking": false}),
        ),
        (
            "minimax",
            "https://api.minimax.io/v1/chat/completions",
            json!({"model": "MiniMax-M3", "temperature": 0.0, "max_completion_tokens": 256,
                   "thinking": {"type": "disabled"}, "reasoning_split": true}),
        ),
        (
            "stepfun",
            "https://api.stepfun.com/v1/chat/completions",
            json!({"model": "step-3.7-flash", "max_tokens": 25_256}),
        ),
        (
            // The model is unknown, so no reasoning option is sent.
            "openrouter",
            "https://openrouter.ai/api/v1/chat/completions",
            json!({"model": "some-model", "temperature": 0.0, "max_tokens": 256}),
        ),
    ] {
        let sent = default_call(name);
        assert_eq!(sent.uri, uri);
        assert_eq!(options(&sent.body), expected, "{name}");
        assert_eq!(sent.headers["authorization"], "Bearer k-0123456789abcdef");
    }
}

#[test]
fn efforts_are_the_providers_own_words() {
    for (name, model, effort, expected) in [
        (
            "cohere",
            "command-a-plus-05-2026",
            ReasoningEffort::Low,
            "high",
        ),
        ("moonshot", "kimi-k3", ReasoningEffort::Medium, "high"),
        ("moonshot", "kimi-k3", ReasoningEffort::None, "low"),
        (
            "mistral",
            "mistral-small-latest",
            ReasoningEffort::Medium,
            "high",
        ),
        ("stepfun", "step-3.7-flash", ReasoningEffort::Max, "high"),
    ] {
        let mut request = hi().model(model);
        request.reasoning_effort = Some(effort);
        let body = streamed(name, &request);
        assert_eq!(body["reasoning_effort"], expected, "{name} {model}");
    }
}

#[test]
fn azure_takes_a_key_in_a_header_of_its_own() {
    let sent = default_call("azure");
    assert_eq!(sent.uri, "https://own.test/openai/v1/chat/completions");
    assert_eq!(sent.headers["api-key"], "k-0123456789abcdef");
    assert!(!sent.headers.contains_key("authorization"));
    // The classic form has the deployment in its path and a version in its query.
    let classic = named("azure_classic").with_base_url(
        "https://res.openai.azure.com/openai/deployments/mine/chat/completions?api-version=2024-10-21",
    );
    let sent = sent_by(classic, |client| client.chat_async("hi").max_tokens(9));
    assert_eq!(
        sent.uri,
        "https://res.openai.azure.com/openai/deployments/mine/chat/completions?api-version=2024-10-21"
    );
    assert_eq!(sent.headers["api-key"], "k-0123456789abcdef");
    assert_eq!(sent.body["max_completion_tokens"], 9);
}

#[test]
fn azure_and_bedrock_go_by_responses_where_a_call_needs_them() {
    for (name, header, model) in [
        ("azure", "api-key", "gpt-6-luna"),
        ("bedrock", "authorization", "openai.gpt-5.6-terra"),
    ] {
        let mut request = hi().model(model);
        request.reasoning_effort = Some(ReasoningEffort::Low);
        request.tools = vec![Tool::new("f", json!({"type": "object"}))];
        let provider = named(name);
        let endpoint = provider.endpoint().unwrap();
        let dialect = provider.dialect();
        let encoded = dialect.encode(&endpoint, &request, Mode::Whole).unwrap();
        assert_eq!(
            encoded.uri(),
            "https://own.test/openai/v1/responses",
            "{name}"
        );
        assert!(encoded.headers().contains_key(header), "{name}");
        let encoded = dialect.encode(&endpoint, &hi(), Mode::Whole).unwrap();
        assert_eq!(
            encoded.uri().path(),
            "/openai/v1/chat/completions",
            "{name}"
        );
    }
}

#[test]
fn usage_is_asked_for_where_it_does_not_come_by_itself() {
    for (name, asked) in [
        ("openai", true),
        ("azure", true),
        ("groq", true),
        ("openrouter", true),
        ("vllm", true),
        ("mistral", false),
        ("perplexity", false),
    ] {
        let body = streamed(name, &hi());
        assert_eq!(body.get("stream_options").is_some(), asked, "{name}");
        // In both cases a stream reports as much as a whole answer.
        assert!(named(name).dialect().streams_tell_all(), "{name}");
    }
}

/// A conversation with an answer of another provider.
fn begun_elsewhere() -> ChatRequest {
    let mut answer: Message = serde_json::from_value(json!({
        "role": "assistant", "content": "It is 5.", "reasoning_content": "2 and 3",
        "reasoning_details": [{"type": "reasoning.text", "text": "2 and 3"}],
    }))
    .unwrap();
    answer.name = Some("helper".to_owned());
    let declined = Message::new(Role::Assistant, [Part::Refusal(Refusal::new("I cannot."))]);
    let mut request = ChatRequest::new([
        Message::user("2+3?"),
        answer,
        Message::user("more"),
        declined,
        Message::user("sure?"),
    ]);
    request.seed = Some(7);
    request
}

#[test]
fn mistral_gets_no_field_that_it_does_not_know() {
    let body = streamed("mistral", &begun_elsewhere());
    assert_eq!(
        body,
        json!({
            "model": "mistral-medium-latest", "random_seed": 7, "stream": true,
            "messages": [
                {"role": "user", "content": "2+3?"},
                {"role": "assistant", "content": "It is 5."},
                {"role": "user", "content": "more"},
                {"role": "assistant", "content": "I cannot."},
                {"role": "user", "content": "sure?"},
            ],
        })
    );
}

#[test]
fn reasoning_goes_back_where_it_is_wanted() {
    for (name, field) in [
        ("deepseek", Some("reasoning_content")),
        ("fireworks", Some("reasoning_content")),
        ("moonshot", Some("reasoning_content")),
        ("volcengine", Some("reasoning_content")),
        ("zhipu_cn", Some("reasoning_content")),
        ("openrouter", Some("reasoning")),
        ("openai", None),
        ("groq", None),
    ] {
        let body = streamed(name, &begun_elsewhere());
        let message = &body["messages"][1];
        for known in ["reasoning_content", "reasoning"] {
            let expected = match field == Some(known) {
                true => json!("2 and 3"),
                false => Value::Null,
            };
            assert_eq!(message[known], expected, "{name} {known}");
        }
        assert_eq!(body["seed"], 7, "{name}");
    }
}
