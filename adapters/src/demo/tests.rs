//! Tests of the demo model through a client, and of its bytes.

use chatcore::{Dialect, FinishReason, LlmClient, Message, Mode, Provider, Tool};
use futures_lite::StreamExt;
use futures_lite::future::block_on;
use serde_json::{Value, json};

use super::*;

/// A clock that only moves when something sleeps. A sleep ends at once.
#[derive(Debug, Default)]
struct Clock(Arc<std::sync::Mutex<Duration>>);

impl Executor for Clock {
    fn spawn(&self, _: BoxFuture<'static, ()>) {}

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let now = Arc::clone(&self.0);
        Box::pin(async move { *now.lock().unwrap() += duration })
    }

    fn now(&self) -> chatcore::Instant {
        chatcore::Instant::from_epoch(*self.0.lock().unwrap())
    }
}

fn request(body: &Value) -> Request<Bytes> {
    let request = Request::post("demo://offline/v1/chat/completions");
    request.body(body.to_string().into()).unwrap()
}

fn send(transport: &DemoTransport, body: &Value) -> (Response<()>, Vec<Bytes>) {
    block_on(async {
        let response = transport.send(request(body)).await.unwrap();
        let (head, mut body) = response.into_parts();
        let mut pieces = Vec::new();
        while let Some(piece) = body.next().await {
            pieces.push(piece.unwrap());
        }
        (Response::from_parts(head, ()), pieces)
    })
}

fn ask(prompt: &str) -> Value {
    json!({"model": "demo", "messages": [{"role": "user", "content": prompt}]})
}

fn whole(body: &Value) -> Value {
    let (head, pieces) = send(&DemoTransport::new(), body);
    assert_eq!(head.status(), 200, "{pieces:?}");
    serde_json::from_slice(&pieces.concat()).unwrap()
}

#[test]
fn what_the_examples_ask_is_answered() {
    for (prompt, answer) in [
        ("What is 17 * 23?", "17 * 23 = 391."),
        ("12加30等于多少？", "12+30 = 42。"),
        ("Translate 'good morning' to French.", "bonjour"),
        ("Count from 1 to 5.", "1 2 3 4 5"),
        ("Say hello, world.", "hello, world."),
        (
            "One try.",
            "You said: “One try”. I am the offline demo model, and that is all I can say about it.",
        ),
        (
            "",
            "You said: “”. I am the offline demo model, and that is all I can say about it.",
        ),
    ] {
        let text = whole(&ask(prompt))["choices"][0]["message"]["content"].take();
        assert_eq!(text, answer, "{prompt}");
    }
}

#[test]
fn a_client_gets_what_a_provider_would_send() {
    let transport = Arc::new(DemoTransport::new());
    let client = LlmClient::builder(Arc::new(Clock::default()), transport);
    let client = client.provider(Provider::demo()).build().unwrap();
    let talk = [
        Message::user("My name is Ada and I like tea."),
        Message::assistant("Hello."),
        Message::user("What is my name?"),
    ];
    let call = || client.chat_with_context_async(talk.clone());
    let answer = block_on(call().into_future()).unwrap();
    assert_eq!(answer.text(), "Your name is Ada.");
    assert_eq!(answer.finish_reason, Some(FinishReason::Stop));
    assert!(answer.request_id.is_some());
    let streamed = block_on(call().stream().into_response()).unwrap();
    assert_eq!(
        (streamed.text(), &streamed.usage),
        (answer.text(), &answer.usage)
    );

    let schema = json!({"type": "object", "properties": {"degrees": {"type": "number"},
        "to": {"enum": ["celsius", "fahrenheit"]}, "city": {"type": "string"}}});
    let tool = Tool::new("get_weather", schema);
    let call = client.chat_async("Get weather at 72 degrees in fahrenheit for Paris.");
    let answer = block_on(call.tool(tool).into_future()).unwrap();
    let call = answer.tool_calls().next().unwrap();
    assert_eq!(
        call.arguments_json().unwrap(),
        json!({"degrees": 72.0, "to": "fahrenheit", "city": "Paris"})
    );
    assert_eq!(answer.finish_reason, Some(FinishReason::ToolCalls));
}

#[test]
fn a_schema_is_obeyed() {
    let mut body = ask("Get weather at 72 degrees in fahrenheit for Paris.");
    body["response_format"] = json!({"type": "json_schema", "json_schema": {"name": "w",
        "schema": {"type": "object", "properties": {"degrees": {"type": ["integer", "null"]},
            "city": {"type": "string"}}}}});
    let answer = whole(&body);
    assert_eq!(
        answer["choices"][0]["message"]["content"],
        r#"{"degrees":72,"city":"Paris"}"#
    );
}

#[test]
fn limits_stop_and_the_same_request_gets_the_same_bytes() {
    let mut body = ask("Count from 1 to 9.");
    body["max_tokens"] = json!(3);
    let cut = whole(&body);
    assert_eq!(cut["choices"][0]["message"]["content"], "1 2 3");
    assert_eq!(cut["choices"][0]["finish_reason"], "length");
    assert_eq!(cut["usage"]["completion_tokens"], 3);
    assert_eq!(whole(&body), cut);
    let mut stopped = ask("Count from 1 to 9.");
    stopped["stop"] = json!(["7", "4"]);
    let stopped = whole(&stopped);
    assert_eq!(stopped["choices"][0]["message"]["content"], "1 2 3 ");
}

#[test]
fn what_is_wrong_is_refused_in_openais_form() {
    for (body, param) in [
        (json!({"messages": []}), "model"),
        (json!({"model": "m", "messages": []}), "messages"),
    ] {
        let (head, pieces) = send(&DemoTransport::new(), &body);
        assert_eq!(head.status(), 400);
        let error: Value = serde_json::from_slice(&pieces.concat()).unwrap();
        assert_eq!(error["error"]["param"], param);
        assert_eq!(error["error"]["type"], "invalid_request_error");
    }
    let provider = Provider::demo();
    let endpoint = provider.endpoint().unwrap();
    let dialect = chatcore::dialect::Anthropic::default();
    let request = chatcore::ChatRequest::new([Message::user("hi")]);
    let other = dialect.encode(&endpoint, &request, Mode::Whole).unwrap();
    let refused = block_on(DemoTransport::new().send(other)).unwrap();
    assert_eq!(refused.status(), 404);
}

#[test]
fn it_takes_its_time_on_the_executors_clock() {
    let [first, per_word] = [120, 12].map(Duration::from_millis);
    for stream in [false, true] {
        let clock = Arc::new(Clock::default());
        let transport = DemoTransport::new().latency(clock.clone(), first, per_word);
        let mut body = ask("Count from 1 to 5.");
        body["stream"] = json!(stream);
        send(&transport, &body);
        assert_eq!(
            clock.now() - chatcore::Instant::default(),
            first + 4 * per_word
        );
    }
}
