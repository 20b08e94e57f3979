//! Bad input gets a clear error before anything is sent.

use std::sync::Arc;

use chatcore::{
    ChatCall, Config, Error, ErrorKind, LlmClient, Message, Provider, Role, dialect::Anthropic,
};
use chatcore_adapters::BlockingCall;
use chatcore_adapters::executor::SmolExecutor;
use chatcore_adapters::transport::Http1Transport;
use chatcore_conformance::server::Server;

fn build(provider: Provider) -> Result<LlmClient, Error> {
    let executor = Arc::new(SmolExecutor::new());
    let transport = Arc::new(Http1Transport::new(executor.clone()));
    LlmClient::builder(executor, transport)
        .provider(provider)
        .build()
}

#[test]
fn requests() {
    let server = Server::start().unwrap();
    let openai = build(Provider::openai_compatible(server.url("/v1"), "tiny")).unwrap();
    let anthropic = build(
        Provider::anthropic()
            .with_dialect(Anthropic::default())
            .with_base_url(server.base_url())
            .with_api_key("sk-test-key"),
    )
    .unwrap();
    let nothing: [Message; 0] = [];
    let huge = "x".repeat(40 << 20);
    let call = |client: &LlmClient| client.chat_async("hi");
    let cases: Vec<(ChatCall, &str)> = vec![
        (openai.chat_async(""), "nothing to answer"),
        (openai.chat_async(" \n"), "nothing to answer"),
        (openai.chat_with_context_async(nothing), "nothing to answer"),
        (
            openai.chat_with_context_async([Message::user("hi"), Message::new(Role::User, [])]),
            "message 1 has no parts",
        ),
        (
            call(&openai).temperature(f64::NAN),
            "temperature is NaN; it must be from 0 to 2",
        ),
        (
            call(&openai).temperature(-1.0),
            "temperature is -1; it must be from 0 to 2",
        ),
        (
            call(&openai).temperature(2.5),
            "temperature is 2.5; it must be from 0 to 2",
        ),
        (call(&anthropic).temperature(1.5), "Anthropic allows 0 to 1"),
        (
            call(&openai).top_p(1.5),
            "top_p is 1.5; it must be from 0 to 1",
        ),
        (call(&openai).max_tokens(0), "max_tokens is 0"),
        (call(&openai).model(""), "model's name is empty"),
        (call(&openai).extra("n", 3), "several answers"),
        (
            call(&openai).header("Authorization", "Bearer other"),
            "authorization cannot be set for one call",
        ),
        (
            call(&openai).header("x-mine", "a\nb"),
            "the value of the header x-mine cannot be sent",
        ),
        (
            call(&anthropic).header("anthropic-version", "2020-01-01"),
            "anthropic-version belongs to the dialect",
        ),
        (
            call(&openai).extra("stream", true),
            "do not set `stream` in extra",
        ),
        (call(&anthropic).seed(1), "Anthropic has no seed"),
        (
            call(&openai).system_prompt(&*huge),
            "message 0 (the system prompt), 41943040 bytes",
        ),
        (
            anthropic.chat_with_context_async([Message::system("be brief")]),
            "only a system prompt",
        ),
    ];
    for (call, why) in cases {
        let streamed = call.clone();
        let whole = call.wait().unwrap_err();
        let streamed = smol::block_on(streamed.stream().into_response()).unwrap_err();
        for error in [whole, streamed] {
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{why}: {error}");
            assert!(error.to_string().contains(why), "{why}: {error}");
            assert_eq!(error.attempts(), 0, "{error}");
            assert!(!error.is_retryable(), "{error}");
            assert!(error.to_string().len() < 500, "too long for one line");
        }
    }
    assert_eq!(server.stats().accepted, 0, "something was sent");
    assert_eq!(openai.status().active + openai.status().queued, 0);
}

#[test]
fn providers() {
    let deepseek = Provider::deepseek;
    for (provider, why) in [
        (
            deepseek(),
            "set DEEPSEEK_API_KEY or LLM_API_KEY, or Provider::with_api_key, or USE_MOCK_LLM=true",
        ),
        (deepseek().with_api_key("sk-1\nx"), "a line break"),
        (deepseek().with_api_key("Bearer sk-1"), "the word Bearer"),
        (deepseek().with_api_key(""), "the API key is empty"),
        (deepseek().with_api_key("sk 1"), "a space"),
        (
            deepseek().with_api_key("sk-1").with_base_url("no url"),
            "does not begin with https:// or http://",
        ),
        (
            deepseek()
                .with_api_key("sk-1")
                .with_base_url("https://me:pw@x.example/v1"),
            "has a user name or password in it",
        ),
        (
            deepseek()
                .with_api_key("sk-1")
                .with_base_url("http://api.deepseek.com/v1"),
            "would be sent unencrypted to api.deepseek.com: use https",
        ),
    ] {
        let error = build(provider).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{why}: {error}");
        assert!(error.to_string().contains(why), "{why}: {error}");
        assert!(!error.to_string().contains("pw"), "{error}");
    }
    let missing = build(deepseek()).unwrap_err();
    assert_eq!(missing.code(), Some("missing_api_key"));
    // A private server may add the key itself.
    build(deepseek().without_api_key()).unwrap();
}

#[test]
fn variables() {
    // Unit tests beside the code cover the table of bad values. This tests that a caller sees the
    // error.
    let error = Config::from_vars(|name| (name == "LLM_ASYNC_WORKERS").then(|| "five".into()));
    let error = error.unwrap_err().to_string();
    for part in [
        "LLM_ASYNC_WORKERS",
        "\"five\"",
        "a whole number of at least 1",
    ] {
        assert!(error.contains(part), "{error}");
    }
}
