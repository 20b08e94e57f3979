//! What a call sends: the same request, whichever method and type the caller uses.

use std::sync::{Arc, Mutex};

use chatcore::chat::{ReasoningEffort, ResponseFormat};
use chatcore::{
    Answer, Backend, BatchProcessor, BoxFuture, Call, ChatRequest, ChatResponse, Defaults, Error,
    ErrorKind, FinishReason, LlmClient, Message, Mode, Status, Tool, ToolChoice,
};
use chatcore_adapters::executor::SmolExecutor;
use serde_json::{Value, json};

/// Records each request, and answers with the text of the last message.
#[derive(Debug, Default)]
struct Recorder(Mutex<Vec<(ChatRequest, Defaults)>>);

impl Backend for Recorder {
    fn open(&self, call: Call, _: Mode) -> BoxFuture<'static, Result<Answer, Error>> {
        let asked = (call.request().clone(), *call.defaults());
        self.0.lock().unwrap().push(asked);
        let last = call
            .request()
            .messages
            .last()
            .map(|last| last.text().into_owned());
        Box::pin(async move {
            let text =
                last.ok_or_else(|| Error::new(ErrorKind::InvalidInput, "there is no message"))?;
            let mut answer = ChatResponse::default();
            answer.message = Message::assistant(text);
            answer.finish_reason = Some(FinishReason::Stop);
            Ok(Answer::from_response(answer))
        })
    }

    fn status(&self) -> Status {
        Status::default()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

fn recorded() -> (LlmClient, Arc<Recorder>) {
    let recorder = Arc::new(Recorder::default());
    let client = LlmClient::with_backend(Arc::new(SmolExecutor::new()), recorder.clone());
    (client, recorder)
}

/// The request that `ask` sends.
fn asked(question: impl Into<ChatRequest>) -> ChatRequest {
    let (client, recorder) = recorded();
    smol::block_on(client.ask(question).into_future()).unwrap();
    let (request, defaults) = recorder.0.lock().unwrap().pop().unwrap();
    assert_eq!(defaults, Defaults::NONE);
    request
}

#[test]
fn a_prompt_a_conversation_and_a_request_are_asked_alike() {
    let prompt = ChatRequest::new([Message::user("hi")]);
    let (text, talk, pairs) = (
        String::from("hi"),
        vec![Message::user("hi")],
        [("user", String::from("hi"))],
    );
    for request in [
        asked("hi"),
        asked(&text),
        asked(Message::user("hi")),
        asked([Message::user("hi")]),
        asked(&talk),
        asked(&pairs),
        asked(pairs.as_slice()),
        asked(pairs),
        asked(text),
        asked(talk),
        asked(prompt.clone()),
    ] {
        assert_eq!(request, prompt);
    }
    let two = [Message::system("Be brief."), Message::user("hi")];
    assert_eq!(asked(two.clone()).messages, two);
    assert_eq!(asked("hi").temperature, None);
    assert_eq!(two.iter().cloned().collect::<ChatRequest>(), asked(&two));
}

#[test]
fn the_old_names_keep_the_old_defaults() {
    let (client, recorder) = recorded();
    smol::block_on(async {
        client.chat_async("hi").await.unwrap();
        client
            .chat_with_context_async([("user", "hi")])
            .await
            .unwrap();
        client
            .chat_async("hi")
            .temperature(None)
            .max_tokens(9)
            .await
            .unwrap();
    });
    let asked = recorder.0.lock().unwrap();
    let defaults = |place: usize| {
        let defaults = asked[place].1;
        (
            defaults.temperature,
            defaults.max_tokens,
            defaults.no_reasoning,
        )
    };
    assert_eq!(defaults(0), (Some(0.0), Some(256), true));
    assert_eq!(defaults(1), (Some(0.7), Some(256), true));
    // A default is not added to a field that the caller left to the provider.
    assert_eq!(defaults(2), (None, None, true));
}

/// Sets every field with the setters that a request and a call share.
macro_rules! set_every_field {
    ($asked:expr) => {
        $asked
            .model("m")
            .message(Message::assistant("b"))
            .message(("user", "c"))
            .system_prompt("s")
            .temperature(0.5)
            .max_tokens(7)
            .top_p(0.9)
            .stop(["x", "y"])
            .seed(3)
            .tool(Tool::new("t", json!({"type": "object"})))
            .tool_choice(ToolChoice::Required)
            .reasoning_effort(ReasoningEffort::Low)
            .response_format(ResponseFormat::JsonObject)
            .extra("k", 1)
    };
}

#[test]
fn a_call_has_every_setter_of_a_request() {
    let request = set_every_field!(ChatRequest::from("a"));
    let (client, recorder) = recorded();
    let call = set_every_field!(client.ask("a"));
    smol::block_on(call.into_future()).unwrap();
    assert_eq!(recorder.0.lock().unwrap()[0].0, request);
    // A field without a setter keeps its default.
    let fields = |request: &ChatRequest| match serde_json::to_value(request) {
        Ok(Value::Object(fields)) => fields,
        other => panic!("{other:?}"),
    };
    let untouched = fields(&ChatRequest::default());
    for (name, value) in fields(&request) {
        assert_ne!(untouched[&name], value, "no setter sets `{name}`");
    }
}

#[test]
fn a_batch_asks_whole_requests() {
    let (client, recorder) = recorded();
    let batch = BatchProcessor::requests(&client).max_workers(1);
    let requests = ["a", "b"].map(|text| ChatRequest::from(text).max_tokens(5));
    let empty = ChatRequest::default();
    let asked = requests.iter().cloned().chain([empty]);
    let mut texts = Vec::new();
    smol::block_on(async {
        let mut results = batch.process_iter(asked);
        while let Some((place, result)) = results.next().await {
            texts.push((place, result.map(|answer| answer.text().into_owned())));
        }
    });
    assert!(
        matches!(&texts[..2], [(0, Ok(a)), (1, Ok(b))] if a == "a" && b == "b"),
        "{texts:?}"
    );
    assert_eq!(
        texts[2].1.as_ref().unwrap_err().kind(),
        ErrorKind::InvalidInput
    );
    let seen = recorder.0.lock().unwrap();
    assert_eq!(seen[0], (requests[0].clone(), Defaults::NONE));
    assert_eq!(seen.len(), 3);
}

#[test]
fn a_batch_takes_prompts_and_conversations_as_they_are() {
    let (client, _) = recorded();
    let prompts = BatchProcessor::requests(&client);
    let answers = smol::block_on(prompts.process_batch(["a", "b"]));
    assert_eq!(answers[1].as_ref().unwrap().text(), "b");
    let talks = BatchProcessor::requests(&client);
    let added = smol::block_on(talks.add_request(vec![("user", "a"), ("user", "c")]));
    assert_eq!(added.unwrap().text(), "c");
}
