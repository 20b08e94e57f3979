//! Values that grow with a streamed answer.

use chatcore::{ErrorKind, Mismatch};
use chatcore_adapters::sim::Sim;
use serde::Deserialize;
use serde_json::{Value, json};

use super::replies::reply;
use super::{Recipe, TEA, chat, providers, tea};
use crate::jobs::client;

#[derive(Debug, Deserialize)]
struct Growing {
    title: Option<String>,
    #[serde(default)]
    steps: Vec<Value>,
}

#[test]
fn a_value_grows_in_each_dialect() {
    for provider in providers() {
        let name = provider.name().to_owned();
        let sim = Sim::new(1);
        let (client, server) = client(&sim, provider, |b| b, |_, sent| reply(sent, TEA));
        let mut stream = client.ask("How do I make tea?").json::<Recipe>().stream();
        let (titles, steps, last, answer) = sim.run(async move {
            let (mut titles, mut steps, mut last) = (Vec::new(), Vec::new(), Value::Null);
            while let Some(value) = stream.next().await {
                last = value.unwrap().clone();
                let growing: Growing = stream.partial().unwrap();
                titles.push(growing.title.unwrap_or_default());
                steps.push(growing.steps.len());
            }
            assert!(stream.response().is_some());
            (titles, steps, last, stream.into_answer().await.unwrap())
        });
        titles_grow(&name, titles);
        assert!(steps.is_sorted(), "{name}: {steps:?}");
        assert_eq!(last, serde_json::from_str::<Value>(TEA).unwrap(), "{name}");
        assert_eq!(answer.value, tea(), "{name}");
        assert_eq!(answer.response.usage.unwrap().output_tokens, 3, "{name}");
        assert_eq!(server.sent().len(), 1, "{name}");
    }
}

/// Each title begins with the one before it, and no piece waits for the next one.
fn titles_grow(name: &str, mut titles: Vec<String>) {
    titles.dedup();
    for pair in titles.windows(2) {
        assert!(pair[1].starts_with(&pair[0]), "{name}: {pair:?}");
    }
    assert_eq!(titles.last().unwrap(), "Tea \"é\"");
    assert!(titles.len() >= 4, "{name}: {titles:?}");
}

#[test]
fn a_wrapped_value_grows_unwrapped() {
    let sim = Sim::new(1);
    let provider = chat();
    let (client, _) = client(
        &sim,
        provider,
        |b| b,
        |_, sent| reply(sent, r#"{"value":["one","two","three"]}"#),
    );
    let mut stream = client.ask("Count.").json::<Vec<String>>().stream();
    let (values, answer) = sim.run(async move {
        let mut values = Vec::new();
        while let Some(value) = stream.next().await {
            values.push(value.unwrap().clone());
        }
        (values, stream.into_answer().await.unwrap())
    });
    assert!(values.contains(&json!(["one", "t"])) || values.contains(&json!(["one", "tw"])));
    assert_eq!(values.last(), Some(&json!(["one", "two", "three"])));
    assert_eq!(answer.value, ["one", "two", "three"]);
}

#[test]
fn a_stream_that_does_not_fit_fails_at_its_end() {
    let sim = Sim::new(1);
    let provider = chat();
    let (client, _) = client(
        &sim,
        provider,
        |b| b,
        |_, sent| reply(sent, r#"{"title":1}"#),
    );
    let call = client.ask("How do I make tea?").json::<Recipe>().repairs(3);
    let error = sim.run(async move { call.stream().into_answer().await });
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidOutput);
    assert_eq!(Mismatch::of(&error).unwrap().path(), "steps");
    assert_eq!(error.partial().unwrap().text(), r#"{"title":1}"#);
}
