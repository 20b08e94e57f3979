//! Typed answers of a real engine: its grammars force the form on random weights.

use std::collections::BTreeMap;
use std::sync::Arc;

use chatcore::dialect::{JsonOutput, OpenAiChat, Quirks};
use chatcore::schemars::{self, JsonSchema};
use chatcore::{ChatCall, ErrorKind, JsonCall, LlmClient, Mismatch, Provider};
use chatcore_adapters::executor::SmolExecutor;
use chatcore_adapters::transport::Http1Transport;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// A client that sends schemas to the engine's grammars.
fn client() -> LlmClient {
    let base = std::env::var("CHATCORE_LLAMACPP").unwrap();
    let quirks = Quirks::default().json_output(JsonOutput::Grammar);
    let provider = Provider::openai_compatible(format!("{base}/v1"), "tiny")
        .with_dialect(OpenAiChat::new(quirks));
    let smol = Arc::new(SmolExecutor::new());
    LlmClient::builder(smol.clone(), Arc::new(Http1Transport::new(smol)))
        .provider(provider)
        .build()
        .unwrap()
}

/// A question whose answer ends soon: each text ends at once, and no number has an exponent, which
/// random weights would make too large for any type.
fn question(client: &LlmClient) -> ChatCall {
    let bias = json!([["\"", 100], ["e", -100], ["E", -100]]);
    client
        .ask("hello")
        .temperature(0.0)
        .max_tokens(800)
        .extra("logit_bias", bias)
}

/// Asks whole, and as a stream.
fn both<T: DeserializeOwned + 'static>(call: JsonCall<T>) -> [Result<T, chatcore::Error>; 2] {
    smol::block_on(async {
        let mut stream = call.clone().stream();
        let mut grown = 0;
        let failed = loop {
            match stream.next().await {
                Some(Ok(_)) => grown += 1,
                Some(Err(error)) => break Some(error),
                None => break None,
            }
        };
        let streamed = match failed {
            Some(error) => Err(error),
            None => stream.into_answer().await,
        };
        assert!(grown > 0 || streamed.is_err(), "the value never grew");
        [call.await, streamed].map(|answer| answer.map(|answer| answer.value))
    })
}

/// Every schema of the table in the form for servers with grammars: the engine compiles it, and the
/// answer fits, or it is refused before anything is sent.
#[test]
#[cfg_attr(not(has_engine), ignore = "no engine: set CHATCORE_LLAMACPP")]
fn every_schema_of_the_table_is_answered() {
    let text = include_str!("../../../../core/cases/schemas.json");
    let cases: Vec<Value> = serde_json::from_str(text).unwrap();
    let client = client();
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let is_refused = case["sent"]["grammar"].get("error").is_some();
        let call = question(&client);
        for answer in both(call.json_schema::<Value>("answer", case["schema"].clone())) {
            match answer {
                Ok(_) => assert!(!is_refused, "{name}"),
                Err(error) if is_refused => {
                    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{name}: {error}");
                    assert_eq!(error.attempts(), 0, "{name}: {error}");
                }
                // Grammars have no bounds of fractions. The reader has.
                Err(error) => {
                    let mismatch =
                        Mismatch::of(&error).unwrap_or_else(|| panic!("{name}: {error}"));
                    assert_eq!((name, mismatch.path()), ("bounds", "share"), "{error}");
                }
            }
        }
    }
}

/// What programs use as the type of an answer.
#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
struct Report {
    title: String,
    mood: Mood,
    author: Option<Person>,
    /// None, or several.
    readers: Option<Vec<Person>>,
    pages: BTreeMap<String, u8>,
    part: Box<Section>,
    shape: Shape,
    #[serde(flatten)]
    more: More,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Mood {
    Calm,
    VeryCross,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
struct Person {
    name: String,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
struct Section {
    heading: String,
    #[serde(default)]
    parts: Vec<Section>,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Shape {
    Circle { radius: f64 },
    Square { side: f64 },
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
struct More {
    is_done: bool,
}

/// At temperature 0, both answers are the same.
fn assert_same<T: std::fmt::Debug + PartialEq>(answers: [Result<T, chatcore::Error>; 2]) {
    let [whole, streamed] = answers.map(Result::unwrap);
    assert_eq!(whole, streamed);
}

#[test]
#[cfg_attr(not(has_engine), ignore = "no engine: set CHATCORE_LLAMACPP")]
fn types_are_answered() {
    let client = client();
    assert_same(both(question(&client).json::<Report>()));
    assert_same(both(question(&client).json::<Vec<Mood>>()));
    assert_same(both(question(&client).json::<Option<Shape>>()));
}

/// The engine ignores schemas in its other dialects, so that nothing there fits. It is said.
#[test]
#[cfg_attr(not(has_engine), ignore = "no engine: set CHATCORE_LLAMACPP")]
fn what_the_engine_does_not_enforce_is_an_error() {
    for client in super::clients() {
        for answer in both(client.ask("hello").max_tokens(16).json::<Person>()) {
            assert_eq!(answer.unwrap_err().kind(), ErrorKind::InvalidOutput);
        }
    }
}
