//! Answers that the model corrects.

use std::time::Duration;

use chatcore::{ErrorKind, Mismatch, Phase};
use chatcore_adapters::sim::Sim;

use super::replies::reply;
use super::{Recipe, TEA, chat, providers, tea};
use crate::jobs::{Reply, client};

const BAD: &str = r#"{"title":"Tea","steps":"boil"}"#;

#[test]
fn the_model_corrects_an_answer_in_each_dialect() {
    for provider in providers() {
        let name = provider.name().to_owned();
        let sim = Sim::new(1);
        let (client, server) = client(
            &sim,
            provider,
            |b| b,
            |number, sent| reply(sent, if number == 0 { BAD } else { TEA }),
        );
        let call = client.ask("How do I make tea?").json::<Recipe>().repairs(1);
        let answer = sim.run(async move { call.await }).unwrap();
        assert_eq!(answer.value, tea(), "{name}");
        assert_eq!(answer.response.attempts, 2, "{name}");
        let usage = answer.response.usage.unwrap();
        assert_eq!((usage.input_tokens, usage.output_tokens), (10, 6), "{name}");

        let sent = server.sent();
        assert_eq!(sent.len(), 2, "{name}");
        let second = sent[1].body.to_string();
        for part in ["boil", "at steps, is a string, not array"] {
            assert!(second.contains(part), "{name}: {second}");
            assert!(!sent[0].body.to_string().contains(part), "{name}");
        }
    }
}

/// The error of a call with `attempts` whose answers never fit, and how many requests it sent.
fn never_right(repairs: u32, attempts: u32) -> (chatcore::Error, usize) {
    let sim = Sim::new(1);
    let provider = chat();
    let (client, server) = client(
        &sim,
        provider,
        |b| b,
        |number, sent| match number {
            // A failure that is retried counts as an attempt too.
            1 => Reply::ok("{\"error\":{\"message\":\"busy\"}}").status(503),
            _ => reply(sent, BAD),
        },
    );
    let call = client
        .ask("How do I make tea?")
        .max_attempts(attempts)
        .json::<Recipe>()
        .repairs(repairs);
    let error = sim.run(async move { call.await }).unwrap_err();
    (error, server.sent().len())
}

#[test]
fn corrections_count_as_attempts_of_the_call() {
    // The first answer, a failure, its retry, and so on; there are as many requests as attempts.
    for (repairs, attempts, sent) in [(0, 5, 1), (1, 5, 3), (9, 1, 1), (9, 4, 4), (9, 3, 3)] {
        let (error, requests) = never_right(repairs, attempts);
        assert_eq!(error.kind(), ErrorKind::InvalidOutput);
        assert_eq!(requests, sent, "{repairs} of {attempts}");
        assert_eq!(error.attempts(), sent as u32, "{repairs} of {attempts}");
        assert_eq!(Mismatch::of(&error).unwrap().path(), "steps");
    }
}

#[test]
fn corrections_are_within_the_time_of_the_call() {
    let sim = Sim::new(1);
    let provider = chat();
    let (client, server) = client(&sim, provider, |b| b, |_, sent| reply(sent, BAD).after(20));
    let call = client
        .ask("How do I make tea?")
        .timeout(Duration::from_secs(50))
        .max_attempts(9)
        .json::<Recipe>()
        .repairs(9);
    let executor = sim.executor();
    let error = sim.run(async move { call.await }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.phase(), Some(Phase::Overall));
    assert_eq!((error.attempts(), server.sent().len()), (3, 3));
    assert_eq!(executor.now().since_epoch().as_secs(), 50);
}
