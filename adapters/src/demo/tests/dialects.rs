//! The bytes, read by the real dialects.

use chatcore::{ChatResponse, ErrorKind, FinishReason, LlmClient, Provider, Tool, Usage};

use super::*;

/// Time stands still.
#[derive(Debug)]
struct NoTime;

impl Executor for NoTime {
    fn spawn(&self, _task: BoxFuture<'static, ()>) {}

    fn sleep(&self, _duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }

    fn now(&self) -> Instant {
        Instant::default()
    }
}

/// A client for each dialect that the model speaks.
fn clients() -> [LlmClient; 2] {
    let anthropic = Provider::anthropic().with_base_url("http://127.0.0.1");
    [Provider::demo(), anthropic].map(|provider| {
        LlmClient::builder(Arc::new(NoTime), Arc::new(DemoTransport::new()))
            .provider(provider)
            .build()
            .unwrap()
    })
}

fn usage(answer: &ChatResponse) -> (u64, u64) {
    let Usage {
        input_tokens,
        output_tokens,
        ..
    } = answer.usage.clone().unwrap();
    (input_tokens, output_tokens)
}

#[test]
fn an_answer_comes_whole() {
    for client in clients() {
        let call = client.chat_async("What is 2+2?").system_prompt("Be brief.");
        let answer = block_on(call.into_future()).unwrap();
        assert_eq!(answer.text(), "2+2 = 4.");
        assert_eq!(answer.finish_reason, Some(FinishReason::Stop));
        assert_eq!(usage(&answer), (13, 3));
        assert!(answer.request_id.unwrap().starts_with("req_demo_"));
        assert_eq!(answer.skipped_events, 0);
    }
}

#[test]
fn an_answer_comes_word_by_word() {
    for client in clients() {
        block_on(async {
            let mut stream = client.chat_async("从1数到3").stream();
            let mut words = Vec::new();
            while let Some(word) = stream.next_text().await {
                words.push(word.unwrap());
            }
            assert_eq!(words, ["1", " 2", " 3"]);
            let answer = stream.into_response().await.unwrap();
            assert_eq!(answer.finish_reason, Some(FinishReason::Stop));
            assert_eq!(usage(&answer).1, 3);
            assert_eq!(answer.skipped_events, 0);
        });
    }
}

#[test]
fn an_answer_that_is_cut_says_so() {
    for client in clients() {
        let call = client.chat_async("Count to 9").max_tokens(4);
        let answer = block_on(call.clone().into_future()).unwrap();
        assert_eq!(answer.text(), "1 2 3 4");
        assert_eq!(answer.finish_reason, Some(FinishReason::Length));
        let streamed = block_on(call.stream().into_response()).unwrap();
        assert_eq!(streamed.message, answer.message);
        assert_eq!(streamed.finish_reason, Some(FinishReason::Length));
    }
}

#[test]
fn a_tool_is_called_and_its_result_told() {
    for client in clients() {
        let prompt = "Use get_weather for the weather in Paris";
        let call = client
            .chat_async(prompt)
            .tool(Tool::new("get_weather", weather()));
        let answer = block_on(call.clone().into_future()).unwrap();
        assert_eq!(answer.finish_reason, Some(FinishReason::ToolCalls));
        let streamed = block_on(call.stream().into_response()).unwrap();
        // Ids are of the request, and a stream is another request.
        let arguments = |answer: &ChatResponse| {
            let calls = answer.tool_calls().map(|call| call.arguments.clone());
            calls.collect::<Vec<_>>()
        };
        assert_eq!(arguments(&streamed), arguments(&answer));
        let calls: Vec<_> = answer.tool_calls().collect();
        assert_eq!(calls.len(), 1);
        assert_eq!(calls[0].name, "get_weather");
        assert_eq!(calls[0].arguments_json().unwrap(), json!({"city": "Paris"}));

        let result = chatcore::Message::tool_result(&calls[0].id, "12 °C");
        let conversation = [
            chatcore::Message::user(prompt),
            answer.message.clone(),
            result,
        ];
        let call = client
            .chat_with_context_async(conversation)
            .tool(Tool::new("get_weather", weather()));
        let told = block_on(call.into_future()).unwrap();
        assert_eq!(told.text(), "The tool returned: 12 °C");
    }
}

#[test]
fn a_bad_request_is_the_providers_error() {
    for (client, field) in clients().iter().zip(["stop", "stop_sequences"]) {
        let call = client.chat_async("x").extra(field, 7);
        let error = block_on(call.into_future()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadRequest);
        assert_eq!(error.status().unwrap(), 400);
        assert_eq!(error.error_type(), Some("invalid_request_error"));
        assert!(error.message().contains(field), "{error}");
        assert!(error.request_id().unwrap().starts_with("req_demo_"));
    }
}
