//! An answer fetched as a stream equals one fetched whole.

use chatcore::ChatResponse;
use chatcore::chat::{ReasoningEffort, ResponseFormat};

use super::*;

/// What a caller sees of an answer, without the ids of the request.
fn seen(mut answer: ChatResponse) -> ChatResponse {
    for id in [&mut answer.id, answer.request_id.as_mut().unwrap()] {
        assert!(!id.is_empty());
        id.clear();
    }
    answer
}

#[test]
fn whole_answers_are_the_same_either_way() {
    let server = Server::start().unwrap();
    let claude = || Provider::anthropic().with_model("claude-haiku-4-5");
    for (provider, version) in [(compatible("tiny"), "/v1"), (claude(), "")] {
        for behaviour in [
            "ok",
            "words/3000",
            "finish/length",
            "finish/stop",
            "pad/64k",
        ] {
            let path = format!("/{behaviour}{version}");
            let client = client(&server, provider.clone(), &path);
            let fetch = |as_stream: bool| {
                let call = client
                    .chat_async("你好, wörld 🦀")
                    .fetch_as_stream(as_stream);
                seen(smol::block_on(call.into_future()).unwrap())
            };
            let (whole, streamed) = (fetch(false), fetch(true));
            assert_eq!(whole.message, streamed.message, "{path}");
            assert_eq!(
                whole.finish_reason_raw, streamed.finish_reason_raw,
                "{path}"
            );
            assert_eq!(whole.model, streamed.model);
            assert_eq!(whole.extra, streamed.extra);
            let tokens = |answer: &ChatResponse| {
                let usage = answer.usage.clone();
                usage.map(|usage| (usage.input_tokens, usage.output_tokens))
            };
            assert_eq!(tokens(&whole), tokens(&streamed), "{path}");
        }
    }
    let deepseek = client(&server, Provider::deepseek(), "/as/deepseek");
    let fetch = |as_stream: bool| {
        let call = deepseek
            .chat_async("hi")
            .reasoning_effort(ReasoningEffort::Low);
        seen(smol::block_on(call.fetch_as_stream(as_stream).into_future()).unwrap())
    };
    let (whole, streamed) = (fetch(false), fetch(true));
    assert!(!whole.reasoning().is_empty());
    assert_eq!(whole.message, streamed.message);
}

#[test]
fn what_takes_long_is_fetched_as_a_stream_unless_it_is_told_otherwise() {
    let server = Server::start().unwrap();
    let path = "/key/s/as/deepseek";
    let client = client(&server, Provider::deepseek(), path);
    let off = shaped(&server, Provider::deepseek(), path, |builder| {
        builder.fetch_as_stream(false)
    });
    let on = shaped(&server, Provider::deepseek(), path, |builder| {
        builder.fetch_as_stream(true)
    });
    let effort = ReasoningEffort::Low;
    let calls = [
        (client.chat_async("hi"), false),
        (client.chat_async("hi").max_tokens(2_048), false),
        (client.chat_async("hi").max_tokens(2_049), true),
        (
            client.chat_async("hi").reasoning_effort(effort.clone()),
            true,
        ),
        (
            client
                .chat_async("hi")
                .max_tokens(9_000)
                .fetch_as_stream(false),
            false,
        ),
        (off.chat_async("hi").reasoning_effort(effort), false),
        (on.chat_async("hi"), true),
        (on.chat_async("hi").fetch_as_stream(false), false),
        // A response format changes nothing.
        (
            client
                .chat_async("hi")
                .response_format(ResponseFormat::Text),
            false,
        ),
    ];
    let expected: Vec<_> = calls.iter().map(|(_, streams)| *streams).collect();
    for (call, _) in calls {
        assert_eq!(
            smol::block_on(call.into_future()).unwrap().text(),
            "echo: hi"
        );
    }
    let bodies = bodies(&server, "s");
    let streams: Vec<_> = bodies
        .iter()
        .map(|body| body.get("stream").is_some())
        .collect();
    assert_eq!(streams, expected);
}
