//! A real engine: the llama.cpp server at `CHATCORE_LLAMACPP`, with a tiny model of random weights.
//! Its text makes no sense, but its tokens, framing and errors are real.

mod loops;
mod typed;

use std::sync::Arc;

use chatcore::dialect::OpenAiResponses;
use chatcore::{
    ChatEvent, ChatResponse, ErrorKind, FinishReason, LlmClient, Message, Provider, Tool,
    gather_with_limit,
};
use chatcore_adapters::BlockingCall;
use chatcore_adapters::executor::{SmolExecutor, ThreadPool};
use chatcore_adapters::transport::{Http1Transport, UreqTransport};
use serde_json::json;

/// A client for each of the engine's dialects on both native pairs.
fn clients() -> Vec<LlmClient> {
    let base = std::env::var("CHATCORE_LLAMACPP").unwrap();
    let smol = Arc::new(SmolExecutor::new());
    let pool = ThreadPool::new(4).unwrap();
    let mut clients = Vec::new();
    for provider in [
        Provider::openai_compatible(format!("{base}/v1"), "tiny"),
        Provider::openai_compatible(format!("{base}/v1"), "tiny")
            .with_dialect(OpenAiResponses::default()),
        Provider::anthropic().with_base_url(base).with_model("tiny"),
    ] {
        for builder in [
            LlmClient::builder(smol.clone(), Arc::new(Http1Transport::new(smol.clone()))),
            LlmClient::builder(
                Arc::new(pool.clone()),
                Arc::new(UreqTransport::new(pool.clone())),
            ),
        ] {
            clients.push(builder.provider(provider.clone()).build().unwrap());
        }
    }
    clients
}

/// Whether an answer reached its token limit. In Responses, the server reports `completed` even
/// then.
fn is_cut(answer: &ChatResponse, limit: u64) -> bool {
    let used = answer.usage.as_ref().map_or(0, |usage| usage.output_tokens);
    let is_told = answer.finish_reason == Some(FinishReason::Length);
    is_told || (answer.finish_reason_raw == "completed" && used >= limit)
}

#[test]
#[cfg_attr(not(has_engine), ignore = "no engine: set CHATCORE_LLAMACPP")]
fn whole_and_streamed() {
    for client in clients() {
        let whole = client.chat_async("hello").max_tokens(16);
        let whole = whole.wait().unwrap();
        assert!(!whole.text().is_empty(), "{whole:?}");
        let usage = whole.usage.as_ref().unwrap();
        assert!(
            usage.input_tokens > 0 && usage.output_tokens > 0,
            "{usage:?}"
        );
        assert!(usage.output_tokens <= 16, "{usage:?}");
        assert!(whole.finish_reason.is_some());

        let mut stream = client.chat_async("hello").max_tokens(16).stream();
        let mut text = String::new();
        let mut pieces = 0;
        while let Some(event) = smol::block_on(stream.next()) {
            if let ChatEvent::Text(piece) = event.unwrap() {
                text.push_str(&piece);
                pieces += 1;
            }
        }
        assert!(pieces > 1, "it came in {pieces} pieces");
        let streamed = smol::block_on(stream.into_response()).unwrap();
        assert_eq!(streamed.text(), text);
        assert!(streamed.usage.is_some(), "{streamed:?}");
        // At temperature 0 the text is the same twice.
        assert_eq!(streamed.text(), whole.text());
    }
}

#[test]
#[cfg_attr(not(has_engine), ignore = "no engine: set CHATCORE_LLAMACPP")]
fn a_conversation_and_its_limit() {
    for client in clients() {
        let mut messages = vec![
            Message::user("one"),
            Message::assistant("two"),
            Message::user("three"),
        ];
        let answer = client
            .chat_with_context_async(messages.clone())
            .max_tokens(3)
            .wait()
            .unwrap();
        assert!(is_cut(&answer, 3), "{answer:?}");
        messages.push(answer.message);
        messages.push(Message::user("four"));
        client
            .chat_with_context_async(messages)
            .max_tokens(3)
            .wait()
            .unwrap();
    }
}

#[test]
#[cfg_attr(not(has_engine), ignore = "no engine: set CHATCORE_LLAMACPP")]
fn a_tool_that_must_be_called() {
    let tool = Tool::new(
        "weather",
        json!({"type": "object", "properties": {"city": {"type": "string", "maxLength": 8}}, "required": ["city"]}),
    );
    for client in clients() {
        let call = client
            .chat_async("weather in Paris")
            .max_tokens(200)
            .tool(tool.clone())
            .tool_choice(chatcore::ToolChoice::Required);
        let answer = smol::block_on(call.stream().into_response()).unwrap();
        // Random weights may generate until the limit, but a call that was finished is complete.
        if answer.finish_reason == Some(FinishReason::ToolCalls) && !is_cut(&answer, 200) {
            let called: Vec<_> = answer.tool_calls().collect();
            assert!(!called.is_empty(), "{answer:?}");
            for call in called {
                assert_eq!(call.name, "weather");
                assert!(
                    call.arguments_json().unwrap()["city"].is_string(),
                    "{call:?}"
                );
            }
        }
    }
}

#[test]
#[cfg_attr(not(has_engine), ignore = "no engine: set CHATCORE_LLAMACPP")]
fn a_turn_with_a_tool() {
    // A small tool, because the context has no room for long calls.
    let tool = Tool::new("now", json!({"type": "object", "properties": {}}));
    let mut turns = 0;
    for client in clients() {
        let mut messages = vec![Message::user("what time is it?")];
        let call = client
            .chat_with_context_async(messages.clone())
            .max_tokens(400)
            .tool(tool.clone())
            .tool_choice(chatcore::ToolChoice::Required);
        let answer = smol::block_on(call.stream().into_response()).unwrap();
        let results: Vec<_> = answer
            .tool_calls()
            .map(|call| Message::tool_result(&*call.id, "noon"))
            .collect();
        assert!(!results.is_empty(), "{answer:?}");
        // The server does not accept back a call whose arguments were cut off.
        let is_whole = |call: &chatcore::ToolCall| call.arguments_json().is_ok();
        if !answer.tool_calls().all(is_whole) {
            continue;
        }
        messages.push(answer.message.clone());
        messages.extend(results);
        let next = client.chat_with_context_async(messages).max_tokens(8);
        let next = next.wait().unwrap();
        assert!(!next.message.parts.is_empty(), "{next:?}");
        turns += 1;
    }
    assert!(turns > 0, "no call was whole");
}

#[test]
#[cfg_attr(not(has_engine), ignore = "no engine: set CHATCORE_LLAMACPP")]
fn many_at_once() {
    for client in clients() {
        let calls = (0..20).map(|n| client.chat_async(format!("number {n}")).max_tokens(8));
        for answer in smol::block_on(gather_with_limit(calls, 10)) {
            answer.unwrap();
        }
        let status = client.status();
        assert_eq!((status.succeeded, status.active, status.queued), (20, 0, 0));
    }
}

#[test]
#[cfg_attr(not(has_engine), ignore = "no engine: set CHATCORE_LLAMACPP")]
fn its_errors_are_typed() {
    for client in clients() {
        // More tokens than the context holds.
        let error = client
            .chat_async("word ".repeat(20_000))
            .wait()
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadRequest, "{error:?}");
        assert_eq!(error.status().unwrap().as_u16(), 400);
        assert!(!error.message().is_empty());
    }
    let base = std::env::var("CHATCORE_LLAMACPP").unwrap();
    let smol = Arc::new(SmolExecutor::new());
    let nowhere = LlmClient::builder(smol.clone(), Arc::new(Http1Transport::new(smol)))
        .provider(Provider::openai_compatible(
            format!("{base}/nowhere"),
            "tiny",
        ))
        .build()
        .unwrap();
    let error = nowhere.chat_async("hi").wait().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}");
}
