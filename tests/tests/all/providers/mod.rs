//! Details of particular providers, each from the provider's documentation or a public recording.

mod answers;
mod requests;

use chatcore::{
    ChatCall, ChatRequest, ChatResponse, Dialect, Error, Fold, LlmClient, Mode, Provider,
};
use chatcore_adapters::sim::Sim;
use serde_json::{Value, json};

use super::jobs::{Reply, Sent, client};

/// The provider with this name, with an address and a model added if it has none.
fn named(name: &str) -> Provider {
    let mut provider = Provider::by_name(name).unwrap();
    if provider.base_url().is_empty() {
        provider = provider.with_base_url("https://own.test/openai/v1");
    }
    if provider.model().is_empty() {
        provider = provider.with_model("some-model");
    }
    provider.with_api_key("k-0123456789abcdef")
}

/// A plain answer in chat completions.
fn plain() -> Value {
    json!({"id": "x", "model": "m", "choices": [{
        "index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop",
    }]})
}

/// The request that a call sends to `provider`, which gives a plain answer.
fn sent_by(provider: Provider, ask: impl FnOnce(&LlmClient) -> ChatCall) -> Sent {
    let sim = Sim::new(1);
    let (client, scripted) = client(
        &sim,
        provider,
        |builder| builder.max_attempts(1).fetch_as_stream(false),
        |_, _| Reply::ok(plain()),
    );
    let call = ask(&client);
    sim.run(async move { call.await }).unwrap();
    scripted.sent().remove(0)
}

/// The request of the old client's default call to the provider with this name.
fn default_call(name: &str) -> Sent {
    sent_by(named(name), |client| client.chat_async("hi"))
}

/// The body of a streamed request.
fn streamed(name: &str, request: &ChatRequest) -> Value {
    let provider = named(name);
    let endpoint = provider.endpoint().unwrap();
    let encoded = provider.dialect().encode(&endpoint, request, Mode::Stream);
    serde_json::from_slice(encoded.unwrap().body()).unwrap()
}

/// The answer and error that the provider's dialect reads from a body.
fn read(name: &str, status: u16, body: &str) -> (ChatResponse, Option<Error>) {
    let provider = named(name);
    let dialect: &dyn Dialect = &**provider.dialect();
    let mut head = http::Response::new(());
    *head.status_mut() = http::StatusCode::from_u16(status).unwrap();
    let head = head.into_parts().0;
    let mut decoder = dialect.decoder(&head, Mode::Stream, chatcore::Caps::default());
    decoder.feed(bytes::Bytes::copy_from_slice(body.as_bytes()));
    decoder.end();
    let mut fold = Fold::new();
    loop {
        match decoder.next_event() {
            Ok(Some(event)) => fold.push(event),
            Ok(None) => return (fold.finish(), None),
            Err(error) => return (fold.finish(), Some(error)),
        }
    }
}
