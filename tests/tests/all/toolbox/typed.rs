//! A loop whose answer has a type.

use chatcore::schemars::{self, JsonSchema};
use chatcore::{ErrorKind, Mismatch, Provider, UnfinishedLoop};
use chatcore_adapters::sim::Sim;
use serde::Deserialize;

use super::replies::{Ask, calls, chat, providers, text};
use super::{Log, tools, waits};
use crate::jobs::client;

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
struct Verdict {
    /// What was found.
    finding: String,
    sure: bool,
}

const GOOD: &str = r#"{"finding":"é","sure":true}"#;

fn good() -> Verdict {
    Verdict {
        finding: "é".to_owned(),
        sure: true,
    }
}

#[test]
fn a_typed_answer_ends_a_loop_in_every_dialect() {
    for provider in providers() {
        let name = provider.dialect().facts().name();
        for is_streamed in [false, true] {
            let sim = Sim::new(1);
            let asked = [waits("a", 1)];
            let script = move |number, sent: &_| match number {
                0 => calls(sent, &Ask::of(&asked)),
                _ => text(sent, GOOD),
            };
            let (client, server) = client(&sim, provider.clone(), |b| b, script);
            let work = client.ask("Hi").toolbox(&tools(&sim, &Log::default()));
            let work = work.json::<Verdict>();
            let answer = sim.run(async move {
                match is_streamed {
                    true => work.stream().into_answer().await,
                    false => work.await,
                }
            });
            let answer = answer.unwrap();
            assert_eq!(answer.value, good(), "{name}");
            assert_eq!((answer.answer.turns, answer.answer.messages.len()), (2, 4));
            for sent in server.sent() {
                assert!(sent.body.to_string().contains("What was found."), "{name}");
                assert!(sent.body.get("tools").is_some(), "{name}");
            }
        }
    }
}

/// The first request of a loop with a typed answer.
fn first_request(provider: Provider) -> serde_json::Value {
    let sim = Sim::new(1);
    let (client, server) = client(&sim, provider, |b| b, |_, sent| text(sent, GOOD));
    let work = client.ask("Hi").toolbox(&tools(&sim, &Log::default()));
    sim.run(async move { work.json::<Verdict>().await })
        .unwrap();
    server.sent()[0].body.clone()
}

#[test]
fn a_provider_that_takes_no_schema_beside_tools_gets_it_in_the_prompt() {
    let [chat, responses, anthropic, gemini, ollama] = providers().map(first_request);
    assert_eq!(chat["response_format"]["type"], "json_schema");
    assert_eq!(responses["text"]["format"]["type"], "json_schema");
    assert_eq!(anthropic["output_config"]["format"]["type"], "json_schema");
    let prompt = gemini["systemInstruction"].to_string();
    assert!(prompt.contains("matches this JSON schema"), "{gemini:#}");
    assert!(
        !gemini["generationConfig"]
            .to_string()
            .contains("responseMimeType")
    );
    assert!(
        ollama["messages"][0]["content"]
            .as_str()
            .unwrap()
            .contains("matches this JSON schema")
    );
    assert!(ollama.get("format").is_none());
}

#[test]
fn the_model_may_correct_its_answer() {
    let sim = Sim::new(1);
    let (client, server) = client(
        &sim,
        chat(),
        |b| b,
        |number, sent| match number {
            0 => text(sent, r#"{"finding":"x"}"#),
            _ => text(sent, GOOD),
        },
    );
    let work = client.ask("Hi").toolbox(&tools(&sim, &Log::default()));
    let work = work.json::<Verdict>().repairs(1);
    let answer = sim.run(async move { work.await }).unwrap();
    assert_eq!((answer.value, answer.answer.turns), (good(), 2));
    let sent = server.sent()[1].body.to_string();
    assert!(sent.contains("does not match the JSON schema"), "{sent}");
}

#[test]
fn an_answer_that_does_not_fit_is_an_error_with_its_path_and_the_conversation() {
    let sim = Sim::new(1);
    let reply = r#"{"finding":"x","sure":"yes"}"#;
    let (client, _) = client(&sim, chat(), |b| b, move |_, sent| text(sent, reply));
    let work = client.ask("Hi").toolbox(&tools(&sim, &Log::default()));
    let error = sim
        .run(async move { work.json::<Verdict>().await })
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.attempts()),
        (ErrorKind::InvalidOutput, 1)
    );
    assert_eq!(Mismatch::of(&error).unwrap().path(), "sure");
    assert_eq!(UnfinishedLoop::of(&error).unwrap().messages.len(), 2);
}
