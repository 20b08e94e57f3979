//! The headers of a call are sent with each of its attempts, whole and streamed, and with no other
//! call.

use std::sync::Arc;

use chatcore::{LlmClient, Provider};
use chatcore_adapters::BlockingCall;
use chatcore_adapters::executor::{SmolExecutor, ThreadPool};
use chatcore_adapters::transport::{Http1Transport, UreqTransport};
use chatcore_conformance::server::{Seen, Server};

fn clients(provider: &Provider) -> [LlmClient; 2] {
    let smol = Arc::new(SmolExecutor::new());
    let pool = Arc::new(ThreadPool::new(1).unwrap());
    let http1 = Arc::new(Http1Transport::new(smol.clone()));
    let ureq = Arc::new(UreqTransport::new((*pool).clone()));
    [
        LlmClient::builder(smol, http1),
        LlmClient::builder(pool, ureq),
    ]
    .map(|builder| builder.provider(provider.clone()).build().unwrap())
}

fn sent<'a>(seen: &'a [Arc<Seen>], name: &str) -> Vec<Option<&'a str>> {
    seen.iter().map(|request| request.header(name)).collect()
}

#[test]
fn headers_of_one_call() {
    let server = Server::start().unwrap();
    let base = server.url("/key/mine/flaky/1/status/503/retry-after-ms/1/v1");
    let provider = Provider::openai_compatible(base, "tiny")
        .with_api_key("sk-of-the-client")
        .with_header("X-Tenant", "a")
        .unwrap();
    for (round, client) in clients(&provider).into_iter().enumerate() {
        let shaped = client
            .chat_async("hi")
            .header("X-Tenant", "b")
            .header("Idempotency-Key", "8e03978e");
        let answer = shaped.clone().wait().unwrap();
        // The server fails only the first request that it sees.
        assert_eq!(answer.attempts, if round == 0 { 2 } else { 1 });
        let mut stream = shaped.stream();
        while let Some(event) = smol::block_on(stream.next()) {
            event.unwrap();
        }
        client.chat_async("hi").wait().unwrap();
    }
    let seen: Vec<_> = (1..=7)
        .map(|nth| smol::block_on(server.nth_request("mine", nth)).unwrap())
        .collect();
    assert_eq!(server.counts("mine").requests, 7);
    let (b, id) = (Some("b"), Some("8e03978e"));
    let a = Some("a");
    assert_eq!(sent(&seen, "x-tenant"), [b, b, b, a, b, b, a]);
    let none = None;
    let ids = [id, id, id, none, id, id, none];
    assert_eq!(sent(&seen, "idempotency-key"), ids);
    let key = Some("Bearer sk-of-the-client");
    assert_eq!(sent(&seen, "authorization"), [key; 7]);
}
