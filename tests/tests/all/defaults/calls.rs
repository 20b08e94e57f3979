//! Defaults for models that the table of model rules knows.

use chatcore::chat::ReasoningEffort;
use chatcore::dialect::{Anthropic, OpenAiResponses};
use chatcore::{ErrorKind, Message, Provider, Tool};
use serde_json::json;

use super::*;

/// Every provider with its default model, and other models with different rules.
fn models() -> Vec<(&'static str, Provider)> {
    let new = || Anthropic::default().version("2026-10-21");
    let openai = |model| ("as/openai", Provider::openai().with_model(model));
    let responses = |model| {
        let provider = Provider::openai().with_dialect(OpenAiResponses::default());
        ("as/openai", provider.with_model(model))
    };
    let anthropic = |model| ("as/anthropic", Provider::anthropic().with_model(model));
    vec![
        ("as/deepseek", Provider::deepseek()),
        (
            "as/deepseek",
            Provider::deepseek().with_model("deepseek-pro"),
        ),
        ("as/openai", Provider::openai()),
        openai("gpt-6-astra"),
        openai("gpt-5.6-terra"),
        openai("gpt-5.1"),
        openai("gpt-5-mini"),
        openai("o3"),
        openai("gpt-4.1-mini"),
        responses("gpt-6-luna"),
        responses("gpt-6-astra"),
        responses("gpt-5-mini"),
        responses("gpt-4.1-mini"),
        ("as/openai/v1", compatible("gpt-6-luna")),
        ("as/anthropic", Provider::anthropic()),
        ("as/anthropic", Provider::anthropic().with_dialect(new())),
        anthropic("claude-opus-5-5"),
        anthropic("claude-sonnet-5-5"),
        anthropic("claude-haiku-4-5"),
        (
            "as/anthropic",
            Provider::anthropic()
                .with_dialect(new())
                .with_model("claude-haiku-4-5"),
        ),
        ("as/mistral/v1", compatible("mistral-small-latest")),
        ("as/mistral/v1", Provider::by_name("mistral").unwrap()),
    ]
}

#[test]
fn a_default_call_works_whole_and_streamed_at_the_first_attempt() {
    let server = Server::start().unwrap();
    for (n, (path, provider)) in models().into_iter().enumerate() {
        let name = provider.model().to_owned();
        let path = match path {
            "as/openai" => format!("/key/{n}/as/openai/v1"),
            path => format!("/key/{n}/{path}"),
        };
        let client = client(&server, provider, &path);
        let whole = smol::block_on(client.chat_async("hi").into_future());
        let whole = whole.unwrap_or_else(|error| panic!("{path} {name}: {error}"));
        assert_eq!(
            (&*whole.text(), whole.attempts),
            ("echo: hi", 1),
            "{path} {name}"
        );
        let context = smol::block_on(
            client
                .chat_with_context_async([("user", "hi")])
                .into_future(),
        );
        assert_eq!(context.unwrap().text(), "echo: hi", "{path} {name}");
        let stream = client.chat_async("hi").stream().into_response();
        let stream = smol::block_on(stream).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(stream.text(), "echo: hi", "{path} {name}");
        // Mistral's servers refuse `stream_options`. Only the rule for Mistral's name says so.
        let is_named = name == "mistral-medium-latest";
        let refused = u64::from(path.ends_with("as/mistral/v1") && !is_named);
        assert_eq!(
            server.counts(&n.to_string()).requests,
            3 + refused,
            "{path} {name}"
        );
    }
}

#[test]
fn reasoning_is_off_unless_it_is_asked_for() {
    let server = Server::start().unwrap();
    let deepseek = client(&server, Provider::deepseek(), "/key/d/as/deepseek");
    let answer = smol::block_on(deepseek.chat_async("hi").into_future()).unwrap();
    assert_eq!(answer.reasoning(), "");
    let call = deepseek
        .chat_async("hi")
        .reasoning_effort(ReasoningEffort::Minimal);
    let answer = smol::block_on(call.into_future()).unwrap();
    assert!(!answer.reasoning().is_empty());
    let [off, on] = &bodies(&server, "d")[..] else {
        panic!("not two requests");
    };
    assert_eq!(off["thinking"], json!({"type": "disabled"}));
    assert_eq!(
        (&off["temperature"], &off["max_tokens"]),
        (&json!(0.0), &json!(256))
    );
    assert_eq!(on["reasoning_effort"], "low");
    assert_eq!((on.get("thinking"), on.get("temperature")), (None, None));
    // The answer still has room for 256 tokens.
    assert_eq!(on["max_tokens"], 25_256);
    // A caller's own request gets the provider's defaults.
    let request = chatcore::ChatRequest::new([chatcore::Message::user("hi")]);
    let answer = smol::block_on(deepseek.ask(request).into_future()).unwrap();
    assert!(!answer.reasoning().is_empty());
}

#[test]
fn tools_work_by_default() {
    let server = Server::start().unwrap();
    let client = client(&server, Provider::openai(), "/key/t/as/openai/v1");
    let call = client
        .chat_async("hi")
        .tool(Tool::new("f", json!({"type": "object"})));
    smol::block_on(call.into_future()).unwrap();
    assert_eq!(bodies(&server, "t")[0]["reasoning_effort"], "none");
}

#[test]
fn tools_work_with_reasoning_too() {
    let server = Server::start().unwrap();
    let client = client(&server, Provider::openai(), "/key/r/as/openai/v1");
    let call = |messages: Vec<Message>| {
        let call = client.chat_with_context_async(messages);
        call.tool(Tool::new("f", json!({"type": "object"})))
            .reasoning_effort(ReasoningEffort::Low)
    };
    let mut messages = vec![Message::user("hi")];
    let whole = smol::block_on(call(messages.clone()).into_future()).unwrap();
    assert_eq!((&*whole.text(), whole.attempts), ("echo: hi", 1));
    let stream = call(messages.clone()).stream().into_response();
    let stream = smol::block_on(stream).unwrap();
    assert_eq!(&*stream.text(), "echo: hi");
    assert_eq!(whole.usage.unwrap().reasoning_tokens, Some(150));
    // Reasoning from Responses is sent back there, even without tools.
    messages.extend([whole.message, Message::user("and you?")]);
    let next = client.chat_with_context_async(messages);
    assert_eq!(
        smol::block_on(next.into_future()).unwrap().text(),
        "echo: and you?"
    );
    let sent = bodies(&server, "r");
    let kinds = |body: &Value| -> Vec<_> {
        let items = body["input"].as_array().unwrap().iter();
        items
            .map(|item| item["type"].as_str().map(str::to_owned))
            .collect()
    };
    let [reasoning, message] = ["reasoning", "message"].map(|kind| Some(kind.to_owned()));
    assert_eq!(kinds(&sent[0]), [None]);
    assert_eq!(sent[0]["tools"][0]["name"], "f");
    assert_eq!(sent[0]["reasoning"], json!({"effort": "low"}));
    assert_eq!(kinds(&sent[2]), [None, reasoning, message, None]);
    assert!(sent[2]["input"][1]["encrypted_content"].is_string());
}

#[test]
fn what_the_caller_set_is_sent_and_its_error_says_what_to_change() {
    let server = Server::start().unwrap();
    let openai = client(&server, Provider::openai(), "/key/c/as/openai/v1");
    let call = openai
        .chat_async("hi")
        .model("gpt-6-astra")
        .temperature(0.5);
    let error = smol::block_on(call.into_future()).unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::BadRequest, 1));
    assert_eq!(error.refused_option(), Some("temperature"));
    assert!(
        error
            .to_string()
            .contains("leave it out with .temperature(None)"),
        "{error}"
    );
    assert_eq!(bodies(&server, "c")[0]["temperature"], 0.5);
    let call = openai
        .chat_async("hi")
        .model("gpt-6-astra")
        .temperature(None);
    smol::block_on(call.into_future()).unwrap();

    let claude = client(&server, Provider::anthropic(), "/key/a/as/anthropic");
    let call = claude.chat_async("hi").temperature(0.5);
    let error = smol::block_on(call.into_future()).unwrap_err();
    assert_eq!(error.refused_option(), Some("temperature"), "{error}");
    assert_eq!(server.counts("a").requests, 1);
}

#[test]
fn an_answer_that_ran_out_of_tokens_is_never_an_empty_string() {
    let server = Server::start().unwrap();
    for (n, (provider, path, model, shown)) in [
        (Provider::openai(), "as/openai/v1", "gpt-6-astra", false),
        (
            Provider::openai().with_dialect(OpenAiResponses::default()),
            "as/openai/v1",
            "gpt-6-astra",
            false,
        ),
        (Provider::deepseek(), "as/deepseek", "deepseek-flash", true),
    ]
    .into_iter()
    .enumerate()
    {
        let client = client(&server, provider, &format!("/key/{n}/{path}"));
        let call = || {
            let call = client.chat_async("hi").model(model).max_tokens(20);
            call.reasoning_effort(ReasoningEffort::Low)
        };
        // The temperature is not sent either.
        let whole = smol::block_on(call().into_future()).unwrap_err();
        let stream = smol::block_on(call().stream().into_response()).unwrap_err();
        let plain = smol::block_on(call().fetch_as_stream(false).into_future()).unwrap_err();
        for error in [whole, stream, plain] {
            assert_eq!(
                (error.kind(), error.attempts()),
                (ErrorKind::OutOfTokens, 1),
                "{error}"
            );
            assert!(error.to_string().contains("raise max_tokens"), "{error}");
            let partial = error.partial().unwrap();
            assert_eq!(partial.usage.as_ref().unwrap().output_tokens, 20);
            assert_eq!(partial.reasoning().is_empty(), !shown);
            assert!(partial.text().is_empty());
        }
        assert_eq!(server.counts(&n.to_string()).requests, 3);
    }
}
