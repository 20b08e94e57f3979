//! Defaults that a model refuses, in dialects that write options into a member of their own.

use serde_json::{Value, json};

use super::*;

/// A server whose model knows only some of the options.
#[derive(Debug)]
struct Picky {
    /// The error that the server returns for this body, if it refuses it.
    refuse: fn(&Value) -> Option<&'static str>,
    answer: &'static str,
    bodies: Mutex<Vec<Value>>,
}

#[async_trait]
impl Transport for Picky {
    async fn send(
        &self,
        request: Request<Bytes>,
    ) -> Result<http::Response<ByteStream>, TransportError> {
        let body = serde_json::from_slice(request.body()).unwrap();
        let refusal = (self.refuse)(&body);
        self.bodies.lock().unwrap().push(body);
        let (status, body) = match refusal {
            Some(refusal) => (400, refusal),
            None => (200, self.answer),
        };
        let response = http::Response::builder().status(status);
        Ok(response.body(ByteStream::from_bytes(body)).unwrap())
    }
}

struct Asked {
    clock: Arc<Clockwork>,
    client: LlmClient,
    server: Arc<Picky>,
}

impl Asked {
    fn new(
        provider: Provider,
        answer: &'static str,
        refuse: fn(&Value) -> Option<&'static str>,
    ) -> Self {
        let (clock, executor) = Clockwork::new();
        let server = Arc::new(Picky {
            refuse,
            answer,
            bodies: Mutex::default(),
        });
        let builder = LlmClient::builder(executor, server.clone());
        Self {
            clock,
            client: builder
                .provider(provider.with_api_key("k"))
                .build()
                .unwrap(),
            server,
        }
    }

    /// Runs a chat, and returns how many attempts its answer took.
    fn attempts(&self) -> u32 {
        let answer = self.clock.run(self.client.chat_async("hi").into_future());
        let answer = answer.unwrap();
        assert_eq!(answer.text(), "ok");
        answer.attempts
    }

    /// The member that holds the options, of every body that was sent.
    fn options(&self, member: &str) -> Vec<Value> {
        let bodies = self.server.bodies.lock().unwrap();
        bodies.iter().map(|body| body[member].clone()).collect()
    }
}

const GEMINI: &str =
    r#"{"candidates":[{"content":{"parts":[{"text":"ok"}]},"finishReason":"STOP"}]}"#;
const OLLAMA: &str = r#"{"message":{"role":"assistant","content":"ok"},"done":true}"#;

fn gemini() -> Provider {
    Provider::gemini().with_model("gemini-2.5-flash")
}

fn vertex() -> Provider {
    Provider::vertex("p", "global", "gemini-2.5-flash")
}

fn ollama() -> Provider {
    Provider::ollama("tiny")
}

/// Whether the options in `body`, in either dialect, have one of these names.
fn has(body: &Value, names: [&str; 2]) -> bool {
    ["generationConfig", "options"]
        .iter()
        .any(|member| names.iter().any(|name| body[member].get(name).is_some()))
}

#[test]
fn a_refused_temperature_is_left_out_and_remembered() {
    let refuse = |body: &Value| {
        has(body, ["temperature"; 2]).then_some(
            r#"{"error":{"code":400,"status":"INVALID_ARGUMENT","message":"Invalid JSON payload received. Unknown name \"temperature\" at 'generation_config': Cannot find field."}}"#,
        )
    };
    let thinks_not = json!({"thinkingBudget": 0});
    for (provider, answer, member, first, then) in [
        (
            gemini(),
            GEMINI,
            "generationConfig",
            json!({"temperature": 0.0, "maxOutputTokens": 256, "thinkingConfig": thinks_not}),
            json!({"maxOutputTokens": 256, "thinkingConfig": thinks_not}),
        ),
        (
            vertex(),
            GEMINI,
            "generationConfig",
            json!({"temperature": 0.0, "maxOutputTokens": 256, "thinkingConfig": thinks_not}),
            json!({"maxOutputTokens": 256, "thinkingConfig": thinks_not}),
        ),
        (
            ollama(),
            OLLAMA,
            "options",
            json!({"temperature": 0.0, "num_predict": 256}),
            json!({"num_predict": 256}),
        ),
    ] {
        let asked = Asked::new(provider, answer, refuse);
        assert_eq!((asked.attempts(), asked.attempts()), (2, 1));
        assert_eq!(asked.options(member), [first, then.clone(), then]);
    }
}

#[test]
fn a_refused_limit_is_left_out_and_remembered() {
    let refuse = |body: &Value| {
        has(body, ["maxOutputTokens", "num_predict"]).then_some(
            r#"{"error":{"message":"maxOutputTokens and num_predict are not supported"}}"#,
        )
    };
    for (provider, answer, member) in [
        (gemini(), GEMINI, "generationConfig"),
        (ollama(), OLLAMA, "options"),
    ] {
        let asked = Asked::new(provider, answer, refuse);
        assert_eq!((asked.attempts(), asked.attempts()), (2, 1));
        let options = asked.options(member);
        assert!(has(
            &json!({ member: options[0] }),
            ["maxOutputTokens", "num_predict"]
        ));
        assert_eq!(options[1]["temperature"], 0.0);
        assert_eq!(options[1], options[2]);
    }
}

#[test]
fn a_model_that_always_reasons_gets_room_for_it() {
    let asked = Asked::new(gemini(), GEMINI, |body| {
        let budget = body.pointer("/generationConfig/thinkingConfig/thinkingBudget");
        (budget == Some(&json!(0))).then_some(
            r#"{"error":{"code":400,"status":"INVALID_ARGUMENT","message":"Budget 0 is invalid. This model only works in thinking mode."}}"#,
        )
    });
    assert_eq!((asked.attempts(), asked.attempts()), (2, 1));
    let roomy = json!({"maxOutputTokens": 25_256});
    assert_eq!(
        asked.options("generationConfig")[1..],
        [roomy.clone(), roomy]
    );
    let asked = Asked::new(ollama(), OLLAMA, |body| {
        (body["think"] == false).then_some(r#"{"error":"think value \"false\" is not supported"}"#)
    });
    assert_eq!((asked.attempts(), asked.attempts()), (2, 1));
    let said = asked.options("think");
    assert_eq!(said, [json!(false), Value::Null, Value::Null]);
}

#[test]
fn what_the_caller_set_among_the_options_stays() {
    let refuse = |body: &Value| {
        has(body, ["temperature"; 2])
            .then_some(r#"{"error":{"message":"Unknown name \"temperature\""}}"#)
    };
    for (provider, answer, member) in [
        (gemini(), GEMINI, "generationConfig"),
        (ollama(), OLLAMA, "options"),
    ] {
        let asked = Asked::new(provider, answer, refuse);
        let own = || asked.client.chat_async("hi");
        for call in [
            own().temperature(1.0),
            own().extra(member, json!({"temperature": 1.0})),
        ] {
            let error = asked.clock.run(call.into_future()).unwrap_err();
            let told = (error.kind(), error.attempts(), error.refused_option());
            assert_eq!(told, (ErrorKind::BadRequest, 1, Some("temperature")));
        }
        let sent = asked.options(member);
        assert!(sent.iter().all(|options| options["temperature"] == 1.0));
    }
}
