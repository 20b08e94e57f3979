//! A default call works on current models: a client without settings, against servers that refuse
//! what the real providers refuse.

mod calls;
mod learning;
mod streams;

use std::sync::Arc;

use chatcore::{LlmClient, LlmClientBuilder, Provider};
use chatcore_adapters::executor::SmolExecutor;
use chatcore_adapters::transport::Http1Transport;
use chatcore_conformance::server::Server;
use serde_json::Value;

/// A client of `provider`, with this path of the server as base URL.
fn client(server: &Server, provider: Provider, path: &str) -> LlmClient {
    shaped(server, provider, path, |builder| builder)
}

fn shaped(
    server: &Server,
    provider: Provider,
    path: &str,
    change: impl FnOnce(LlmClientBuilder) -> LlmClientBuilder,
) -> LlmClient {
    let executor = Arc::new(SmolExecutor::new());
    let transport = Arc::new(Http1Transport::new(executor.clone()));
    let provider = provider.with_base_url(server.url(path)).with_api_key("k");
    let builder = LlmClient::builder(executor, transport).provider(provider);
    change(builder).build().unwrap()
}

/// The bodies of all requests of `key`.
fn bodies(server: &Server, key: &str) -> Vec<Value> {
    let count = server.counts(key).requests;
    let body = |n| {
        let seen = smol::block_on(server.nth_request(key, n)).unwrap();
        serde_json::from_slice(&seen.body).unwrap()
    };
    (1..=count).map(body).collect()
}

/// A private server with OpenAI's chat completions.
fn compatible(model: &'static str) -> Provider {
    Provider::openai_compatible("http://127.0.0.1/v1", model)
}
