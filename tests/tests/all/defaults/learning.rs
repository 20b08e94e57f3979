//! The client learns from one refusal what the model rules do not know.

use chatcore::dialect::OpenAiResponses;
use chatcore::{Error, ErrorKind, ModelRule};

use super::*;

/// A provider without any known model rule.
fn unknown(model: &'static str) -> Provider {
    compatible(model).with_model_rules([ModelRule::new("*")])
}

fn ask(client: &LlmClient) -> Result<u32, Error> {
    let answer = smol::block_on(client.chat_async("hi").into_future())?;
    assert_eq!(answer.text(), "echo: hi");
    Ok(answer.attempts)
}

#[test]
fn a_default_is_left_out_after_one_refusal() {
    let server = Server::start().unwrap();
    // The model needs another field for the limit, and refuses a temperature. Learning this must
    // not use up the retries.
    let client = shaped(&server, unknown("o3"), "/key/o/as/openai/v1", |builder| {
        builder.max_attempts(1)
    });
    assert_eq!(ask(&client).unwrap(), 3);
    let other = client.clone();
    assert_eq!(ask(&other).unwrap(), 1);
    let sent = bodies(&server, "o");
    let fields = |n: usize| {
        ["max_tokens", "max_completion_tokens", "temperature"]
            .map(|name| sent[n].get(name).is_some())
    };
    assert_eq!(sent.len(), 4);
    assert_eq!(fields(0), [true, false, true]);
    assert_eq!(fields(2), [false, true, false]);
    assert_eq!(fields(3), [false, true, false]);
    // Models that refuse a temperature reason, so the limit leaves room for reasoning.
    assert_eq!(sent[2]["max_completion_tokens"], 25_256);
    // Streams use what was learned; other models of the client do not.
    let stream = client.chat_async("hi").stream().into_response();
    assert_eq!(smol::block_on(stream).unwrap().attempts, 1);
    let answer = client.chat_async("hi").model("gpt-4o").into_future();
    assert_eq!(smol::block_on(answer).unwrap().attempts, 1);
    let status = client.status();
    assert_eq!((status.succeeded, status.failed, status.retried), (4, 0, 2));
}

#[test]
fn a_model_that_cannot_stop_reasoning_gets_room_for_it() {
    let server = Server::start().unwrap();
    let mut rule = ModelRule::new("gpt-6-astra");
    rule.reasoning = chatcore::models::Reasons::ByDefault;
    let provider = Provider::openai()
        .with_model("gpt-6-astra")
        .with_model_rules([rule]);
    let client = client(&server, provider, "/key/r/as/openai/v1");
    assert_eq!(ask(&client).unwrap(), 2);
    assert_eq!(ask(&client).unwrap(), 1);
    let sent = bodies(&server, "r");
    assert_eq!(
        (
            &sent[0]["reasoning_effort"],
            &sent[0]["max_completion_tokens"]
        ),
        (&"none".into(), &256.into())
    );
    for later in &sent[1..] {
        assert_eq!(later.get("reasoning_effort"), None);
        assert_eq!(later.get("temperature"), None);
        assert_eq!(later["max_completion_tokens"], 25_256);
    }
    // Once the model is known to reason, its answers are fetched as streams.
    assert_eq!(
        (sent[1].get("stream"), &sent[2]["stream"]),
        (None, &true.into())
    );
}

#[test]
fn a_model_that_reasons_unasked_gets_room_for_it_from_the_second_call_on() {
    let server = Server::start().unwrap();
    let client = client(&server, unknown("deepseek-flash"), "/key/u/as/deepseek");
    let error = ask(&client).unwrap_err();
    assert_eq!(
        (error.kind(), error.attempts()),
        (ErrorKind::OutOfTokens, 1)
    );
    assert_eq!(ask(&client).unwrap(), 1);
    assert_eq!(bodies(&server, "u")[1]["max_tokens"], 25_256);
    // A stream teaches the client too.
    let client = self::client(&server, unknown("deepseek-flash"), "/key/v/as/deepseek");
    let stream = client.chat_async("hi").stream().into_response();
    let error = smol::block_on(stream).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutOfTokens);
    assert_eq!(ask(&client).unwrap(), 1);
}

#[test]
fn stream_options_are_left_out_where_they_are_refused() {
    let server = Server::start().unwrap();
    let client = client(
        &server,
        compatible("mistral-small-latest"),
        "/key/m/as/mistral/v1",
    );
    let stream = || {
        let stream = client.chat_async("hi").stream().into_response();
        let answer = smol::block_on(stream).unwrap();
        assert!(answer.usage.is_some());
        answer.attempts
    };
    assert_eq!((stream(), stream()), (2, 1));
    let sent = bodies(&server, "m");
    assert!(sent[0].get("stream_options").is_some() && sent[2].get("stream_options").is_none());
}

#[test]
fn reasoning_that_cannot_come_along_is_not_asked_for_again() {
    let server = Server::start().unwrap();
    let provider = unknown("gpt-4o").with_dialect(OpenAiResponses::default());
    let client = client(&server, provider, "/key/i/as/openai/v1");
    assert_eq!(ask(&client).unwrap(), 2);
    assert_eq!(ask(&client).unwrap(), 1);
    let sent = bodies(&server, "i");
    let included: Vec<_> = sent
        .iter()
        .map(|body| body.get("include").is_some())
        .collect();
    assert_eq!(included, [true, false, false]);
    assert!(sent.iter().all(|body| body["store"] == false));
    // A field that the caller set is not left out.
    let call = client
        .chat_async("hi")
        .extra("include", ["reasoning.encrypted_content"].as_slice());
    let error = smol::block_on(call.into_future()).unwrap_err();
    assert_eq!(
        (error.attempts(), error.refused_option()),
        (1, Some("include"))
    );
}

#[test]
fn what_is_no_refusal_of_a_default_is_told_at_once() {
    let server = Server::start().unwrap();
    // The model does not exist.
    let client = client(&server, unknown("gpt-0"), "/key/n/as/openai/v1");
    let error = ask(&client).unwrap_err();
    assert_eq!(error.attempts(), 1, "{error}");
    // The refused field was set by the caller.
    let call = client.chat_async("hi").model("gpt-4o").extra("odd", 1);
    let error = smol::block_on(call.into_future()).unwrap_err();
    assert_eq!((error.attempts(), error.refused_option()), (1, Some("odd")));
}
